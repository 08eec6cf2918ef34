"""Signing in, the envelope, errors: what Tryton says and what we make of it."""

from __future__ import annotations

import base64
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from adapters.tryton import ADAPTER, Settings, ledger, orders, setup
from adapters.tryton.client import Warned, refused
from adapters.tryton.sandbox import PASSWORD
from adapters.tryton.values import earlier, plain, wire
from connector.clock import FixedClock
from connector.errors import ConfigError, ProtocolError, RejectedError, TransientError
from connector.sandbox import Request
from tests.unit.tryton.desk import NOON, URL, client_on, desk


# --- values ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Decimal("171444.90"), {"__class__": "Decimal", "decimal": "171444.90"}),
        (Decimal("1E+3"), {"__class__": "Decimal", "decimal": "1000"}),
        (dt.date(2026, 11, 20), {"__class__": "date", "year": 2026, "month": 11, "day": 20}),
        (b"x", {"__class__": "bytes", "base64": "eA=="}),
        ([["add", [1]]], [["add", [1]]]),
        (None, None),
        (True, True),
    ],
)
def test_values_go_out_in_their_class_form(ours: Any, theirs: Any) -> None:
    assert wire(ours) == theirs


def test_a_float_never_goes_out() -> None:
    with pytest.raises(TypeError):
        wire({"amount": 1.5})


def test_values_come_in_plain() -> None:
    moment = {
        "__class__": "datetime",
        "year": 2026,
        "month": 1,
        "day": 2,
        "hour": 3,
        "minute": 4,
        "second": 5,
        "microsecond": 6,
    }
    said = {
        "party": 7,
        "party.": {"id": 7, "code": "C0001"},
        "at": moment,
        "open": {"__class__": "Decimal", "decimal": "1.10"},
    }
    assert plain(said) == {
        "party": {"id": 7, "code": "C0001"},
        "at": "2026-01-02T03:04:05.000006",
        "open": Decimal("1.10"),
    }


def test_marks_sort_as_text_whatever_their_microseconds() -> None:
    assert earlier("2026-03-01T00:10:00.000000", 15) == "2026-02-28T23:55:00.000000"


# --- errors ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (["UserError", ["Not allowed.", "", None]], RejectedError, "Not allowed."),
        (["UserWarning", ["md5.future", "Really?", ""]], RejectedError, "Really?"),
        (["ConcurrencyException", "Records were modified"], TransientError, "changed the same record"),
        (["'nofield'", ""], ProtocolError, "nofield"),
        (["LoginException", ["ip_address", "", "char"]], ConfigError, "more than a password"),
    ],
)
def test_each_error_becomes_the_one_that_says_what_to_do(said: Any, kind: type[Exception], words: str) -> None:
    made = refused(said, "model.x.read")
    assert isinstance(made, kind)
    assert words in made.user.en
    assert made.user.zh


def test_a_question_keeps_the_name_by_which_it_is_answered() -> None:
    made = refused(["UserWarning", ["md5.future", "Really?", ""]], "x")
    assert isinstance(made, Warned)
    assert made.name == "md5.future"


# --- signing in ------------------------------------------------------------------------------------------------------
def test_one_session_serves_all_calls_and_a_dead_one_is_renewed_once() -> None:
    with desk() as books:
        client = books.client
        client.rows("party.party", [], ["code"])
        client.rows("party.party", [], ["code"])
        assert len(books.sandbox.shelf.all("~session")) == 1
        books.sandbox.expire()
        assert client.rows("party.party", [], ["code"])
        assert len(books.sandbox.shelf.all("~session")) == 1


def test_an_older_series_has_another_address_and_no_last_modified_at() -> None:
    with desk(customers=8, switches={"series": "7.0"}, overlap_minutes=0) as books:
        client = books.client
        assert client.series == (7, 0)
        assert not client.stamped
        *_, last = orders.read(client, None, ())
        sale = next(s for s in books.sandbox.shelf.all("sale.sale") if s["state"] in ("draft", "cancelled"))
        books.change("sale.sale", sale["id"], description="changed")
        changed = {r.key for page in orders.read(client, last.cursor, ()) for r in page.records}
        assert str(sale["id"]) in changed
        assert all("last_modified_at" not in c for c in last.cursor)


def test_a_wrong_database_is_named() -> None:
    with desk() as books:
        client = client_on(URL, FixedClock(NOON), database="nowhere")
        with pytest.raises(ConfigError, match="nowhere"):
            setup.check(client, ())
        assert books.sandbox.calls


def test_a_wrong_password_is_tried_once() -> None:
    with desk() as books:
        with pytest.raises(ConfigError, match="sign-in"):
            setup.check(client_on(URL, FixedClock(NOON), password="wrong-password"), ())
        assert len([c for c in books.sandbox.calls if c.status == 401]) == 1


def test_the_password_is_in_no_call_but_the_sign_in() -> None:
    with desk() as books:
        seen: list[Request] = []
        answer = books.sandbox.answer
        books.sandbox.answer = lambda request: (seen.append(request), answer(request))[1]  # type: ignore[method-assign, func-returns-value]
        list(ledger.read(books.client, None, ()))
        with_password = [r for r in seen if PASSWORD.encode() in r.body]
        assert [json.loads(r.body)["method"] for r in with_password] == ["common.db.login"]
        coded = base64.b64encode(PASSWORD.encode()).decode().rstrip("=")
        assert not any(coded in r.headers.get("authorization", "") for r in seen)


# --- the sandbox is as strict as the product ---------------------------------------------------------------------------
def _post(books: Any, body: Any, path: str = "/holdfast/rpc/", **headers: str) -> Any:
    raw = json.dumps(body).encode()
    return books.sandbox.answer(Request("POST", path, {}, headers, raw))[0]


def test_the_sandbox_wants_exactly_three_keys_and_a_context() -> None:
    with desk() as books:
        assert _post(books, {"jsonrpc": "2.0", "id": 1, "method": "x", "params": []}).status == 422
        assert _post(books, {"id": 1, "method": "model.party.party.search", "params": []}).status == 401
        signed = {"authorization": _session(books)}
        assert _post(books, {"id": 1, "method": "model.party.party.search", "params": [[]]}, **signed).status == 422
        assert (
            _post(books, {"id": 1, "method": "model.party.party.delete", "params": [[1], {}]}, **signed).status == 403
        )
        said = json.loads(_post(books, {"id": 1, "method": "model.no.such.search", "params": [[], {}]}, **signed).body)
        assert said["error"][0] == "'no.such'"


def test_the_sandbox_lies_about_compression_to_those_who_do_not_take_it() -> None:
    with desk(customers=30) as books:
        signed = {"authorization": _session(books)}
        call = {"id": 1, "method": "model.party.party.search_read", "params": [[], 0, None, None, ["name"], {}]}
        lie = _post(books, call, **signed)
        assert lie.headers["content-encoding"] == "gzip"
        assert lie.body.startswith(b"{")
        assert not _post(books, call, **signed, **{"accept-encoding": "gzip"}).body.startswith(b"{")


def _session(books: Any) -> str:
    said = json.loads(
        _post(books, {"id": 0, "method": "common.db.login", "params": ["connector", {"password": PASSWORD}]}).body
    )
    return "Session " + base64.b64encode(f"connector:{said['result'][0]}:{said['result'][1]}".encode()).decode()


def test_inactive_parties_are_hidden_from_those_who_do_not_ask() -> None:
    with desk(customers=3) as books:
        books.change("party.party", books.party("C0001"), active=False)
        codes = {r["code"] for r in books.client.rows("party.party", [], ["code"])}
        hidden = {r["code"] for r in books.client.rows("party.party", [], ["code"], active_test=True)}
        assert codes - hidden == {"C0001"}
        status = {f.id: f.status for f in books.facts("customers") if hasattr(f, "status")}
        assert status["C0001"] == "inactive"


# --- settings --------------------------------------------------------------------------------------------------------
def test_a_mistyped_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="databse"):
        Settings.model_validate({"base_url": URL, "databse": "x", "user": "y"})


def test_the_shipped_mapping_asks_only_for_what_there_is() -> None:
    with desk(customers=4) as books:
        for stream in ADAPTER.streams:
            books.facts(stream.name)
