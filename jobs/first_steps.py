"""First steps: what leads from an empty database to first results, each told by the database's own state.

A step is done when it is so, whoever did it and in whichever way: by the console, the command line or config.toml. Nothing
is remembered; what is undone later is to do again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connector.config import Config
from connector.connect import chosen_mapping
from connector.store import Connection, documents, facts, links, runs
from connector.store.begun import Begun, begun
from connector.text import Text

Key = Literal["people", "systems", "mapping", "pull", "link", "policy", "evaluate", "write"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `what` is to be done and `why`; `how` tells how it stands now (None: nothing to tell). `where` names the
    part of the console that it is done in (people, systems, mappings, runs, links, policy, desk, outbox), `command` the
    way by the command line. `needed` False: it may be left for later."""

    key: Key
    done: bool
    what: Text
    why: Text
    where: str
    command: str
    needed: bool = True
    how: Text | None = None


def steps(tx: Connection, config: Config) -> list[Step]:
    """All steps, in the order in which they are taken."""
    now = begun(tx)
    return [
        _people(config),
        _systems(config),
        _mapping(tx, config, now),
        _pull(tx, config, now),
        _link(tx, config, now),
        _policy(tx, config),
        _evaluate(now),
        _write(config, now),
    ]


def next_step(steps: Sequence[Step]) -> Step | None:
    """What is to be done now; None: nothing that is needed is left."""
    return next((step for step in steps if step.needed and not step.done), None)


def _people(config: Config) -> Step:
    count = Text("{count:person is|people are} entered.", "已登记 {count} 人。").fill(count=len(config.people))
    return Step(
        "people",
        bool(config.people),
        Text("Say who works here.", "登记使用人员。"),
        Text(
            "Until somebody is entered, whoever sits at the machine may do everything. Enter an administrator first.",
            "登记之前，操作本机者拥有全部权限。请先登记一名系统管理员。",
        ),
        "people",
        "holdfast person add ID --role admin",
        needed=False,
        how=count if config.people else None,
    )


def _systems(config: Config) -> Step:
    ledgers, crms = config.with_role("erp"), config.with_role("crm")
    named = ", ".join(s.name for s in config.systems)
    how = Text("Connected: {names}.", "已连接：{names}。").fill(names=named) if config.systems else None
    if config.systems and not ledgers:
        how = Text("Connected: {names}. No ERP is among them.", "已连接：{names}。其中没有 ERP。").fill(names=named)
    elif ledgers and not crms:
        how = Text("Connected: {names}. No CRM is among them.", "已连接：{names}。其中没有 CRM。").fill(names=named)
    return Step(
        "systems",
        bool(ledgers),
        Text("Connect the system that knows who owes what; then the CRM.", "连接掌握应收账款的系统，再连接 CRM。"),
        Text(
            "Receivables, payments and orders come from the ERP (or from files); the CRM is where sales sees the result.",
            "应收账款、收款与订单来自 ERP（或文件）；销售人员在 CRM 中查看结果。",
        ),
        "systems",
        "holdfast system add FILE",
        how=how,
    )


def _mapping(tx: Connection, config: Config, now: Begun) -> Step:
    own = [s for s in config.systems if s.mapping or chosen_mapping(config, s, tx).version is not None]
    read = [s for s in config.systems if facts.complete_since(tx, s.name) is not None and facts.read_at(tx, s.name)]
    # A mapping that has read everything without a fault has been looked at by the data themselves.
    fits = [s for s in config.systems if s in own or (s in read and not now.faults)]
    how = None
    if now.faults:
        how = Text("{count:problem|problems} in records.", "记录中有 {count} 个问题。").fill(count=now.faults)
    elif own:
        how = Text("Of your own: {names}.", "自有映射：{names}。").fill(names=", ".join(s.name for s in own))
    elif fits:
        how = Text("The shipped mappings fit.", "自带映射适用。")
    return Step(
        "mapping",
        bool(config.systems) and len(fits) == len(config.systems),
        Text("Look at the field mapping.", "查看字段映射。"),
        Text(
            "It says which of their fields is which of ours. The shipped one fits the product as it is delivered; your own "
            "fields are added here.",
            "映射规定对方字段与我方字段的对应关系。自带映射适用于产品的标准配置；贵公司的自定义字段在此添加。",
        ),
        "mappings",
        "holdfast mapping show SYSTEM",
        how=how,
    )


def _pull(tx: Connection, config: Config, now: Begun) -> Step:
    read = [
        s.name for s in config.systems if facts.read_at(tx, s.name) and facts.complete_since(tx, s.name) is not None
    ]
    how = None
    if config.systems:
        how = Text("{count} of {all:system|systems} read.", "已读取 {count}/{all} 个系统。").fill(
            count=len(read), all=len(config.systems)
        )
    return Step(
        "pull",
        bool(config.systems) and now.customers and len(read) == len(config.systems),
        Text("Read everything for the first time.", "首次读取全部数据。"),
        Text(
            "The first reading takes a while; afterwards only what has changed is read.",
            "首次读取需要一些时间；此后只读取变更。",
        ),
        "runs",
        "holdfast run",
        how=how,
    )


def _link(tx: Connection, config: Config, now: Begun) -> Step:
    has_run = any(r.finished_at is not None and r.state != "failed" for r in runs.runs(tx, job="link", limit=20))
    several = len([s for s in config.systems if set(s.roles) & {"erp", "crm"}]) > 1
    how = None
    if now.unsure:
        how = Text("{count:link waits|links wait} for your word.", "{count} 个关联待人工确认。").fill(count=now.unsure)
    elif several and has_run and not links.linked(tx, several_only=True):
        how = Text("No customer was found in two systems.", "未发现同时存在于两个系统的客户。")
    return Step(
        "link",
        has_run and now.customers and not now.unsure,
        Text("Link the same customer in two systems.", "关联不同系统中的同一客户。"),
        Text(
            "What one legal person owes is added up over all systems. What is certain is linked by itself; the rest is asked.",
            "同一法人在各系统中的欠款合并计算。确定者自动关联，其余由人工确认。",
        ),
        "links",
        "holdfast link list",
        needed=several,
        how=how,
    )


def _policy(tx: Connection, config: Config) -> Step:
    kept = documents.active(tx, documents.POLICY, documents.THE_POLICY)
    how = Text("The shipped policy is in force.", "使用随产品提供的政策。")
    if kept is not None:
        how = Text("In force: version {number}.", "使用中：版本 {number}。").fill(number=kept.number)
    elif config.policy:
        how = Text("In force: {file}.", "使用中：{file}。").fill(file=config.policy)
    return Step(
        "policy",
        kept is not None or config.policy is not None,
        Text("Choose the credit policy.", "选定信用政策。"),
        Text(
            "It says when orders are held, who approves what, when customers are dunned. The shipped one is cautious; the "
            "simulator shows what another would do.",
            "政策规定何时冻结订单、由谁审批、何时催收。随产品提供的政策偏谨慎；可用模拟功能查看其他政策的效果。",
        ),
        "policy",
        "holdfast policy show",
        needed=False,
        how=how,
    )


def _evaluate(now: Begun) -> Step:
    return Step(
        "evaluate",
        now.judged,
        Text("Judge every customer.", "评估全部客户。"),
        Text(
            "Limits, exposure, ageing, warnings and holds are worked out from what was read.",
            "根据读取的数据计算额度、占用、账龄、预警与冻结。",
        ),
        "desk",
        "holdfast run",
    )


def _write(config: Config, now: Begun) -> Step:
    written_to = [s.name for s in config.systems if config.writes_to(s)]
    how = Text("No system is written to.", "未写入任何系统。")
    if written_to:
        how = Text("Written to: {names}.", "写入：{names}。").fill(names=", ".join(written_to))
    return Step(
        "write",
        now.written,
        Text("Write the results to where people work.", "把结果写入业务系统。"),
        Text(
            "The fields and rules that Holdfast writes to are made once (provisioning); from then on changes are written.",
            "先一次性创建本系统写入所需的字段与规则，此后自动写入变更。",
        ),
        "outbox",
        "holdfast provision; holdfast run",
        needed=bool(written_to),
        how=how if config.systems else None,
    )


__all__ = ["Key", "Step", "next_step", "steps"]
