"""The credit policy on pages: the one in force in words and as text, the editor that checks as one types, trying, history.

A draft lives in the form until it is saved. Trying judges today's customers by the draft and by the policy in force and
writes nothing. Activating goes through the approval matrix: whoever it still needs is told, and his approval is this same
button, pressed by him.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from connector import policy as policies
from connector.clock import day_in
from connector.errors import ConfigError, Missing, Problem
from connector.policy_shown import changes
from connector.store import documents
from connector.store.documents import POLICY, THE_POLICY
from connector.text import Text
from connector.toml_text import toml_of
from connector.web import differing
from connector.web.administrator import Admin, acting
from connector.web.fields import is_number
from connector.web.front import Front
from connector.web.pages import pages_of
from connector.web.session import Visitor, form_of
from jobs import policy as in_use
from jobs.overtaken import Overtaken, not_overtaken
from jobs.policy_trial import Trial, tried
from jobs.trial_words import TURNED, counted, state, why

_LONGEST = 200_000
_SHOWN = 30
_SAVED = Text("Version {number} is kept; nothing is in force by that.", "已保存为版本 {number}，尚未启用。")
_IN_FORCE = Text("In force from the next run on.", "自下次运行起生效。")
_NEEDS = Text(
    "Version {number} is kept. It needs the approval of {whom} before it is in force.",
    "已保存为版本 {number}。须由{whom}批准后方可生效。",
)
_NOT_TOML = Text("The text is not valid TOML; mend that first.", "文本不是合法的 TOML，请先修正。")
# What each section of the document settles, in the order in which people read it.
SECTIONS: tuple[tuple[str, Text], ...] = (
    ("score", Text("How customers are scored and graded", "客户评分与评级")),
    ("limit", Text("How limits are proposed", "信用额度测算")),
    ("exposure", Text("What counts as exposure", "风险敞口口径")),
    ("ageing", Text("How receivables are aged", "账龄口径")),
    ("warning", Text("When customers are warned of", "早期预警")),
    ("hold", Text("When orders are held, and released", "订单冻结与放行")),
    ("dunning", Text("How overdue debts are collected", "逾期催收")),
    ("review", Text("When customers are reviewed", "定期复评")),
    ("approval", Text("Who may approve what", "审批权限")),
    ("ecl", Text("What is provided for losses", "预期信用损失")),
    ("segment", Text("What is different for which customers", "分客群规则")),
)


@dataclass
class Draft:
    """What stands in the editor's form; `seen` is the newest version when it was opened."""

    text: str
    seen: int
    note: str = ""


def router(front: Front) -> APIRouter:
    """The pages of the policy."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/admin/policy")
    async def editor(request: Request, visitor: Admin, version: str = "") -> Response:
        def read() -> Draft:
            with front.store.reading() as tx:
                kept = documents.versions(tx, POLICY, THE_POLICY)
                if is_number(version):
                    text = documents.version(tx, POLICY, THE_POLICY, int(version)).text
                elif version == "shipped":
                    text = in_use.shipped().text
                else:
                    text = in_use.chosen(tx, front.config).text
            return Draft(text, kept[0].number if kept else 0)

        return await _edited(request, visitor, await front.work(read))

    async def _edited(
        request: Request,
        visitor: Visitor,
        draft: Draft,
        *,
        wrong: Text | None = None,
        status: int = 200,
        against: str | None = None,
    ) -> Response:
        def look() -> dict[str, Any]:
            with front.store.reading() as tx:
                chosen = in_use.chosen(tx, front.config)
            made, problems = policies.read(draft.text, "policy.toml")
            old = None
            if made is not None:
                try:
                    old = chosen.loaded()
                except ConfigError:
                    old = None
            return {
                "chosen": chosen,
                "problems": [(line_of(draft.text, one), one) for one in problems],
                "settings": changes(old, made) if made is not None and old is not None else [],
                "lines": differing.lines(against or chosen.text, draft.text),
            }

        found = await front.work(look)
        return await pages_of(request).show(
            request,
            "admin/policy.html",
            visitor,
            status=status,
            draft=draft,
            wrong=wrong,
            sections=SECTIONS,
            **found,
        )

    @routes.post("/admin/policy/check")
    async def check(request: Request, visitor: Admin) -> Response:
        return await _edited(request, visitor, await _draft(request))

    @routes.post("/admin/policy/try")
    async def attempt(request: Request, visitor: Admin) -> Response:
        draft = await _draft(request)

        def run() -> Trial | None:
            made = policies.read(draft.text, "policy.toml")[0]
            if made is None:
                return None
            day = day_in(front.clock.now(), front.config.business.time_zone)
            with front.store.reading() as tx:
                old = in_use.in_force(tx, front.config)
                return tried(tx, front.config, old, made, front.clock, day)

        trial = await front.work(run)
        if trial is None:
            return await _edited(request, visitor, draft, status=422)
        return await pages_of(request).show(
            request,
            "admin/policy_trial.html",
            visitor,
            draft=draft,
            trial=trial,
            rows=counted(trial),
            turned=TURNED,
            state=state,
            why=why,
            most=_SHOWN,
        )

    @routes.post("/admin/policy/save")
    async def save(request: Request, visitor: Admin) -> Response:
        draft, use = await _draft(request), (await form_of(request)).get("act") == "use"
        person, now = acting(visitor), front.clock.now()

        def keep() -> tuple[int, Text | None]:
            with front.store.writing() as tx:
                kept = documents.versions(tx, POLICY, THE_POLICY)
                not_overtaken(kept, draft.seen)
                made = in_use.save(tx, draft.text, person=person, now=now, note=draft.note)
                if not use:
                    return made.number, _SAVED.fill(number=made.number)
                done = in_use.activate(tx, front.config, in_use.kept(made), person=person, now=now, note=draft.note)
                return made.number, done.missing and _NEEDS.fill(number=made.number, whom=done.missing)

        if policies.read(draft.text, "policy.toml")[0] is None:
            return await _edited(request, visitor, draft, status=422)
        try:
            _, say = await front.work(keep)
        except Overtaken as other:
            draft.seen = other.newest.number
            return await _edited(request, visitor, draft, wrong=other.user, status=409, against=other.newest.text)
        except ConfigError as wrong:
            return await _edited(request, visitor, draft, wrong=wrong.user, status=422)
        front.wake.set()
        return pages_of(request).moved(
            request, "/admin/policy/history", say or _IN_FORCE, tone="ok" if say is None else "note", visitor=visitor
        )

    @routes.get("/admin/policy/history")
    async def history(request: Request, visitor: Admin, old: str = "", new: str = "") -> Response:
        def read() -> dict[str, Any]:
            with front.store.reading() as tx:
                versions = documents.versions(tx, POLICY, THE_POLICY)
                known = {v.number: v for v in versions}
                chosen = in_use.chosen(tx, front.config)
                second = known.get(int(new)) if is_number(new) else (versions[0] if versions else None)
                first = known.get(int(old)) if is_number(old) else None
                if second is not None and first is None:
                    first = known.get(second.number - 1)
                before = first.text if first else chosen.text
                return {
                    "chosen": chosen,
                    "versions": versions,
                    "journal": documents.activations(tx, POLICY, THE_POLICY),
                    "first": first,
                    "second": second,
                    "lines": differing.lines(before, second.text) if second else [],
                }

        found = await front.work(read)
        return await pages_of(request).show(request, "admin/policy_history.html", visitor, **found)

    @routes.post("/admin/policy/activate")
    async def activate(request: Request, visitor: Admin) -> Response:
        given = await form_of(request)
        wanted = given.get("version", "")
        if not (wanted == "file" or is_number(wanted)):
            raise Missing(Text("There is no such version.", "没有该版本。"))

        def put() -> Text | None:
            with front.store.writing() as tx:
                number = None if wanted == "file" else int(wanted)
                new = None if number is None else in_use.kept(documents.version(tx, POLICY, THE_POLICY, number))
                done = in_use.activate(
                    tx, front.config, new, person=acting(visitor), now=front.clock.now(), note=given.get("note", "")[:500]
                )  # fmt: skip
                return done.missing and _NEEDS.fill(number=wanted, whom=done.missing)

        say = await front.work(put)
        front.wake.set()
        return pages_of(request).moved(
            request, "/admin/policy/history", say or _IN_FORCE, tone="ok" if say is None else "note", visitor=visitor
        )

    @routes.get("/admin/policy/export")
    async def export(request: Request, visitor: Admin, version: str = "") -> Response:
        def read() -> str:
            with front.store.reading() as tx:
                if is_number(version):
                    return documents.version(tx, POLICY, THE_POLICY, int(version)).text
                return in_use.chosen(tx, front.config).text

        text = await front.work(read)
        name = f"policy-{int(version)}.toml" if is_number(version) else "policy.toml"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(text.encode(), 200, headers, "application/toml; charset=utf-8")

    return routes


async def _draft(request: Request) -> Draft:
    given = await form_of(request)
    text = given.get("text", "").replace("\r\n", "\n")
    if len(text) > _LONGEST:
        raise ConfigError(Text("The text is too long.", "文本过长。"))
    seen = given.get("seen", "")
    return Draft(text, int(seen) if is_number(seen) else 0, given.get("note", "")[:500].strip())


def line_of(text: str, problem: Problem) -> int | None:
    """The line of the text on which a problem's setting stands, as far as it can be told; None: nowhere, or the text as a
    whole cannot be read."""
    _, _, line = problem.where.rpartition(":")
    if line.isdecimal():
        return int(line)
    path = problem.field.split(".")
    try:
        toml_of(text, float)
    except tomllib.TOMLDecodeError:
        return None
    table: list[str] = []
    entries: dict[str, int] = {}
    found: int | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        said = raw.split("#")[0].strip()
        if said.startswith("["):
            name = said.strip("[] ")
            table = name.split(".")
            if said.startswith("[["):
                entries[name] = entries.get(name, 0) + 1
                table = [*table, str(entries[name])]
            if path[: len(table)] == table:
                found = number
        elif "=" in said:
            here = [*table, *said.split("=")[0].strip().strip("\"'").split(".")]
            if path == here or (path[: len(here)] == here and len(here) > len(table)):
                return number
    return found
