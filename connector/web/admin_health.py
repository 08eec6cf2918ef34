"""Health on a page: whether the service does its work, in words, and what to do where it does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector import __version__
from connector.config import Config
from connector.store import runs, upgrade
from connector.store.backlog import Backlog, backlog
from connector.store.size import size
from connector.text import Text, same
from connector.web.administrator import Admin
from connector.web.front import Front
from connector.web.pages import pages_of
from jobs.run_words import job_name
from jobs.slots import LEASE

WELL, LOOK, TROUBLE = "ok", "warn", "bad"
TONES = {WELL: Text("well", "正常"), LOOK: Text("have a look", "需关注"), TROUBLE: Text("in trouble", "异常")}
_SOON = dt.timedelta(hours=24)
_NOTHING = same("")


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was looked at: how it is, and what to do (empty: nothing); `address`: where that is done."""

    name: Text
    tone: str
    what: Text
    fix: Text = _NOTHING
    address: str = ""


def router(front: Front) -> APIRouter:
    """The page of health."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/health")
    async def health(request: Request, visitor: Admin) -> Response:
        now = front.clock.now()

        def read() -> dict[str, Any]:
            same_schema = upgrade.is_current(front.store.engine)
            with front.store.reading() as tx:
                found = backlog(tx)
                holder = runs.holder_of(tx, LEASE)
                return {
                    "signs": list(signs(front.config, found, now, same_schema=same_schema)),
                    "finished": sorted(((job_name(job), at) for job, at in found.finished.items()), key=lambda x: x[1]),
                    "busy": holder is not None and holder[1] > now,
                    "size": size(tx),
                }

        found = await front.work(read)
        worst = max((sign.tone for sign in found["signs"]), key=(WELL, LOOK, TROUBLE).index)
        return await pages_of(request).show(
            request,
            "admin/health.html",
            visitor,
            worst=worst,
            tones=TONES,
            version=__version__,
            database="PostgreSQL" if front.store.engine.dialect.name == "postgresql" else "SQLite",
            **found,
        )

    return routes


def signs(config: Config, found: Backlog, now: dt.datetime, *, same_schema: bool) -> Iterator[Sign]:
    """What tells whether all is well."""
    yield _schema(same_schema)
    yield _rounds(config, found, now)
    yield _night(config, found, now)
    yield _writes(found, now)
    yield _problems(found)
    yield from _hooks(found, now)
    yield from _unconfirmed(config)


def _schema(is_same: bool) -> Sign:
    name = Text("Database", "数据库")
    if is_same:
        return Sign(name, WELL, Text("It can be reached and has our schema.", "可访问，结构版本一致。"))
    return Sign(
        name,
        TROUBLE,
        Text("It has another schema than this version of the program.", "数据库结构与程序版本不一致。"),
        Text("Restart all processes with one version.", "请以同一版本重启所有进程。"),
    )


def _rounds(config: Config, found: Backlog, now: dt.datetime) -> Sign:
    name = Text("Regular rounds", "定期运行")
    last = max((at for job, at in found.finished.items() if job in ("pull", "evaluate")), default=None)
    if not config.systems:
        what = Text("No system is connected yet.", "尚未连接任何系统。")
        return Sign(name, LOOK, what, Text("Connect one.", "请连接系统。"), "/admin/first-steps")
    if last is None:
        what = Text("Nothing has been run yet.", "尚未运行。")
        return Sign(name, LOOK, what, Text("Begin the first run.", "请启动首次运行。"), "/admin/runs")
    late = now - last > 3 * dt.timedelta(minutes=config.schedule.every_minutes)
    what = Text("The last one ended {minutes:minute|minutes} ago.", "最近一次在 {minutes} 分钟前结束。").fill(
        minutes=int((now - last).total_seconds() // 60)
    )
    if not late:
        return Sign(name, WELL, what)
    fix = Text(
        "Is a process with jobs up (holdfast serve)? Its log says why it waits.",
        "执行作业的进程（holdfast serve）是否在运行？原因见其日志。",
    )
    return Sign(name, TROUBLE, what, fix, "/admin/runs")


def _night(config: Config, found: Backlog, now: dt.datetime) -> Sign:
    name = Text("Nightly run", "夜间运行")
    last = found.finished.get("housekeeping")
    if last is None:
        return Sign(
            name, LOOK, Text("There was none yet.", "尚未执行。"), Text("It comes by itself.", "到时自动执行。")
        )
    hours = int((now - last).total_seconds() // 3600)
    what = Text("The last one ended {hours:hour|hours} ago.", "最近一次在 {hours} 小时前结束。").fill(hours=hours)
    if hours < 27:
        return Sign(name, WELL, what)
    return Sign(name, TROUBLE, what, Text("Look at its run.", "请查看运行记录。"), "/admin/runs?job=housekeeping")


def _writes(found: Backlog, now: dt.datetime) -> Sign:
    name = Text("Writes into systems", "写入各系统")
    parked = found.outbox.get("parked", 0)
    waiting = found.outbox.get("owed", 0) + found.outbox.get("claimed", 0)
    if parked:
        what = Text("{count:write is|writes are} refused over there.", "有 {count} 项被对方拒绝。").fill(count=parked)
        return Sign(name, TROUBLE, what, Text("Mend the cause, then try again.", "请消除原因后重试。"), "/admin/outbox")
    if found.owed_since is not None and now - found.owed_since > dt.timedelta(minutes=30):
        what = Text(
            "{count:write waits|writes wait}, the oldest for more than half an hour.",
            "有 {count} 项等待，最早的已超过半小时。",
        ).fill(count=waiting)
        return Sign(name, LOOK, what, Text("Can the system be reached?", "对方系统是否可访问？"), "/admin/outbox")
    if not waiting:
        return Sign(name, WELL, Text("Nothing waits.", "无等待项。"))
    return Sign(name, WELL, Text("{count:write is|writes are} on the way.", "{count} 项正在写入。").fill(count=waiting))


def _problems(found: Backlog) -> Sign:
    name = Text("Data", "数据")
    if not found.problems:
        return Sign(name, WELL, Text("Nothing is wrong with it.", "未发现问题。"))
    what = Text("{count:problem|problems}.", "有 {count} 个问题。").fill(count=found.problems)
    return Sign(name, LOOK, what, Text("See by cause what mends them.", "可按原因查看处理办法。"), "/admin/problems")


def _unconfirmed(config: Config) -> Iterator[Sign]:
    names = [one.name or one.id for one in config.people if one.person.resting]
    if names:
        what = Text("To be confirmed by a second person: {names}.", "待第二人确认：{names}。").fill(
            names=", ".join(names)
        )
        fix = Text("Ask them, and confirm.", "请向本人核实后确认。")
        yield Sign(Text("People", "人员"), LOOK, what, fix, "/admin/people")


def _hooks(found: Backlog, now: dt.datetime) -> Iterator[Sign]:
    if found.hooks_since is not None and now - found.hooks_since > dt.timedelta(minutes=10):
        what = Text("{count:call waits|calls wait} to be heeded.", "有 {count} 条通知待处理。").fill(
            count=sum(found.hooks.values())
        )
        fix = Text("Is a process with jobs up?", "执行作业的进程是否在运行？")
        yield Sign(Text("Webhooks", "Webhook"), LOOK, what, fix, "/admin/runs")
    for system, until in sorted(found.promised.items()):
        name = Text("Webhooks of {system}", "{system} 的 Webhook").fill(system=system)
        if until <= now:
            yield Sign(
                name,
                LOOK,
                Text("They have run out; it is polled meanwhile.", "订阅已到期；目前以轮询代替。"),
                Text("holdfast hook renew", "holdfast hook renew"),
                f"/admin/systems/{system}",
            )
        elif until - now < _SOON:
            what = Text("They are renewed within a day.", "将在一天内续订。")
            yield Sign(name, WELL, what)
        else:
            yield Sign(name, WELL, Text("Promised until {day}.", "有效期至 {day}。").fill(day=until.date().isoformat()))
