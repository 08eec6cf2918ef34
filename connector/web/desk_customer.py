"""A customer's page at the desk: how it stands at a glance, and everything behind it, tab by tab.

It is found by system and id and by nothing else; an account of another system leads to the customer of the ledger that it is
linked to. What speaks of persons is masked here as it is over the API, until somebody who may says what for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.clock import day_in
from connector.credit.terms import terms_text
from connector.errors import Missing, NotAllowed
from connector.policy import Policy
from connector.store import Connection, contacts, customers, exclusions, positions, reviews
from connector.store.customers import CustomerRow
from connector.text import Text
from connector.web import desk_customer_tabs as tabs
from connector.web.desk_customers import TONES, address_of
from connector.web.export import FORMS, exported
from connector.web.form_once import once_field
from connector.web.front import Front
from connector.web.guards import PAPERS as WHERE
from connector.web.pages import pages_of
from connector.web.session import Visitor, form_of, visits
from jobs import customer_answer, panel
from jobs.contact_words import KINDS as CONTACT_KINDS
from jobs.contact_words import RESULTS as CONTACT_RESULTS
from jobs.customer_answer import NOBODY
from jobs.customer_figures import Course, Paying, course, paying
from jobs.frame import Frame, frame
from jobs.judge import Judged, judge
from jobs.panel_launch import Look
from jobs.personal import NOT_YOURS, looked, may_see
from jobs.timeline import timeline
from jobs.warned import thorough

TABS: Mapping[str, Callable[[tabs.Asked], dict[str, Any]]] = {
    "documents": tabs.documents,
    "orders": tabs.orders,
    "file": tabs.file,
    "score": tabs.score,
    "warnings": tabs.warnings,
    "changes": tabs.changes,
    "papers": tabs.papers,
}
# The panel's tones as those of pages.
_TONES = {"good": "ok", "watch": "note", "warn": "warn", "alarm": "bad", "stop": "bad", "unknown": "idle"}
_CONTACTS = 5


def router(front: Front) -> APIRouter:
    """The page of one customer."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk/customers/{system}/{customer:path}")
    async def one(
        request: Request,
        system: str,
        customer: str,
        visitor: Annotated[Visitor, Depends(visits("read"))],
        tab: Annotated[str, Query(max_length=20)] = "",
        form: Annotated[str, Query(alias="as", max_length=4)] = "",
    ) -> Response:
        return await shown(front, request, visitor, system, customer, tab, dict(request.query_params), form)

    @routes.post("/desk/personal")
    async def personal(request: Request, visitor: Annotated[Visitor, Depends(visits("read"))]) -> Response:
        given = await form_of(request)
        system, customer, why = given.get("system", ""), given.get("customer", ""), given.get("why", "").strip()
        part = {name: given.get(name, "") for name in ("kind", "after")}
        if not why:
            wrong = {"why": Text("Say what for.", "请说明用途。")}
            return await shown(front, request, visitor, system, customer, "file", part, wrong=wrong, status=422)

        if not may_see(visitor.caller.roles):
            raise NotAllowed(NOT_YOURS)

        def look() -> None:
            with front.store.writing() as tx:
                row = found(tx, system, customer)
                lines = timeline(tx, row.debtor, front.config.business.time_zone) if row.debtor is not None else []
                looked(tx, row, visitor.caller.actor, why[:1000], sum(one.personal for one in lines), front.clock.now())

        await front.work(look)
        return await shown(front, request, visitor, system, customer, "file", part, personal=True)

    return routes


async def shown(
    front: Front,
    request: Request,
    visitor: Visitor,
    system: str,
    customer: str,
    tab: str = "",
    asked: Mapping[str, str] | None = None,
    form: str = "",
    *,
    wrong: Mapping[str, Text] | None = None,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
    personal: bool = False,
) -> Response:
    """The page; `wrong` and `typed` are of a form on it that was not taken."""
    asked = asked or {}
    row, elsewhere = await front.work(lambda: _row(front, system, customer))
    if elsewhere:
        return RedirectResponse(address_of(row) + (f"?tab={tab}" if tab in TABS else ""), 303)
    chosen = tab if tab in TABS else ""
    values = await front.work(lambda: _values(front, visitor, row, chosen, asked, personal))
    if form in FORMS and values.get("exports") is not None:
        columns, rows = values["exports"]
        return exported(request, f"{chosen}-{row.ref}", columns, rows, form, visitor)
    return await pages_of(request).show(
        request,
        "desk/customer.html" if not chosen else f"desk/customer_{chosen}.html",
        visitor,
        status=status,
        tab=chosen,
        here_is=address_of(row),
        wrong=wrong or {},
        typed=typed or {},
        once=once_field,
        contact_kinds=CONTACT_KINDS,
        contact_results=CONTACT_RESULTS,
        paper_at=lambda number: f"{WHERE}/{number}/{quote(row.system, safe='')}/{quote(row.ref, safe='')}",
        tones=TONES,
        look_tones=_TONES,
        **values,
    )


def found(tx: Connection, system: str, customer: str) -> CustomerRow:
    """The customer of a system by its id there. Raises Missing."""
    rows = [
        r for r in customers.customers(tx, systems=[system], refs={customer}) if (r.system, r.ref) == (system, customer)
    ]
    if not rows:
        raise Missing(NOBODY.fill(wanted=f"{system}/{customer}"))
    return rows[0]


def ledger_row(tx: Connection, front: Front, row: CustomerRow) -> CustomerRow:
    """The customer of the ledger that an account is: itself, or the one it is linked to. Raises Missing."""
    erps = [s.name for s in front.config.with_role("erp")]
    if row.system in erps:
        return row
    own = [r for r in customers.customers(tx, systems=erps, debtors=[row.debtor]) if r.known] if row.debtor else []
    if not own:
        raise Missing(customer_answer.NOT_LINKED.fill(ref=row.ref))
    return own[0]


def _row(front: Front, system: str, customer: str) -> tuple[CustomerRow, bool]:
    with front.store.reading() as tx:
        row = found(tx, system, customer)
        own = ledger_row(tx, front, row)
    return own, own.key != row.key


def _values(
    front: Front, visitor: Visitor, row: CustomerRow, tab: str, asked: Mapping[str, str], personal: bool
) -> dict[str, Any]:
    policy = front.policy()
    with front.store.reading() as tx:
        at = _judged(tx, front, policy, row)
        # Only the overview tells everything; the other tabs have the head of it.
        viewer = panel.Viewer(visitor.caller.actor, visitor.caller.person, not tab, visitor.may("request"))
        look = Look(row.system, "customer", "customer", row.ref, "")
        aged = course(tx, *at) if at is not None and not tab else None
        sheet = panel.panel(tx, front.config, policy, front.clock, look, viewer, at, aged)
        values: dict[str, Any] = {"row": row, "sheet": sheet, "by": lambda actor: said_by(front, actor)}
        values |= {"one": None, "may_look": may_see(visitor.caller.roles)}
        if at is None:
            return values
        base, judged = at
        items = positions.open_items(tx, [row.key], base.as_of) if tab == "documents" else ()
        linked = [each for each in customers.customers(tx, debtors=[judged.debtor]) if each.known]
        one = values["one"] = customer_answer.Shown(row, judged, items, linked, base.as_of)
        if tab:
            asking = tabs.Asked(tx, front, policy, row, one, asked, personal and values["may_look"])
            return values | TABS[tab](asking)
        assert aged is not None, "the overview has it"
        return values | _overview(tx, front, base, one, aged)


def _judged(tx: Connection, front: Front, policy: Policy, row: CustomerRow) -> tuple[Frame, Judged] | None:
    """The customer as it is now, with all that its signs say; None where it was never linked."""
    if row.debtor is None:
        return None
    base = frame(tx, front.config, policy, front.clock, today_of(front), debtors=[row.debtor], near=True)
    thorough(tx, base)
    found = next((each for each in judge(tx, base, [row.debtor], scores=True) if row.key in each.own), None)
    return None if found is None else (base, found)


def _overview(tx: Connection, front: Front, base: Frame, one: customer_answer.Shown, aged: Course) -> dict[str, Any]:
    pays: Paying = paying(tx, base, one.judged)
    keys = [m.key for m in one.judged.members]
    debtor = one.judged.debtor
    open_review = reviews.open_reviews(tx, [debtor]).get(debtor)
    stopped = reviews.stopped(tx, [debtor]).get(debtor)
    own = [
        each
        for each, kept in exclusions.listing(tx)
        if kept.debtor == debtor and kept.sales_order is None and each.in_force(one.day)
    ]
    return {
        "course": aged,
        "most": max((sum((a for a in end.buckets if a > 0), Decimal(0)) for end in aged.ends), default=Decimal(0)),
        "pays": pays,
        "contacts": contacts.contacts(tx, keys, _CONTACTS),
        "review": open_review,
        "stopped": stopped,
        "exclusions": own,
        "today": one.day,
        "terms": terms_text(one.row.terms) if one.row.terms else None,
    }


def said_by(front: Front, actor: str) -> Text:
    """Who did something, as people call him: a person by name, a job as what it is."""
    kind, colon, rest = actor.partition(":")
    if actor == "ledger":
        return Text("ledger", "账簿")
    if kind == "job":
        return Text("automatic", "自动")
    name = panel.who(front.config, actor) if colon else actor
    return Text(name or rest, name or rest)


def today_of(front: Front) -> dt.date:
    """The day in the business's time zone."""
    return day_in(front.clock.now(), front.config.business.time_zone)
