"""Return codes: each code of the vendor's table leads to what it must lead to, on reads and on writes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from adapters.fxiaoke.codes import failure, meaning_of
from adapters.fxiaoke.read import query
from adapters.fxiaoke.sandbox import _error
from connector.adapter import Write
from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError

READS = [
    (-1, TransientError),
    (-2, TransientError),
    (14001, TransientError),
    (30004, TransientError),
    (50009, TransientError),
    (30002, TransientError),
    (30003, ConfigError),
    (20006, ConfigError),
    (20015, ConfigError),
    (11015, ConfigError),
    (20017, ConfigError),
    (15003, ConfigError),
    (20021, ConfigError),
    (20022, ConfigError),
    (30027, ConfigError),
    (10006, ProtocolError),
    (10013, ProtocolError),
    (15002, ProtocolError),
    (32000, ProtocolError),
    (300103, ConfigError),
]


@pytest.mark.parametrize(("code", "error"), READS)
def test_reads(code: int, error: type[HoldfastError]) -> None:
    wrong = failure(code, "消息", "E-O.1", write=False, until_midnight=1.0)
    assert type(wrong) is error
    assert str(code) in wrong.user.en
    assert str(code) in wrong.user.zh
    assert "E-O.1" in wrong.log


@pytest.mark.parametrize("code", [10006, 15002, 32000, 40010, 300103, 20012, 99999])
def test_a_write_that_is_refused_concerns_that_record(code: int) -> None:
    wrong = failure(code, "校验规则不通过", "E-O.2", write=True, until_midnight=1.0)
    assert isinstance(wrong, RejectedError)
    assert wrong.code == str(code)
    assert wrong.user.en == f"Fxiaoke refuses this record (code {code}: 校验规则不通过, traceId E-O.2)."
    assert wrong.user.zh == f"纷享销客拒绝写入该记录（代码 {code}：校验规则不通过，traceId E-O.2）。"


@pytest.mark.parametrize("code", [15003, 20021, 30003, 20015])
def test_rights_and_credentials_stop_writing_altogether(code: int) -> None:
    assert isinstance(failure(code, "", "", write=True, until_midnight=1.0), ConfigError)


def test_no_code_has_two_meanings_and_zero_is_the_only_success() -> None:
    assert [c for c in range(-10, 60000) if meaning_of(c) == "ok"] == [0]
    assert meaning_of(20016) == meaning_of(20005) == meaning_of(11014) == meaning_of(11003) == "renew"
    assert meaning_of(11002) == "credentials"
    assert meaning_of(10015) == "parameter"
    assert meaning_of(77) == "other"


def _answers(made: Any, *codes: int) -> None:
    """Lets the sandbox answer the next queries with these codes, then go on as usual."""
    left = list(codes)
    usual = made.sandbox._admit

    def admit(request: Any, body: Any) -> None:
        if left:
            from adapters.fxiaoke.sandbox_rules import Refused

            raise Refused(left.pop(0), "测试")
        usual(request, body)

    made.sandbox._admit = admit


@pytest.mark.parametrize("code", [-1, -2, 14001, 30004, 50009])
def test_busy_is_tried_again_though_the_status_is_200(tenant: Any, code: int) -> None:
    made = tenant()
    _answers(made, code, code)
    began = made.clock.now()
    assert len(query(made.client, "AccountObj", [], ["_id"])) > 0
    assert made.clock.now() > began  # it waited in between


def test_the_days_quota_is_waited_for_until_midnight_of_the_business(tenant: Any) -> None:
    made = tenant()
    made.client.token.headers()
    _answers(made, 30002)
    with pytest.raises(TransientError) as caught:
        query(made.client, "AccountObj", [], ["_id"])
    # Noon UTC is 20:00 in Shanghai: four hours to midnight, and a minute more.
    assert caught.value.retry_after == dt.timedelta(hours=4, minutes=1).total_seconds()
    assert "零点" in caught.value.user.zh
    assert len([c for c in made.sandbox.calls if "query" in c.path]) == 1  # not hammered meanwhile


@pytest.mark.parametrize("code", [-1, -2, 50009])
def test_an_unclear_answer_to_a_creation_is_not_repeated_blindly(tenant: Any, code: int) -> None:
    made = tenant()
    write = Write("k1", "x", {"name": "催款"})
    from adapters.fxiaoke.write import send_tasks

    send_tasks(made.client, [])  # nothing to do asks nothing
    seen: list[str] = []
    usual = made.sandbox._create

    def create(body: Any, data: Any) -> Any:
        seen.append("create")
        usual(body, data)
        return _error(code, "超时")  # it acted, and says that it did not manage

    _swap(made.sandbox, "create", create)
    (outcome,) = send_tasks(made.client, [write])
    assert outcome.state == "again"
    assert seen == ["create"]
    (outcome,) = send_tasks(made.client, [write])
    assert outcome.state == "done"
    assert seen == ["create"]  # found by its key, not made twice


def _swap(sandbox: Any, verb: str, handler: Any) -> None:
    sandbox._routes = [
        (method, pattern, sandbox._signed(handler) if pattern.pattern.endswith(f"{verb}\\Z") else usual)
        for method, pattern, usual in sandbox._routes
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"errorMessage": "success"}', "errorCode"),
        (b"[]", "errorCode"),
        (b"<html>", "JSON"),
        (b'{"errorCode": 0, "data": {}}', "list of records"),
        (b'{"errorCode": 0, "data": {"dataList": [{"name": "no id"}]}}', "list of records"),
    ],
)
def test_answers_that_nobody_documents_are_reported_never_taken_for_empty(tenant: Any, body: bytes, words: str) -> None:
    from connector.sandbox import Reply

    made = tenant()
    made.client.token.headers()
    made.sandbox._routes = [(m, p, lambda request: Reply(200, body)) for m, p, _ in made.sandbox._routes]
    with pytest.raises(ProtocolError, match=words):
        query(made.client, "AccountObj", [], ["_id"])


def test_amounts_never_become_floats(tenant: Any) -> None:
    made = tenant()
    values = [r.data["order_amount"] for r in made.records("orders")]
    assert values
    assert all(isinstance(v, str | Decimal) for v in values)
