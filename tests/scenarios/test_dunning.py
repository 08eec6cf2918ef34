"""Stories of a collector: an invoice climbs the ladder, is disputed, promised, paid, bounced, and demanded with proof.

The day is 2 March 2026 unless a story says otherwise. Policy: the shipped one (call from 3 days on, letter from 10, second
letter from 30, final demand from 45, stop of credit from 60, court from 90), with late interest of 0.05 % a day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connector.credit.dun import dunning_effects
from connector.model import Customer, Document, Promise
from connector.policy import load
from connector.store import contacts, customers, dunning
from connector.store.db import Store
from jobs.dun import Dunned, plans
from jobs.frame import frame
from tests.jobs.ledger import CONFIG, POLICY, RULES, Books

DAY = dt.date.fromisoformat


class Desk(Books):
    """The collector's desk: what is due today, the letters, and the levels."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.say("customers", Customer(id="C1", name="华东机械有限公司", currency="CNY", email="ap@huadong.example"))

    def today_s_plan(self) -> Dunned:
        """What a run would do with the first customer now."""
        self.pull()
        with self.store.reading() as tx:
            base = frame(tx, CONFIG, POLICY, self.clock, self.today, debtors=())
            row = next(r for r in customers.customers(tx) if r.ref == "C1")
            assert row.debtor is not None
            (found,) = plans(tx, base, [row.debtor])
        return found

    def left_alone(self) -> list[tuple[str, str, str]]:
        """Items whose step is due and is not taken, with the reason in both languages."""
        return [(s.debt.document, s.why.en, s.why.zh) for s in self.today_s_plan().plan.skipped]

    def history(self, *columns: str) -> list[tuple[Any, ...]]:
        with self.store.reading() as tx:
            return [tuple(getattr(step, column) for column in columns) for step in dunning.steps(tx)]

    def letters(self) -> list[dict[str, Any]]:
        """What was demanded in writing, oldest first."""
        with self.store.reading() as tx:
            return [row.payload for row in reversed(dunning.letters(tx)) if row.counted]

    def key(self) -> int:
        with self.store.reading() as tx:
            return next(r.key for r in customers.customers(tx) if r.ref == "C1")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store.open(f"sqlite:///{tmp_path / 'desk.db'}")
    yield Desk(store)
    store.close()


def test_from_the_friendly_notice_to_the_final_demand(desk: Desk) -> None:
    """An invoice of CNY 100,000 falls due on 7 March. Nobody pays."""
    desk.invoice("F-1001", "C1", -5, 100_000)
    desk.nights(60)
    assert desk.history("as_of", "level", "channel") == [
        (DAY("2026-03-02"), 0, "statement"),
        (DAY("2026-03-10"), 1, "phone"),
        (DAY("2026-03-17"), 2, "letter"),
        (DAY("2026-04-06"), 3, "letter"),
        (DAY("2026-04-21"), 4, "final_demand"),
    ]
    first, second, final = desk.letters()
    assert (first["title"]["en"], first["title"]["zh"]) == ("Demand for payment (level 2)", "催款函（第 2 级）")
    # Ten days at 0.05 %, then thirty, then forty-five.
    assert [one["totals"][0]["interest"] for one in (first, second, final)] == ["500.00", "1500.00", "2250.00"]
    assert final["title"]["zh"] == "律师函（最后催告）"
    assert final["closing"]["en"].startswith(
        "If the amount demanded has not arrived by 2026-04-28, we shall stop deliveries"
    )
    assert final["closing"]["zh"] == (
        "如贵方未于 2026-04-28 前付清上述催收金额，我方将停止赊销供货，并依法追索欠款、逾期利息及实现债权的费用，恕不另行通知。"
    )
    assert final["totals"][0]["total"] == "102250.00"


def test_what_each_level_means_for_new_orders(desk: Desk) -> None:
    """Orders are held from the second letter on; from 60 days on the customer can only pay cash."""
    desk.invoice("F-1001", "C1", 1, 100_000)
    seen = []
    for _ in range(64):
        desk.nights(1)
        effects = dunning_effects(desk.levels().values(), RULES)
        if not seen or seen[-1] != effects:
            seen.append(effects)
    assert [(e.level, e.hold, e.freeze, e.limit_zero) for e in seen] == [
        (0, False, False, False),
        (1, False, False, False),
        (2, False, False, False),
        (3, True, False, False),
        (4, True, True, False),
        (5, True, True, True),
    ]


def test_only_what_is_undisputed_is_demanded(desk: Desk) -> None:
    """Of CNY 80,000 the customer disputes 30,000, and a second invoice of 5,000 altogether."""
    desk.invoice("F-1001", "C1", 9, 80_000, disputed_amount=3_000_000)
    desk.invoice("F-1002", "C1", 9, 5_000, disputed_amount=500_000)
    desk.pull()
    assert desk.left_alone() == [
        (
            "F-1002",
            "CNY 5,000.00 of it is disputed: nothing else is open",
            "争议金额 CNY 5,000.00，无其他未清金额",
        )
    ]
    desk.nights(6)
    (letter,) = desk.letters()
    assert [(i["number"], i["open"], i["demanded"], i["note"]["zh"]) for i in letter["items"]] == [
        ("F-1001", "80000.00", "50000.00", "其中争议金额 CNY 30000.00 暂不催收"),
        ("F-1002", "5000.00", "0.00", "存在争议，本函暂不催收"),
    ]
    assert letter["totals"][0]["demanded"] == "50000.00"


def test_a_promise_is_waited_for_and_then_no_longer(desk: Desk) -> None:
    """On the telephone the customer promises to pay on 10 March. Three days of grace later the next step is taken."""
    desk.invoice("F-1001", "C1", 20, 60_000)
    desk.pull()
    made: dict[str, Any] = {"made_on": desk.today, "amount": 6_000_000, "currency": "CNY"}
    desk.say("promises", Promise(id="W1", customer_id="C1", document_id="F-1001", due_on=DAY("2026-03-10"), **made))
    assert desk.left_alone() == [
        (
            "F-1001",
            "CNY 60,000.00 is promised for 2026-03-10; dunning waits until 2026-03-13",
            "客户承诺 2026-03-10 付款 CNY 60,000.00，催收暂停至 2026-03-13",
        )
    ]
    desk.nights(13)
    assert desk.history("as_of", "level", "channel") == [(DAY("2026-03-14"), 1, "phone")]


def test_a_bounced_payment_brings_the_level_back(desk: Desk) -> None:
    """After the second letter the customer pays; a week later the bank takes the money back."""
    desk.invoice("F-1001", "C1", 30, 40_000)
    desk.nights(14)
    assert desk.levels() == {"C1": 3}
    desk.pay("P1", 4_000_000, "F-1001")
    desk.nights(7)
    assert desk.levels() == {}
    paid: Any = desk.facts["applications"].pop("P1")
    assert paid.to_id == "F-1001"
    desk.facts["payments"].pop("P1")
    desk.pull()
    assert desk.levels() == {"C1": 3}, "at once, and not from the bottom of the ladder again"
    desk.nights(1)
    assert desk.history("what", "level")[-3:] == [("settled", 0), ("reopened", 3), ("step", 4)]


def test_interest_does_not_vanish_with_the_invoice(desk: Desk) -> None:
    """One invoice is paid after two letters, without the interest; another one falls due. The next letter asks for both."""
    desk.invoice("F-1001", "C1", 10, 100_000)
    desk.nights(8)
    desk.pay("P1", 10_000_000, "F-1001")
    desk.invoice("F-1002", "C1", 30, 20_000)
    desk.nights(8)
    last = desk.letters()[-1]
    # From the day after the due date to the day before the payment: 17 days of CNY 100,000 at 0.05 %.
    charge = last["charges"][0]
    assert (charge["document"], charge["amount"], charge["text"]["en"]) == (
        "F-1001",
        "850.00",
        "late interest on F-1001 up to 2026-03-10",
    )
    assert [i["number"] for i in last["items"]] == ["F-1002"]


def test_small_amounts_are_not_worth_a_letter(desk: Desk) -> None:
    """CNY 99 of bank charges that the customer did not pay are left alone for ever; 100 are not."""
    desk.invoice("F-1001", "C1", 50, 99)
    assert desk.left_alone() == [
        (
            "F-1001",
            "CNY 99.00 is below the smallest amount of 100 that is dunned",
            "金额 CNY 99.00 低于催收起点 100",
        )
    ]
    desk.invoice("F-1002", "C1", 50, 100)
    desk.nights(1)
    assert desk.history("document") == [("F-1002",)]


def test_nothing_is_sent_after_a_night_without_payments(desk: Desk) -> None:
    """The bank statement could not be read last night. Whoever has paid must not get a letter."""
    desk.invoice("F-1001", "C1", 50, 30_000)
    desk.pull()
    desk.clock.sleep(24 * 3600)
    (problem,) = desk.dun().problems
    assert problem.what.en == (
        "Nobody is dunned for debts in books: its payments are from 2026-03-02 02:00Z, older than 20 hours or not complete."
    )
    assert problem.what.zh == "books 的客户暂不催收：其收款数据停留在 2026-03-02 02:00Z，已超过 20 小时或不完整。"
    assert problem.fix.zh == "请先拉取：holdfast pull books"
    assert desk.history("what") == []
    desk.nights(1)
    assert desk.history("what") == [("step",)]


def test_a_demand_counts_in_court_only_with_proof_of_delivery(desk: Desk) -> None:
    """Three years from the due date; a demand that verifiably arrived makes them run anew."""
    from connector.credit.limitation import limitation_ends

    desk.invoice("F-1001", "C1", 10, 100_000)
    desk.nights(6)
    with desk.store.writing() as tx:
        (letter,) = [row for row in dunning.letters(tx) if row.counted]
        due_on = letter.payload["items"][0]["due_on"]
        assert limitation_ends(due_on) == DAY("2029-02-20")
        proof = contacts.Contact(
            customer=desk.key(), on=DAY("2026-03-12"), kind="delivery", actor="person:li.wei", letter=letter.id,
            file_name="EMS-1234567.pdf", file_sha="0" * 64, file_size=1,
        )  # fmt: skip
        contacts.add(tx, proof, desk.clock.now())
        found = [restart for _, restart in contacts.restarts(tx, [desk.key()])[desk.key()]]
    assert limitation_ends(due_on, found) == DAY("2029-03-12")


def test_the_letter_never_asks_twice_within_a_week(desk: Desk) -> None:
    """Every day another invoice reaches the day of its letter; the customer still gets one letter a week for all of them."""
    for number in range(10):
        desk.invoice(f"F-{number}", "C1", 5 - number, 1_000)
    desk.nights(40)
    days = [one["as_of"] for one in desk.letters()]
    assert len(days) > 3
    assert all((after - before).days >= 7 for before, after in pairwise(days))
    assert desk.letters()[-1]["totals"][0]["demanded"] == "10000.00"
    assert Decimal(desk.letters()[-1]["totals"][0]["interest"]) > 0


def test_what_the_law_says_of_a_public_body_stands_in_the_letter(desk: Desk) -> None:
    """A hospital agreed on 75 days with us, a small company; the law allows 60. Of the other customer nothing is known."""
    desk.say("customers", Customer(id="C1", name="县人民医院", currency="CNY", segment="public"))
    for name, who in (("F-1001", "C1"), ("F-1002", "C2")):
        made: dict[str, Any] = {"issued_on": DAY("2025-12-05"), "due_on": DAY("2026-02-18"), "currency": "CNY"}
        desk.say("documents", Document(id=name, customer_id=who, kind="invoice", amount=10_000_000, **made))
    policy = load(
        "[dunning.interest]\non = true\nbasis = 'agreed'\nagreed_percent_per_day = 0.005\n"
        "[dunning.statutory]\ncreditor = 'small'\ninvoiced = 'on_delivery'\none_year_lpr_percent = 3.65\n"
        "[segment.public.dunning.statutory]\ndebtor = 'public'\n"
    )
    for _ in range(6):
        desk.pull()
        desk.dun(policy=policy)
        desk.clock.sleep(86_400)
    by_customer = {letter["to"]["customer_id"]: letter for letter in desk.letters()}
    (item,) = by_customer["C1"]["items"]
    assert item["due_on"] == DAY("2026-02-18")
    assert item["statutory_pay_by"] == DAY("2026-02-03")
    assert item["statute"]["en"].endswith("within 60 days of 2025-12-05, that is by 2026-02-03.")
    assert item["statute"]["zh"].endswith("贵单位应自 2025-12-05 起 60 日内付款，即最迟于 2026-02-03 前支付。")
    assert by_customer["C2"]["items"][0]["statute"] is None
    # 17 days of 100,000: at 0.01 % a day, which is the loan prime rate, and at the agreed 0.005 %.
    assert [by_customer[who]["totals"][0]["interest"] for who in ("C1", "C2")] == ["170.00", "85.00"]
