"""The desk's simulator: two policies over the company's own past, side by side; worked out beside the service, kept, shared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from connector.clock import day_in
from connector.credit.authority import ROLE_NAMES
from connector.credit.hold_words import rule
from connector.credit.terms import months_later
from connector.errors import ConfigError, Missing
from connector.policy_shown import Change, changes
from connector.store import calculations, documents
from connector.store.calculations import Calculation
from connector.store.documents import Version
from connector.text import Text, joined
from connector.web import charts
from connector.web.actors import who
from connector.web.charts import decimal
from connector.web.desk_portfolio import calculating
from connector.web.export import FORMS, Column, exported
from connector.web.fields import Fields
from connector.web.front import Front
from connector.web.pages import language_of, pages_of
from connector.web.problem import Refused
from connector.web.rights import Right
from connector.web.session import Visitor, form_of, visits
from jobs import policy as policies
from jobs import simulation_kept
from jobs.policy import Chosen
from jobs.simulate import ASSUMPTIONS, LATE_DAYS
from jobs.simulation_words import AMOUNTS, NAMES, SHORT

# Who may have one worked out: whoever decides, proposes, or sets the rules. Looking at one needs no more than to read.
MAKES: tuple[Right, ...] = ("credit", "decide", "configure")
_VERSIONS_MOST = 50
_CHANGES_MOST = 60
CHARTS = ("held", "missed", "work")
_DRAFT_MOST = 200_000
_NONE = Text("There is no simulation {number}.", "没有编号为 {number} 的模拟。")
_NO_CHART = Text("There is no such chart.", "没有该图表。")
_NOT_YOURS = Text(
    "Only whoever decides on credit, proposes limits or sets the policy has a simulation worked out.",
    "仅限审批授信、提出额度或维护政策的人员运行模拟。",
)
_BEGUN = Text("The simulation is being worked out.", "正在运行模拟。")
_THERE = Text("This question was answered before: here it is.", "该模拟此前已运行，结果如下。")
_OLD = Text("before: {name}", "对比：{name}")
_NEW = Text("tried: {name}", "试用：{name}")


def router(front: Front) -> APIRouter:
    """The pages of simulations."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/simulator")
    async def simulator_page(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        return await _form(front, request, visitor, dict(request.query_params))

    @routes.post("/desk/simulator")
    async def ask(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        if not any(visitor.may(right) for right in MAKES):
            raise Refused(403, _NOT_YOURS)
        given = await form_of(request)
        fields = Fields(given)
        first, last = fields.day("first", needed=True), fields.day("last", needed=True)
        late = fields.number("late", 0, 3650, LATE_DAYS)
        draft = given.get("draft", "").replace("\r\n", "\n")
        if len(draft) > _DRAFT_MOST:
            fields.wrong["draft"] = Text("At most {most} characters.", "不得超过 {most} 个字符。").fill(
                most=_DRAFT_MOST
            )

        def work() -> tuple[Calculation, bool]:
            assert first is not None
            assert last is not None
            with front.store.reading() as tx:
                both = []
                for side in ("old", "new"):
                    try:
                        both.append(simulation_kept.subject(tx, front.config, given.get(side, "active"), draft))
                    except ConfigError as wrong:
                        fields.wrong["draft" if given.get(side) == "draft" else side] = wrong.user
            if fields.wrong:
                raise ConfigError(next(iter(fields.wrong.values())))
            with front.store.writing() as tx:
                made = simulation_kept.ask(
                    tx, front.config, front.clock, both[0], both[1], first, last, visitor.caller.actor,
                    late_days=LATE_DAYS if late is None else late,
                )  # fmt: skip
                return made, made.made_at is not None

        if fields.wrong:
            return await _form(front, request, visitor, given, fields.wrong)
        try:
            made, answered = await front.work(work)
        except ConfigError as wrong:
            return await _form(front, request, visitor, given, fields.wrong or {"": wrong.user})
        calculating(request).begin()
        say = _THERE if answered else _BEGUN
        return pages_of(request).moved(request, f"/desk/simulator/{made.id}", say, visitor=visitor, tone="note")

    @routes.get("/desk/simulator/{number:int}")
    async def one_page(request: Request, number: int, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        one, different, waits = await front.work(lambda: _one(front, number))
        if waits:
            calculating(request).begin()
        form, result, names = request.query_params.get("as", ""), one.result, _names(one)
        if form in FORMS and result:
            return exported(request, f"simulation-{number}", _columns(names), _rows(result), form, visitor)
        return await pages_of(request).show(
            request, "desk/simulation.html", visitor,
            one=one, result=result, asked=one.asked, names=names, different=different[:_CHANGES_MOST],
            more=max(0, len(different) - _CHANGES_MOST), rows=_rows(result) if result else [],
            charts=charts.of_simulation(result, names) if result and result["months"] else {}, order=CHARTS,
            amounts=AMOUNTS, short=SHORT, decimal=decimal, day_of=dt.date.fromisoformat, text=Text, rules=_rules,
            who=lambda actor: who(front.config, actor), assumptions=ASSUMPTIONS, figures=NAMES,
            stamp=one.made_at.timestamp() if one.made_at else 0,
        )  # fmt: skip

    @routes.get("/desk/simulator/{number:int}/charts/{name}.svg")
    async def chart(
        request: Request, number: int, name: str, visitor: Annotated[Visitor, Depends(visits("read"))]
    ) -> Response:
        one, _, _ = await front.work(lambda: _one(front, number, compare=False))
        result = one.result
        drawn = charts.of_simulation(result, _names(one)).get(name) if result and result["months"] else None
        if drawn is None:
            raise Refused(404, _NO_CHART)
        language, look = language_of(request, visitor), request.query_params.get("look", "light")
        return await front.work(lambda: charts.svg(drawn, language, look))

    return routes


async def _form(
    front: Front,
    request: Request,
    visitor: Visitor,
    given: Mapping[str, str],
    wrong: Mapping[str, Text] | None = None,
) -> Response:
    def find() -> tuple[list[Version], int | None, list[Calculation], str]:
        with front.store.reading() as tx:
            begin = given.get("begin", "")
            text = simulation_kept.subject(tx, front.config, begin).text if begin and begin != "draft" else ""
            versions = documents.versions(tx, documents.POLICY, documents.THE_POLICY)[:_VERSIONS_MOST]
            used = documents.active(tx, documents.POLICY, documents.THE_POLICY)
            made = calculations.newest(tx, simulation_kept.KIND)
            return versions, used.number if used else None, made, text

    versions, used, made, text = await front.work(find)
    today = day_in(front.clock.now(), front.config.business.time_zone)
    return await pages_of(request).show(
        request, "desk/simulator.html", visitor, status=422 if wrong else 200,
        versions=versions, used=used, made=made, given=given, draft=given.get("draft", "") or text, wrong=wrong or {}, late=LATE_DAYS, names_of=_told,
        first=months_later(today, -12).isoformat(), last=today.isoformat(), day_of=dt.date.fromisoformat,
        may=any(visitor.may(right) for right in MAKES), who=lambda actor: who(front.config, actor),
    )  # fmt: skip


def _one(front: Front, number: int, compare: bool = True) -> tuple[Calculation, list[Change], bool]:
    with front.store.reading() as tx:
        found = calculations.get(tx, number, simulation_kept.KIND) if number < 2**53 else None
        if found is None:
            raise Missing(_NONE.fill(number=number))
        waits = calculations.waits(tx, front.clock.now())
    different: list[Change] = []
    if compare:
        old, new = (Chosen(one["text"], one["name"], Text("", "")) for one in (found.asked["old"], found.asked["new"]))
        # One that was written for another version of this program cannot be read; what came out stands.
        with suppress(ConfigError):
            different = changes(old.loaded(), new.loaded())
    return found, different, waits


def _names(one: Calculation) -> tuple[Text, Text]:
    old, new = one.asked["old"], one.asked["new"]
    return _OLD.fill(name=_short(old["name"])), _NEW.fill(name=_short(new["name"]))


def _told(one: Calculation) -> tuple[Text, Text]:
    """Both policies as people tell them apart: versions by number, author and day."""
    old, new = (Text(side["en"], side["zh"]) for side in (one.asked["old"], one.asked["new"]))
    return _OLD.fill(name=old), _NEW.fill(name=new)


def _short(name: str) -> Text:
    """A policy in as few words as the head of a column has room for."""
    if name == policies.shipped().name:
        return Text("shipped policy", "自带政策")
    if name == "draft":
        return Text("draft", "草稿")
    before, _, number = name.partition("policy@")
    return Text("version {number}", "版本 {number}").fill(number=number) if number and not before else Text(name, name)


def _rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a figure, then one a role: both policies, and by how much they differ."""
    if not result["sides"]:
        return []
    old, new = result["sides"]
    rows: list[dict[str, Any]] = [
        {"key": key, "what": name, "old": decimal(old["total"][key]), "new": decimal(new["total"][key])}
        for key, name in NAMES.items()
        if Decimal(old["total"][key]) or Decimal(new["total"][key])
    ]
    work = Text("all work of: {role}", "工作量合计：{role}")
    for role, name in ROLE_NAMES.items():
        mine, theirs = old["roles"].get(role, 0), new["roles"].get(role, 0)
        if mine or theirs:
            rows.append(
                {"key": f"role_{role}", "what": work.fill(role=name), "old": Decimal(mine), "new": Decimal(theirs)}
            )
    return [row | {"more": row["new"] - row["old"]} for row in rows]


def _columns(names: tuple[Text, Text]) -> list[Column]:
    return [
        Column("what", Text("figure", "指标")),
        Column("old", names[0]),
        Column("new", names[1]),
        Column("more", Text("difference", "差异")),
    ]


def _rules(names: list[str]) -> Text:
    return joined([rule(name) for name in names], ", ", "、")
