"""The API of customers: who is meant, everything of one on a day, its credit file and the attachments in it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from connector.errors import NotAllowed
from connector.store.customer_search import search
from connector.text import Language, Text
from connector.web.answers_customers import CreditFile, CustomerAnswer, CustomerPage
from connector.web.asked import After, CustomerRef, Line, Most, Why
from connector.web.auth import Reader
from connector.web.documents import PROBLEMS
from connector.web.export import BYTES, as_file
from connector.web.front import Front
from connector.web.problem import language_asked
from jobs import customer_answer
from jobs.customer_answer import debtor_of, one_customer
from jobs.papers import taken
from jobs.personal import MASKED, NOT_YOURS, looked, may_see
from jobs.timeline import timeline

_OLDEST = dt.date(1990, 1, 1)
_BINARY = {"type": "string", "format": "binary"}
_NEWEST = dt.date(2200, 1, 1)


def router(front: Front) -> APIRouter:
    """The routes of customers; nothing is changed here."""
    routes = APIRouter(tags=["customers"], responses=PROBLEMS)

    @routes.get("/customers", summary="Customers by id, tax number or a part of the name.", response_model=CustomerPage)
    async def found(
        caller: Reader,
        q: Annotated[Line | None, Query(description="An id, a tax number, words of the name; none: all.")] = None,
        after: After = 0,
        most: Most = 50,
    ) -> Any:
        return await front.work(lambda: _found(front, q or "", after, most))

    @routes.get(
        "/customers/{customer:path}/file", summary="The credit file, oldest line first.", response_model=CreditFile
    )
    async def file(
        caller: Reader,
        customer: CustomerRef,
        most: Annotated[int, Query(ge=1, le=5000)] = 500,
        personal: Annotated[
            Why | None,
            Query(
                description="Shows what speaks of persons, and says what for: for credit controllers, approvers and "
                "auditors. Each sight is kept in the audit trail.",
                examples=["call about the promise of 3 March"],
            ),
        ] = None,
    ) -> Any:
        if personal is not None and not (may_see(caller.roles) and caller.rights & {"decide", "audit"}):
            raise NotAllowed(NOT_YOURS)
        return await front.work(lambda: _file(front, customer, most, personal, caller.actor))

    @routes.get(
        "/customers/{customer:path}/papers/{number}",
        summary="An attachment of the credit file, as the bytes that were put in.",
        response_class=Response,
        responses={200: {"description": "The file.", "content": {BYTES: {"schema": _BINARY}}}},
    )
    async def paper(
        request: Request,
        caller: Reader,
        customer: CustomerRef,
        number: Annotated[int, Path(ge=1, le=2**53, description="`paper` in `data` of the file's line.")],
        personal: Annotated[
            Why | None,
            Query(description="Needed of a paper that speaks of a person: what for. Kept in the audit trail."),
        ] = None,
    ) -> Response:
        may = may_see(caller.roles) and bool(caller.rights & {"decide", "audit"})
        name, content = await front.work(lambda: _paper(front, customer, number, personal or "", caller.actor, may))
        return as_file(name.say(language_asked(request)), content)

    @routes.get(
        "/customers/{customer:path}",
        summary="Everything of one customer: position, limit, conclusion, open items, orders.",
        response_model=CustomerAnswer,
    )
    async def one(
        request: Request,
        caller: Reader,
        customer: CustomerRef,
        as_of: Annotated[dt.date | None, Query(ge=_OLDEST, le=_NEWEST, description="The day; else today.")] = None,
    ) -> Any:
        language = language_asked(request)
        return await front.work(lambda: _one(front, customer, as_of, language))

    return routes


def _found(front: Front, words: str, after: int, most: int) -> dict[str, Any]:
    erps = [s.name for s in front.config.with_role("erp")]
    with front.store.reading() as tx:
        rows = search(tx, erps, words, after=after, most=most) if erps else []
    return {
        "customers": [
            {
                "system": row.system,
                "customer_id": row.ref,
                "name": row.name,
                "tax_id": row.tax_id,
                "currency": row.currency,
                "segment": row.segment,
                "status": row.status,
            }
            for row in rows
        ],
        "next": rows[-1].key if len(rows) == most else None,
    }


def _one(front: Front, customer: str, as_of: dt.date | None, language: Language) -> dict[str, Any]:
    policy = front.policy()
    with front.store.reading() as tx:
        row = one_customer(tx, front.config, customer)
        shown = customer_answer.on_day(tx, front.config, policy, front.clock, row, as_of)
    return customer_answer.answer(shown, policy, language)


def _paper(front: Front, customer: str, number: int, why: str, actor: str, may: bool) -> tuple[Text, bytes]:
    with front.store.reading() as tx:
        row = one_customer(tx, front.config, customer)
    return taken(front.store, front.config, front.clock, row, number, actor=actor, may=may, why=why)


def _file(front: Front, customer: str, most: int, why: str | None, actor: str) -> dict[str, Any]:
    with front.store.reading() as tx:
        row = one_customer(tx, front.config, customer)
        lines = timeline(tx, debtor_of(row), front.config.business.time_zone)
    shown = lines[-most:]
    about = sum(line.personal for line in shown)
    if why is not None and about:
        # Before it is shown: what is not on record is not seen.
        with front.store.writing() as tx:
            looked(tx, row, actor, why, about, front.clock.now())
    masked = [one.personal and why is None for one in shown]
    return {
        "system": row.system,
        "customer_id": row.ref,
        "name": row.name,
        "left_out": len(lines) - len(shown),
        "lines": [
            {
                "on": one.on.isoformat(),
                "kind": one.kind,
                "en": (MASKED if hidden else one.text).en,
                "zh": (MASKED if hidden else one.text).zh,
                "source": one.source,
                "masked": hidden,
                "data": {} if hidden else one.data,
            }
            for one, hidden in zip(shown, masked, strict=True)
        ],
    }
