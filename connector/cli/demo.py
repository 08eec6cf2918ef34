"""`holdfast demo`: the whole job on a made-up company, told step by step, with nothing to set up.

holdfast demo                 sandboxes of an ERP and a CRM on this machine
holdfast demo --erp tryton    a real Tryton, brought up in an environment of its own
holdfast -c config.toml demo  the systems that are configured
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli.common import Cli, bars, console, exit_code, language, say, show_run, t
from connector.cli.output import Column, Table, print_table, shown
from connector.errors import ConfigError, HoldfastError
from connector.text import Text, same

if TYPE_CHECKING:
    from connector.connect import Connected
    from connector.sandbox import Sandbox
    from jobs.run import Run


def register(app: typer.Typer) -> None:
    @app.command(
        "demo",
        help=t(
            "The whole job on a made-up company: no account, no set-up.", "用虚构公司演示完整流程：无需账号，无需配置。"
        ),
    )
    def command(
        context: typer.Context,
        erp: Annotated[
            str,
            typer.Option(
                help=t(
                    "sandbox (also odoo-sandbox), or tryton: a real one in an environment of its own.",
                    "sandbox（沙箱，也可用 odoo-sandbox），或 tryton（自动安装的真实系统）。",
                )
            ),
        ] = "sandbox",
        crm: Annotated[
            str, typer.Option(help=t("Whose sandbox is the CRM.", "以哪个产品的沙箱作为 CRM。"))
        ] = "zoho_crm",
        customers: Annotated[int, typer.Option(min=20, max=5000, help=t("How many customers.", "客户数量。"))] = 200,
        seed: Annotated[
            int, typer.Option(help=t("The same seed tells the same story.", "相同种子得到相同的故事。"))
        ] = 1,
        keep: Annotated[
            Path | None, typer.Option(help=t("Keep configuration and database here.", "把配置和数据库保留在此文件夹。"))
        ] = None,
    ) -> None:
        cli: Cli = context.obj
        if cli.given:
            raise typer.Exit(tell(Stage(cli)))
        with contextlib.ExitStack() as stack:
            folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-demo-")))
            folder.mkdir(parents=True, exist_ok=True)
            stage = stack.enter_context(set_up(folder, erp, crm, customers, seed))
            code = tell(stage)
            stage.cli.store.close()
        raise typer.Exit(code)


@dataclass
class Stage:
    """What the story is told with: an open configuration, and the sandboxes behind it, where there are any."""

    cli: Cli
    sandboxes: list[Sandbox] = field(default_factory=list)

    def writes(self) -> int:
        """Write calls that the sandboxes have seen."""
        return sum(len(s.writes()) for s in self.sandboxes)


@contextlib.contextmanager
def set_up(folder: Path, erp: str, crm: str, customers: int, seed: int) -> Iterator[Stage]:
    """Sandboxes (or a real ERP) on this machine, and a configuration that names them."""
    from connector import adapter as adapters
    from connector.cli.init import quoted
    from connector.clock import SystemClock, day_in
    from connector.sandbox import SandboxOptions

    out = console()
    today = day_in(SystemClock().now(), "Asia/Shanghai")
    options = SandboxOptions(customers=customers, seed=seed, as_of=today, language=language())
    blocks: list[str] = []
    with contextlib.ExitStack() as stack:
        boxes: list[Sandbox] = []

        def add(name: str, adapter: str, role: str, url: str, secrets: dict[str, str], extra: dict[str, str]) -> None:
            settings = {**adapters.load(adapter).demo_settings, **extra}
            shown = {k: v.format(url=url) for k, v in settings.items()}
            lines = ["[[systems]]", f'name = "{name}"', f'adapter = "{adapter}"', f'roles = ["{role}"]']
            lines.append("settings = { " + ", ".join(f"{k} = {quoted(v)}" for k, v in shown.items()) + " }")
            lines.append("[systems.secrets]")
            for key, value in secrets.items():
                variable = f"HOLDFAST_DEMO_{name}_{key}".upper()
                os.environ[variable] = value
                lines.append(f'{key} = "env:{variable}"')
            blocks.append("\n".join(lines))

        if erp.endswith("sandbox"):
            name = erp.removesuffix("sandbox").rstrip("-") or "tryton"
            box = adapters.sandbox(name, options)
            boxes.append(box)
            url = stack.enter_context(box.served())
            add("erp", name, "erp", url, dict(box.credentials()), {})
            title = say(adapters.load(name).title)
            out.print(t(f"ERP: {title} sandbox on {url}", f"ERP：{title} 沙箱 {url}"))
        else:
            with out.status(
                t("Bringing up a real ERP (minutes the first time) …", "正在启动真实 ERP（首次需数分钟）……")
            ):
                live = stack.enter_context(adapters.server(erp, customers=customers, seed=seed, as_of=today))
            add("erp", erp, "erp", live.url, dict(live.secrets), dict(live.settings))
            out.print(t(f"ERP: a real {live.version} on {live.url}", f"ERP：真实的 {live.version}，{live.url}"))
        box = adapters.sandbox(crm, options)
        boxes.append(box)
        url = stack.enter_context(box.served())
        add("crm", crm, "crm", url, dict(box.credentials()), {})
        title = say(adapters.load(crm).title)
        out.print(t(f"CRM: {title} sandbox on {url}", f"CRM：{title} 沙箱 {url}"))

        path = folder / "config.toml"
        head = f'[business]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\nlanguage = "{language()}"\n'
        path.write_text("\n\n".join([head, *blocks]) + "\n", encoding="utf-8")
        yield Stage(Cli(path), boxes)


# --- the story -----------------------------------------------------------------------------------------------------------
def tell(stage: Stage) -> int:
    """Provision, run, look, run again, change two things in the ERP, run, look at what changed."""
    from connector.cli.report import collect
    from jobs.night import connected_systems

    cli, out = stage.cli, console()
    systems = connected_systems(cli.config, cli.clock)
    _heading(t("1  Make the credit fields in the CRM", "1  在 CRM 中创建信用字段"))
    _provision(systems)

    _heading(t("2  First run: pull, link, evaluate, push", "2  首次运行：拉取、关联、评估、推送"))
    runs = _run(cli, systems)
    if any(r.failed for r in runs):
        return exit_code(runs)
    answers, _ = collect(cli, None, None)

    _heading(t("3  What sales sees in the CRM", "3  销售人员在 CRM 中看到的内容"))
    _sales(cli, systems)
    _heading(t("4  What the credit controller sees", "4  信用管理人员看到的内容"))
    _controller(answers)

    _heading(t("5  Second run: nothing has changed, nothing is written", "5  第二次运行：没有变化，不写入任何内容"))
    before = stage.writes()
    again = _run(cli, systems)
    written = sum(r.counts["done"] for r in again if r.job == "push")
    calls = stage.writes() - before
    out.print(
        t(
            f"Records written: {written}." + (f" Write calls the sandboxes saw: {calls}." if stage.sandboxes else ""),
            f"写入记录：{written}。" + (f"沙箱收到的写调用：{calls}。" if stage.sandboxes else ""),
        ),
        style="bold",
    )

    _heading(t("6  In the ERP: an invoice is paid, an order is placed", "6  在 ERP 中：付清一张发票，新下一张订单"))
    if not _rehearse(cli, systems, answers):
        return exit_code(again)
    with cli.store.reading() as tx:
        from connector.store import outbox

        last = max((r.id for r in outbox.listing(tx, states=None)), default=0)
    third = _run(cli, systems)
    _heading(t("7  Exactly what changed", "7  具体变化"))
    _changes(cli, last)
    return exit_code([*runs, *again, *third])


def _heading(words: str) -> None:
    out = console()
    out.print()
    out.rule(words, align="left", style="cyan")


def _run(cli: Cli, systems: list[Connected]) -> list[Run]:
    from jobs.night import lease, work

    with lease(cli.store, cli.clock, "run"), bars() as progress:
        return work(
            cli.store,
            cli.config,
            cli.policy,
            cli.clock,
            systems=systems,
            progress=progress,
            told=lambda run: show_run(run, problems_most=2),
        )


def _provision(systems: list[Connected]) -> None:
    out = console()
    for connected in systems:
        if connected.adapter.provision is None:
            continue
        try:
            findings = connected.adapter.provision(connected.client, connected.needs(), False)
        except HoldfastError as wrong:
            out.print(f"! {connected.name}: {say(wrong.user)}", markup=False)
            continue
        made = [f for f in findings if f.state == "made"]
        rest = [f for f in findings if f.state in ("todo", "wrong")]
        out.print(
            t(
                f"{connected.name}: {len(made)} made, {len(findings) - len(made) - len(rest)} there already",
                f"{connected.name}：新建 {len(made)} 项，已有 {len(findings) - len(made) - len(rest)} 项",
            )
        )
        for finding in rest:
            out.print(f"  ! {say(finding.what)} {say(finding.fix) if finding.fix else ''}", markup=False)


def _sales(cli: Cli, systems: list[Connected]) -> None:
    """The credit fields of a few accounts, read back from the CRM itself, and the tasks that owners got."""
    from connector.store import customers, outbox

    out = console()
    for connected in systems:
        if "crm" not in connected.system.roles or connected.adapter.channel("customer_fields") is None:
            continue
        with cli.store.reading() as tx:
            rows = [r for r in outbox.listing(tx, states=None, system=connected.name) if r.state == "done"]
            names = {r.ref: r.name for r in customers.customers(tx, systems=[connected.name])}
        told = {k: [r for r in rows if r.kind == k] for k in ("customer_fields", "hold", "order_fields", "task")}
        flagged = [*told["customer_fields"], *told["hold"]]
        held = {r.target for r in flagged if any(v is True for v in r.values.values())}
        fields = [r.target for r in told["customer_fields"]]
        chosen = [*[f for f in fields if f in held][:4], *[f for f in fields if f not in held][:2]]
        there = _read_back(connected, chosen)
        labels = {n.label: n.name for n in connected.needs() if any(n.name in v for v in there.values())}
        table = Table(
            Text("Accounts as the CRM shows them now", "CRM 中客户的当前显示"),
            [
                Column("name", Text("account", "客户"), style="bold"),
                *(Column(label, same(label), spare=at) for at, label in enumerate(list(labels)[:9])),
            ],
        )
        for target in chosen:
            values = there.get(target, {})
            row = {label: _short(values.get(name)) for label, name in labels.items()}
            table.rows.append({"name": names.get(target), **row})
        print_table(table)
        for task in told["task"][:2]:
            long = [v for v in task.values.values() if isinstance(v, str) and len(v) > 25]
            out.print("☐ " + "\n  ".join(line for v in long for line in v.splitlines()), markup=False)
        out.print(
            t(
                "{} accounts with credit fields, {} tasks for their owners, {} orders flagged.",
                "{} 个客户已写入信用字段，{} 个任务已分配给负责人，{} 张订单已标记。",
            ).format(*(len(told[k]) for k in ("customer_fields", "task", "order_fields"))),
            style="bold",
        )


def _read_back(connected: Connected, targets: list[str]) -> dict[str, dict[str, Any]]:
    """What stands in the CRM now of these records, in our fields."""
    found: dict[str, dict[str, Any]] = {target: {} for target in targets}
    for kind in ("customer_fields", "hold"):
        channel = connected.adapter.channel(kind)
        if channel is not None and channel.current is not None:
            for target, values in channel.current(connected.client, targets).items():
                found.setdefault(target, {}).update(values)
    return found


def _short(value: Any) -> str:
    text = shown(value)
    return text if len(text) <= 44 else text[:43] + "…"


def _controller(answers: list[dict[str, Any]]) -> None:
    from connector.cli.report import _positions_table

    out = console()
    worst = sorted(answers, key=lambda a: (not a["hold"], -Decimal(a["overdue"])))[:8]
    head = {"as_of": dt.date.today().isoformat(), "rates": "as_of"}  # noqa: DTZ011 - a heading only
    table = _positions_table(worst, head)
    table.totals = []
    print_table(table)
    levels = {
        level: sum(1 for a in answers if a["warning_level"] == level) for level in ("red", "orange", "yellow", "green")
    }
    held = [a for a in answers if a["hold"]]
    out.print(
        t(
            f"{len(answers)} customers: {levels['red']} red, {levels['orange']} orange, {levels['yellow']} yellow, "
            f"{levels['green']} green; {len(held)} held.",
            f"{len(answers)} 个客户：红 {levels['red']}，橙 {levels['orange']}，黄 {levels['yellow']}，"
            f"绿 {levels['green']}；冻结 {len(held)}。",
        ),
        style="bold",
    )
    for answer in held[:3]:
        reasons = "; ".join(r[t("en", "zh")] for r in answer["reasons"])
        out.print(f"✗ {answer['customer_id']} {answer['name']}: {reasons}", markup=False)


def _rehearse(cli: Cli, systems: list[Connected], answers: list[dict[str, Any]]) -> bool:
    """Pays the oldest invoice of one held customer, and places an order that breaks the limit of a good one."""
    out = console()
    connected = next((c for c in systems if "erp" in c.system.roles), None)
    if connected is None or connected.adapter.rehearsal is None:
        out.print(t("(This ERP's adapter cannot rehearse a payment.)", "（该 ERP 的适配器不支持演示付款。）"))
        return False
    mine = [a for a in answers if a["system"] == connected.name]
    linked = _linked(cli, connected)
    late = [a for a in mine if [r["rule"] for r in a["reasons"]] == ["oldest_overdue"]]
    good = [a for a in mine if not a["hold"] and a["available"] is not None and Decimal(a["available"]) > 0]
    # Whose hold one payment lifts, and whose limit one order breaks; best where the CRM shows it.
    late.sort(key=lambda a: (a["customer_id"] not in linked, _overdue_items(cli, a), Decimal(a["overdue"])))
    good.sort(key=lambda a: (a["customer_id"] not in linked, Decimal(a["available"])))
    if not late or not good:
        raise ConfigError(Text("No customer fits the story.", "没有适合该演示的客户。"))
    payer, buyer = late[0], good[0]
    said = connected.adapter.rehearsal.pay(connected.client, payer["customer_id"])
    out.print(f"{payer['customer_id']} {payer['name']}: {say(said)}", markup=False)
    amount = (Decimal(buyer["available"]) * 2).quantize(Decimal(1)) + 1000
    said = connected.adapter.rehearsal.order(connected.client, buyer["customer_id"], amount)
    out.print(f"{buyer['customer_id']} {buyer['name']}: {say(said)}", markup=False)
    return True


def _linked(cli: Cli, connected: Connected) -> set[str]:
    """ERP customers that the CRM has an account of."""
    from connector.store import customers

    with cli.store.reading() as tx:
        rows = customers.customers(tx)
    shown_elsewhere = {r.debtor for r in rows if r.system != connected.name and r.debtor is not None}
    return {r.ref for r in rows if r.system == connected.name and r.debtor in shown_elsewhere}


def _overdue_items(cli: Cli, answer: dict[str, Any]) -> int:
    from connector.cli.explain import customer_table

    items = customer_table(cli, answer["customer_id"], None)[1]["items"]
    return sum(1 for item in items if item["days_overdue"])


def _changes(cli: Cli, last: int) -> None:
    """Every write of the third run: field by field, before and after."""
    from connector.store import customers, outbox

    out = console()
    with cli.store.reading() as tx:
        rows = outbox.listing(tx, states=None)
        names = {(r.system, r.ref): r.name or r.ref for r in customers.customers(tx)}
    earlier = {(r.system, r.kind, r.target): r for r in rows if r.id <= last and r.state == "done"}
    new = [r for r in rows if r.id > last]
    for row in new:
        was = earlier.get((row.system, row.kind, row.target))
        out.print(
            f"{row.system} {row.kind} {names.get((row.system, row.target), row.target)}", style="bold", markup=False
        )
        for key, value in row.values.items():
            old = was.values.get(key) if was else None
            if value != old:
                out.print(f"    {key}: {_short(old) or '–'} → {_short(value) or '–'}", markup=False)
    out.print(t(f"{len(new)} writes, no more.", f"共 {len(new)} 次写入，仅此而已。"), style="bold")
