"""Periodic review 定期复评: when a customer is looked at next, and what pulls that day forward (domain 13).

`next = last review + months(risk class)`, clamped to the month's end; an event pulls it forward, `min(next, event + days)`.
Nothing pushes it back but a review that was finished.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connector.credit.terms import months_later
from connector.policy_review import Happening, Paper, Required, Review
from connector.policy_section import LEVELS, Level
from connector.text import Text, joined

RANK = {level: rank for rank, level in enumerate(LEVELS)}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a customer looked like when its review was last planned; what is worse now has happened since.

    `grade` None: no score. `over`: exposure exceeded the limit. `told` are the events that were known then, by their ids,
    None where that was not kept: a court case becomes known long after its day.
    """

    level: Level = "green"
    grade: str | None = None
    over: bool = False
    told: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that pulls a review forward, and the day it happened."""

    what: Happening
    on: dt.date


@dataclass(frozen=True, slots=True)
class Due:
    """The day of the next review and why it is that day: `class` (the calendar) or what pulled it forward."""

    on: dt.date
    why: str


def months_of(seen: Seen, rules: Review) -> int:
    """Months between two reviews of a customer: the fewest of its risk classes."""
    mine = [row.months for row in rules.every if row.level == seen.level or (row.grade and row.grade == seen.grade)]
    if seen.grade is None:
        mine.append(rules.months_ungraded)
    return min(mine, default=rules.months_ungraded)


def by_calendar(last_on: dt.date | None, new_on: dt.date, seen: Seen, rules: Review) -> Due:
    """The day that the risk class asks for; `new_on` is since when a customer that was never reviewed is known."""
    months = months_of(seen, rules)
    if last_on is None:
        return Due(months_later(new_on, min(months, rules.first_after_months)), "class")
    return Due(months_later(last_on, months), "class")


def worse(before: Seen, now: Seen, on: dt.date, grades: Sequence[str]) -> list[Happened]:
    """What has become worse between two looks; `grades` are the bands, best first."""
    found = []
    if RANK[now.level] > RANK[before.level] and now.level in ("orange", "red"):
        found.append(Happened("level_red" if now.level == "red" else "level_orange", on))
    if before.grade in grades and now.grade in grades and grades.index(now.grade) > grades.index(before.grade):
        found.append(Happened("grade_worse", on))
    if now.over and not before.over:
        found.append(Happened("over_limit", on))
    return found


def pulled(due: Due, happened: Iterable[Happened], rules: Review) -> Due:
    """The same review, no later than any of these allows."""
    for one in happened:
        days = rules.days_after(one.what)
        if days is not None and (latest := one.on + dt.timedelta(days=days)) < due.on:
            due = Due(latest, one.what)
    return due


def is_overdue(due_on: dt.date, as_of: dt.date, grace_days: int) -> bool:
    """Whether a review is later than its grace, so that orders may be held: `next + grace < today`."""
    return due_on + dt.timedelta(days=grace_days) < as_of


# --- what the file must hold ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OnFile:
    """A paper in the credit file. `dated_on` is its own date, `valid_to` the last day it says it is good for."""

    paper: Paper
    dated_on: dt.date
    valid_to: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Lacking:
    """A required paper that is not there, or not good any more since a day."""

    paper: Paper
    since: dt.date | None = None

    @property
    def text(self) -> Text:
        name = PAPERS[self.paper]
        return _MISSING.fill(paper=name) if self.since is None else _EXPIRED.fill(paper=name, on=self.since)


def lacking(held: Collection[OnFile], limit: Decimal | None, rules: Review, as_of: dt.date) -> list[Lacking]:
    """What the file of a customer lacks on a day; `limit` in the reporting currency, None: unlimited, which asks for all.

    Of several papers of a kind the one that is good longest counts.
    """
    found = []
    for row in rules.required:
        if limit is not None and (limit <= 0 or limit < row.from_limit):
            continue
        ends = [_good_to(one, row) for one in held if one.paper == row.paper and one.dated_on <= as_of]
        last = max(ends, default=None)
        if last is None:
            found.append(Lacking(row.paper))
        elif last < as_of:
            found.append(Lacking(row.paper, last + dt.timedelta(days=1)))
    return found


def _good_to(one: OnFile, row: Required) -> dt.date:
    """The last day on which a paper counts."""
    aged = months_later(one.dated_on, row.months) if row.months is not None else dt.date.max
    return min(aged, one.valid_to or dt.date.max)


def unanswered(answers: Mapping[str, str], rules: Review) -> list[Text]:
    """The required points of the checklist that nobody has answered."""
    return [point.text for point in rules.check if point.required and not answers.get(point.id, "").strip()]


# --- words ---------------------------------------------------------------------------------------------------------------
PAPERS: dict[Paper, Text] = {
    "application": Text("credit application", "授信申请表"),
    "licence": Text("business licence", "营业执照"),
    "contract": Text("contract", "合同"),
    "reference": Text("bank or trade reference", "资信证明"),
    "bureau_report": Text("credit bureau report", "征信报告"),
    "security": Text("guarantee or pledge", "担保文件"),
    "insurance": Text("credit insurance policy", "信用保险单"),
    "site_visit": Text("notes of a visit", "走访记录"),
    "demand": Text("demand with proof of delivery", "催款函及送达凭证"),
    "decision": Text("decision", "审批文件"),
    "other": Text("other paper", "其他资料"),
}
WHY: dict[str, Text] = {
    "class": Text("the calendar of its risk class", "按风险等级的复评周期"),
    "level_orange": Text("its warning level became orange", "预警升至橙色"),
    "level_red": Text("its warning level became red", "预警升至红色"),
    "limit_request": Text("a limit was asked for", "有额度申请"),
    "grade_worse": Text("its grade got worse", "评分等级下降"),
    "insurer": Text("the insurer cut or withdrew cover", "保险公司调减或撤销保额"),
    "registry": Text("an entry in the enterprise register", "企业登记信息出现异常记录"),
    "court": Text("a court case", "涉诉或被执行"),
    "asked": Text("it was asked for", "人工发起"),
    "over_limit": Text("exposure came to exceed the limit", "占用超过额度"),
}
CONCLUSIONS: dict[str, Text] = {
    "keep": Text("keep the limit", "维持额度"),
    "raise": Text("raise the limit", "调增额度"),
    "cut": Text("cut the limit", "调减额度"),
    "stop": Text("stop credit", "停止授信"),
}
_MISSING = Text("{paper} is not on file", "缺少{paper}")
_EXPIRED = Text("{paper} on file is not valid since {on}", "{paper}自 {on} 起失效")


def listed(what: Sequence[Lacking]) -> Text:
    """Several lacking papers in one sentence."""
    return joined([one.text for one in what])
