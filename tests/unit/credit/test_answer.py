"""The answer as `formats/book.md` prints it, for the very example that stands there."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

from connector.credit.answer import as_answer
from connector.credit.decide import decide
from connector.credit.group import Node
from connector.credit.limit import NO_LIMIT, Effective
from connector.credit.position import Position, position
from connector.credit.rates import Rates
from connector.credit.totals import Totals
from connector.model import Rate
from connector.policy import default_policy, load

AS_OF = dt.date(2026, 11, 23)
RATES = Rates([Rate(on=AS_OF, from_currency="USD", to_currency="CNY", rate=Decimal(7))], "CNY", 7)
E8 = Totals(
    1,
    "CNY",
    buckets=(5000_00, 0, 4000_00, 0, 6000_00),
    unapplied_cash=7000_00,
    unapplied_notes=1500_00,
    cash=7000_00,
    notes=1500_00,
    receivables=15000_00,
    overdue=10000_00,
    oldest_due_on=dt.date(2026, 7, 31),
)
LIMIT = Effective("amount", Decimal(20000), "CNY")


def at(limit: Effective = LIMIT, row: Totals = E8) -> Position:
    return position(1, "CNY", [row], limit, RATES, AS_OF, default_policy())


def test_the_example_of_the_contract() -> None:
    answer = as_answer(at(), decide(at(), (), default_policy()), "C001", "books")
    contract = json.loads("""
      {"customer_id": "C001", "system": "books", "currency": "CNY",
       "buckets": {"current": "5000.00", "1-30": "0.00", "31-60": "4000.00", "61-90": "0.00", "91+": "6000.00"},
       "unapplied": "-8500.00", "balance": "6500.00", "overdue": "10000.00", "disputed": "0.00",
       "oldest_overdue_days": 115,
       "exposure": {"open_receivables": "15000.00", "unapplied_cash": "-7000.00", "unapplied_credit_notes": "-1500.00",
                    "delivered_not_invoiced": "0.00", "ordered_not_delivered": "0.00", "bills": "0.00",
                    "total": "6500.00"},
       "limit": {"kind": "amount", "amount": "20000.00"}, "available": "13500.00", "utilisation": "0.3250",
       "hold": false, "warning_level": "green", "score": null, "grade": null}""")
    assert answer["exposure"].pop("drafts") == "0.00"  # keys may be added
    assert answer.pop("reasons") == []
    assert answer == contract


def test_hold_and_level_are_the_decisions() -> None:
    row = replace(E8, undisputed_overdue=10000_00, undisputed_oldest_due_on=dt.date(2026, 7, 31))
    answer = as_answer(at(row=row), decide(at(row=row), (), default_policy()), "C001", "books")
    assert (answer["hold"], answer["warning_level"]) == (True, "red")
    (reason,) = answer["reasons"]
    assert (reason["rule"], reason["numbers"]["days"]) == ("oldest_overdue", "115")
    assert reason["zh"].startswith("最早的无争议未清项已逾期 115 天")


def test_available_is_what_the_group_leaves() -> None:
    group = Node("G", "G", "CNY", Decimal(100), Decimal(90))
    answer = as_answer(at(), decide(at(), [group], default_policy()), "C001", "books")
    assert answer["available"] == "10.00"


def test_nothing_but_json() -> None:
    answer = as_answer(at(), decide(at(), (), default_policy(), status="blocked"), "C001", "books")
    assert json.loads(json.dumps(answer)) == answer


def test_limit_kinds() -> None:
    def limit(of: Effective) -> dict[str, object]:
        answer = as_answer(at(of), decide(at(of), (), default_policy()), "C", "s")
        return {"limit": answer["limit"], "available": answer["available"], "utilisation": answer["utilisation"]}

    nothing = {"available": None, "utilisation": None}
    assert limit(NO_LIMIT) == {"limit": {"kind": "none", "amount": None}, **nothing}
    assert limit(Effective("unlimited")) == {"limit": {"kind": "unlimited", "amount": None}, **nothing}
    zero = limit(Effective("amount", Decimal(0), "CNY", expired=True))
    assert zero == {
        "limit": {"kind": "amount", "amount": "0.00", "expired": True},
        "available": "-6500.00",
        "utilisation": None,
    }
    foreign = limit(Effective("amount", Decimal(1000), "USD"))["limit"]
    assert foreign == {"kind": "amount", "amount": "7000.00", "own_amount": "1000", "own_currency": "USD"}


def test_without_a_decision_nothing_is_claimed() -> None:
    answer = as_answer(at(), None, "C", "s")
    assert (answer["hold"], answer["warning_level"], answer["available"]) == (None, None, "13500.00")


def test_other_buckets_have_other_names() -> None:
    policy = load("[ageing]\nedges_days = [15]")
    row = replace(E8, buckets=(5000_00, 0, 10000_00))
    found = position(1, "CNY", [row], LIMIT, RATES, AS_OF, policy)
    answer = as_answer(found, decide(found, (), policy), "C", "s")
    assert answer["buckets"] == {"current": "5000.00", "1-15": "0.00", "16+": "10000.00"}
