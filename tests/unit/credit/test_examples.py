"""The worked examples E1–E10 of the domain document, read from its `examples.json`, against the engine."""

import calendar
import datetime as dt
import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.credit import kpi
from connector.credit.ageing import age, bucket, due_date, open_items
from connector.credit.decide import OrderAmounts, check_order, decide
from connector.credit.group import Node, headroom
from connector.credit.limit import Effective, effective
from connector.credit.position import position
from connector.credit.rates import Rates
from connector.credit.totals import Totals
from connector.model import Application, Document, Limit, Payment, Rate
from connector.money import rounded, to_minor_exact
from connector.policy import default_policy

FILE = Path(__file__).resolve().parents[4] / "shared" / "domain" / "examples.json"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not FILE.is_file(), reason="shared/domain/examples.json is not beside the repository"),
]

DAY = dt.date.fromisoformat
POLICY = default_policy()
NO_RATES = Rates([], "CNY", 7)


def example(name: str) -> tuple[Any, Any]:
    for entry in json.loads(FILE.read_text("utf-8"), parse_float=Decimal):
        if entry["id"] == name:
            return entry["given"], entry["expected"]
    raise AssertionError(f"{name} is not in {FILE.name}")


def minor(amount: Any, currency: str = "CNY") -> int:
    return to_minor_exact(Decimal(amount), currency)


def two(value: Decimal | None) -> str:
    assert value is not None
    return str(value.quantize(Decimal("0.01"), ROUND_HALF_UP))


def test_e1() -> None:
    given, expected = example("E1")
    line = given["order_line"]
    gross = Decimal(line["unit_price"]) * (1 + Decimal(line["tax_rate"]))
    delivered = max(line["qty_delivered"] - line["qty_invoiced"], 0) * gross
    ordered = max(line["qty"] - max(line["qty_delivered"], line["qty_invoiced"]), 0) * gross
    receivables = minor(given["open_invoices"]) + minor(given["open_debit_notes"])
    row = Totals(
        1,
        given["currency"],
        buckets=(receivables, 0, 0, 0, 0),
        receivables=receivables,
        cash=minor(given["unapplied_cash"]),
        unapplied_cash=minor(given["unapplied_cash"]),
        notes=minor(given["unapplied_credit_notes"]),
        unapplied_notes=minor(given["unapplied_credit_notes"]),
        bills_commercial=minor(given["bills_in_hand"]),
        delivered_not_invoiced=delivered * 100,
        ordered_not_delivered=ordered * 100,
    )
    limit = Effective("amount", Decimal(given["limit"]), given["currency"])
    found = position(1, given["currency"], [row], limit, NO_RATES, DAY("2026-11-23"), POLICY)
    assert str(found.exposure.delivered_not_invoiced) == expected["delivered_not_invoiced"]
    assert str(found.exposure.ordered_not_delivered) == expected["ordered_not_delivered"]
    assert str(found.exposure.total) == expected["exposure"]
    assert str(found.available) == expected["available"]
    assert found.utilisation == Decimal(expected["utilisation_pct"]) / 100
    order = OrderAmounts("O", None, Decimal(given["new_order"]))
    (reason,) = check_order(decide(found, (), POLICY), order, POLICY).reasons
    assert reason.numbers["exposure"] == expected["after_new_order"]
    assert reason.numbers["over_by"] == expected["over_by"]
    assert Decimal(reason.numbers["utilisation"]) * 100 == Decimal(expected["utilisation_after_pct"])


def test_e2() -> None:
    given, expected = example("E2")

    def span(piece: dict[str, Any]) -> dict[str, Any]:
        return {"customer_id": "C", "currency": "CNY", "valid_from": DAY(piece["from"]), "valid_to": DAY(piece["to"])}

    pieces = [
        Limit(kind="base", amount=minor(given["base"]), **span({"from": given["base_from"], "to": given["base_to"]})),
        *(
            Limit(kind=t["mode"], amount=minor(t["amount"]), approved_on=DAY(t["approved_at"]), **span(t))
            for t in given["temporary"]
        ),
        *(
            Limit(kind="guarantee", amount=minor(g["value"]), percent=Decimal(g["pct"]), **span(g))
            for g in given["guarantees"]
        ),
    ]
    assert {on: str(effective(pieces, DAY(on)).amount) for on in expected} == expected


def test_e3() -> None:
    given, expected = example("E3")
    members = given["group"]["members"]
    total = sum(Decimal(m["exposure"]) for m in members.values())
    assert total == Decimal(expected["group_exposure"])
    group = Node("group", "group", "CNY", Decimal(given["group"]["limit"]), total)
    for name, member in members.items():
        own = Node(name, name, "CNY", Decimal(member["limit"]), Decimal(member["exposure"]))
        assert headroom([own, group]) == Decimal(expected[f"available_{name}"])


def test_e4() -> None:
    given, expected = example("E4")
    day = DAY("2026-11-23")
    rate = Rate(on=day, from_currency="USD", to_currency="CNY", rate=Decimal(given["rate_usd_cny"]))
    rates = Rates([rate], "CNY", 7)
    rows = [
        Totals(n, currency, buckets=(minor(amount, currency), 0, 0, 0, 0), receivables=minor(amount, currency))
        for n, (amount, currency) in enumerate(given["items"])
    ]
    found = position(1, "CNY", rows, Effective("none"), rates, day, POLICY)
    assert str(found.balance) == expected["sum_then_round"]
    each = [rates.convert(Decimal(amount), currency, "CNY", day) for amount, currency in given["items"]]
    assert str(sum(rounded(amount, "CNY") for amount in each if amount is not None)) == expected["round_each_then_sum"]


def test_e5() -> None:
    given, expected = example("E5")
    words = {
        "net": lambda t: f"net:{t['days']}",
        "months": lambda t: f"months:{t['months']}",
        "eom_plus_days": lambda t: f"eom:{t['days']}",
        "day_of_following_month": lambda t: f"day:{t['day']}:{t.get('months', 1)}",
    }
    found = [str(due_date(DAY(e["invoice_date"]), words[e["terms"]["type"]](e["terms"]))) for e in given]
    assert found == expected


def test_e6() -> None:
    given, expected = example("E6")
    assert [bucket(DAY(due), DAY(given["as_of"])) for due in given["due"]] == expected


def book(docs: list[dict[str, Any]]) -> tuple[list[Document], list[Payment]]:
    kinds = {"invoice": "invoice", "credit": "credit_note"}
    papers = [
        Document(
            id=d["id"],
            customer_id="C",
            kind=kinds[d["kind"]],  # type: ignore[arg-type]
            issued_on=DAY(d["date"]),
            due_on=DAY(d["due"]) if "due" in d else None,
            currency="CNY",
            amount=minor(d["amount"]),
        )
        for d in docs
        if d["kind"] in kinds
    ]
    cash = [
        Payment(id=d["id"], customer_id="C", received_on=DAY(d["date"]), currency="CNY", amount=minor(d["amount"]))
        for d in docs
        if d["kind"] == "payment"
    ]
    return papers, cash


def as_expected(aged: Any) -> dict[str, Decimal]:
    """Every figure by its name in the examples; what is not mentioned there is nothing."""
    return {
        **{name: amount for name, amount in aged.buckets.items() if amount},
        **({"unapplied": aged.unapplied} if aged.unapplied else {}),
        "total": aged.total,
        "oldest_overdue_days": Decimal(aged.oldest_overdue_days),
        "overdue_amount": aged.overdue,
    }


def test_e7() -> None:
    given, expected = example("E7")
    papers, cash = book(given["docs"])
    set_off = [
        Application(from_id=a["from"], to_id=a["to"], amount=Decimal(a["amount"]), applied_on=DAY(a["applied_on"]))
        for a in given["applications"]
    ]
    for day, figures in expected.items():
        aged = age(open_items(papers, [], cash, set_off, DAY(day)), DAY(day))
        assert as_expected(aged) == {name: Decimal(figure) for name, figure in figures.items()}, day


def test_e8() -> None:
    given, expected = example("E8")
    papers, cash = book(given["docs"])
    day = DAY(given["as_of"])
    for placement, figures in expected.items():
        aged = age(open_items(papers, [], cash, [], day), day, placement=placement)
        assert as_expected(aged) == {name: Decimal(figure) for name, figure in figures.items()}, placement


def test_e9() -> None:
    given, expected = example("E9")
    months = []
    for name in sorted(given["sales"], reverse=True):
        year, month = (int(part) for part in name.split("-"))
        months.append(kpi.Month(Decimal(given["sales"][name]), calendar.monthrange(year, month)[1]))
    sales, days = sum((m.sales for m in months), Decimal(0)), sum(m.days for m in months)
    closing, current = Decimal(given["ar_end"]), Decimal(given["current_ar"])
    simple, best = kpi.dso(closing, sales, days), kpi.best_possible_dso(current, sales, days)
    count_back = kpi.dso_count_back(closing, months)
    assert two(simple) == expected["dso_simple"]
    assert (two(count_back.days), count_back.exhausted) == (expected["dso_countback"], False)
    assert two(best) == expected["best_possible_dso"]
    assert two(kpi.average_days_delinquent(simple, best)) == expected["average_days_delinquent"]
    cei = kpi.collection_effectiveness(Decimal(given["beg_ar"]), sales, closing, Decimal(given["end_current"]))
    assert two(cei) == expected["cei"]


def test_e9b() -> None:
    given, expected = example("E9b")
    found = kpi.weighted_days_late([kpi.Paid(Decimal(p["amount"]), p["days_late"]) for p in given["payments"]])
    assert found is not None
    assert {"signed": two(found.signed), "floored": two(found.floored)} == expected


def test_e10() -> None:
    given, expected = example("E10")
    paid = [kpi.Paid(Decimal(p["amount"]), p["days_beyond"], p.get("discount", False)) for p in given]
    assert [two(kpi.payment_points(p)) for p in paid] == expected["points"]
    assert two(kpi.payment_index(paid)) == expected["index"]
