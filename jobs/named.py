"""The jobs by name: what `holdfast job run NAME`, the schedule, or an engine of the company's own may start.

Each is idempotent: run twice it leaves what it leaves when it is run once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from connector.adapter import nearest
from connector.config import Config
from connector.connect import Connected
from connector.errors import ConfigError
from connector.policy import Policy
from connector.store.leases import Fenced
from connector.text import Text
from jobs.dun import dun
from jobs.evaluate import evaluate
from jobs.hooks import heed
from jobs.housekeeping import housekeeping
from jobs.link import link
from jobs.mailing import notify
from jobs.night import connected_systems, work
from jobs.policy import in_force
from jobs.propose import night as propose_limits
from jobs.pull import pull
from jobs.push import push
from jobs.reconcile import reconcile
from jobs.review import review
from jobs.run import Run
from jobs.shift import Shift
from jobs.short import short_round

Act = Callable[[Fenced, Shift], list[Run]]


@dataclass(frozen=True)
class Job:
    """One job: what it is for, and how it is done. `per_system`: also for one system alone, as `name:system`."""

    name: str
    title: Text
    act: Callable[[Fenced, Shift, list[Connected]], list[Run]]
    per_system: bool = False


def _regular(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    return _work(store, shift, systems, nightly=False)


def _nightly(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    return _work(store, shift, systems, nightly=True)


def _work(store: Fenced, shift: Shift, systems: list[Connected], nightly: bool) -> list[Run]:
    return work(
        store,
        shift.config,
        shift.policy,
        shift.clock,
        systems=systems,
        nightly=nightly,
        progress=shift.progress,
        told=shift.told,
        between=shift.between,
    )


def _short(reads: bool) -> Callable[[Fenced, Shift, list[Connected]], list[Run]]:
    def act(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
        return short_round(
            store,
            shift.config,
            shift.policy,
            shift.clock,
            reads=reads,
            systems=systems,
            progress=shift.progress,
            told=shift.told,
        )

    return act


def _hooks(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    return heed(
        store,
        shift.config,
        shift.policy,
        shift.clock,
        systems=systems,
        progress=shift.progress,
        told=shift.told,
    )


def _notices(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    with store.reading() as tx:
        policy = shift.policy or in_force(tx, shift.config)
    done = list(notify(store, shift.config, policy, shift.clock, systems=systems))
    for run in done:
        shift.told(run)
    return done


def _each(
    store: Fenced, shift: Shift, systems: list[Connected], step: Callable[[Connected], Run], *, writes: bool = False
) -> list[Run]:
    """One step for each system, of those that are written to where it writes."""
    done = []
    for connected in systems:
        if not writes or (connected.adapter.channels and shift.config.writes_to(connected.system)):
            done.append(step(connected))
            shift.told(done[-1])
            store.prove()
    return done


def _pull(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    return _each(store, shift, systems, lambda c: pull(store, c, progress=shift.progress))


def _push(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    return _each(store, shift, systems, lambda c: push(store, c, progress=shift.progress), writes=True)


def _reconcile(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
    return _each(store, shift, systems, lambda c: reconcile(store, c, progress=shift.progress), writes=True)


def _step(step: Callable[[Fenced, Shift, Policy, list[Connected]], Run]) -> Callable[..., list[Run]]:
    """One step over all that is known."""

    def act(store: Fenced, shift: Shift, systems: list[Connected]) -> list[Run]:
        policy = shift.policy
        if policy is None:
            with store.reading() as tx:
                policy = in_force(tx, shift.config)
        done = step(store, shift, policy, systems)
        shift.told(done)
        return [done]

    return act


def _usual(job: Callable[..., Run]) -> Callable[..., list[Run]]:
    """A job that takes what most of them take."""
    return _step(
        lambda store, shift, policy, systems: job(
            store, shift.config, policy, shift.clock, systems=systems, progress=shift.progress
        )
    )


JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        Job("regular", Text("the whole job: pull, link, evaluate, push", "完整作业：拉取、关联、评估、推送"), _regular),
        Job(
            "nightly",
            Text(
                "the whole job in full, with dunning, reviews, limit proposals and comparing",
                "夜间全量作业：另含催收、复评、额度建议与核对",
            ),
            _nightly,
        ),
        Job("orders", Text("the short round: what moves holds", "短周期：影响冻结的变更"), _short(reads=True)),
        Job(
            "waiting",
            Text("what waits in the database: marked customers, writes that are due", "库中待办：待评估客户与到期写入"),
            _short(reads=False),
        ),
        Job("hooks", Text("heed what systems told by webhook", "处理各系统的 Webhook 通知"), _hooks),
        Job("pull", Text("read what has changed", "读取变更"), _pull, per_system=True),
        Job(
            "link",
            Text("find the same customer in two systems", "关联不同系统中的同一客户"),
            _step(lambda store, shift, policy, systems: link(store, shift.config, shift.clock, shift.progress)),
        ),
        Job(
            "evaluate",
            Text("judge what has changed", "评估变更"),
            _step(
                lambda store, shift, policy, systems: evaluate(
                    store, shift.config, policy, shift.clock, systems=systems, progress=shift.progress
                )
            ),
        ),
        Job(
            "notices",
            Text("tell people what became of their orders, send mails that are due", "通知订单相关人员，发送到期邮件"),
            _notices,
        ),
        Job("push", Text("write what is owed", "写入待写内容"), _push, per_system=True),
        Job(
            "dun",
            Text("take the dunning steps that are due", "执行到期的催收步骤"),
            _usual(dun),
        ),
        Job(
            "review",
            Text("plan reviews", "安排复评"),
            _usual(review),
        ),
        Job(
            "limits",
            Text("propose limits that are due", "提出到期的额度建议"),
            _usual(propose_limits),
        ),
        Job(
            "reconcile",
            Text("compare what we wrote with what stands there", "核对已写入内容与对方现状"),
            _reconcile,
            per_system=True,
        ),
        Job(
            "housekeeping",
            Text("drop what has had its time", "清理过期内容"),
            _step(lambda store, shift, policy, systems: housekeeping(store, shift.config, shift.clock)),
        ),
    )
}


def names(config: Config) -> Iterator[str]:
    """All names that a job can be asked for by."""
    for job in JOBS.values():
        yield job.name
        if job.per_system:
            yield from (f"{job.name}:{system.name}" for system in config.systems)


def act_of(name: str, config: Config) -> Act:
    """How a job is done, by its name. Raises ConfigError naming the nearest right one."""
    if name not in set(names(config)):
        raise ConfigError(
            Text(
                "There is no job called “{name}”. Did you mean {near}?", "没有名为“{name}”的作业。是否应为 {near}？"
            ).fill(name=name, near=nearest(name, list(names(config))))
        )
    first, _, system = name.partition(":")

    def act(store: Fenced, shift: Shift) -> list[Run]:
        chosen = connected_systems(shift.config, shift.clock, [system] if system else (), store)
        return JOBS[first].act(store, shift, chosen)

    return act
