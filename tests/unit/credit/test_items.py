"""Open items on a day: E7 and the rest of the as-of rule, each case with numbers that can be added up by eye."""

import datetime as dt
from decimal import Decimal

from connector.credit.ageing import OpenItem, age, open_items
from connector.model import Application, Document, DocumentKind, Instalment, Payment, PaymentKind

DAY = dt.date.fromisoformat
Book = tuple[list[Document], list[Instalment], list[Payment], list[Application]]


def doc(
    ref: str, amount: int, on: str, due: str | None = None, kind: DocumentKind = "invoice", **more: object
) -> Document:
    fields: dict[str, object] = {"currency": "CNY", "due_on": DAY(due) if due else None} | more
    return Document(id=ref, customer_id="C", kind=kind, issued_on=DAY(on), amount=amount * 100, **fields)  # type: ignore[arg-type]


def paid(ref: str, amount: int, on: str, kind: PaymentKind = "receipt", **more: object) -> Payment:
    fields: dict[str, object] = {"currency": "CNY"} | more
    return Payment(id=ref, customer_id="C", received_on=DAY(on), amount=amount * 100, kind=kind, **fields)  # type: ignore[arg-type]


def applied(frm: str, to: str, amount: int, on: str, **more: object) -> Application:
    return Application(from_id=frm, to_id=to, amount=Decimal(amount), applied_on=DAY(on), **more)  # type: ignore[arg-type]


def part(ref: str, number: str, due: str, amount: int) -> Instalment:
    return Instalment(document_id=ref, number=number, due_on=DAY(due), amount=Decimal(amount))


def on(book: Book, as_of: str) -> dict[str, Decimal]:
    return {item.ref: item.amount for item in open_items(*book, DAY(as_of))}


def whole(book: Book, as_of: str) -> Decimal:
    return sum(on(book, as_of).values(), Decimal(0))


E7: Book = (
    [doc("I1", 10000, "2026-06-01", "2026-07-01")],
    [],
    [paid("P1", 7000, "2026-07-20"), paid("P2", 3000, "2026-08-10")],
    [applied("P1", "I1", 7000, "2026-07-20"), applied("P2", "I1", 3000, "2026-09-02")],
)


def test_e7_the_application_date_decides() -> None:
    def aged(as_of: str) -> tuple[dict[str, int], int, int, int]:
        got = age(open_items(*E7, DAY(as_of)), DAY(as_of))
        buckets = {name: int(amount) for name, amount in got.buckets.items() if amount}
        return buckets, int(got.unapplied), int(got.total), got.oldest_overdue_days

    assert aged("2026-07-19") == ({"1-30": 10000}, 0, 10000, 18)
    assert aged("2026-07-31") == ({"1-30": 3000}, 0, 3000, 30)
    assert aged("2026-08-31") == ({"61-90": 3000}, -3000, 0, 61)
    assert aged("2026-09-30") == ({}, 0, 0, 0)
    assert aged("2026-05-31") == ({}, 0, 0, 0)


def test_the_as_of_day_itself_counts() -> None:
    book: Book = ([doc("I", 5, "2026-06-01", voided_on=DAY("2026-06-03"))], [], [], [])
    assert [whole(book, f"2026-0{day}") for day in ("5-31", "6-01", "6-02", "6-03")] == [0, 5, 5, 0]


def test_a_reversed_application_counts_until_the_day_before() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01")],
        [],
        [paid("P", 100, "2026-06-10")],
        [applied("P", "I", 100, "2026-06-10", reversed_on=DAY("2026-06-20"))],
    )
    assert on(book, "2026-06-19") == {}
    assert on(book, "2026-06-20") == {"I": 100, "P": -100}


def test_a_voided_payment_pays_nothing() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01")],
        [],
        [paid("P", 100, "2026-06-10", voided_on=DAY("2026-06-15"))],
        [applied("P", "I", 100, "2026-06-10")],
    )
    assert on(book, "2026-06-14") == {}
    assert on(book, "2026-06-15") == {"I": 100}


def test_an_application_of_an_unknown_payment_is_not_counted() -> None:
    book: Book = ([doc("I", 100, "2026-06-01")], [], [], [applied("nobody", "I", 40, "2026-06-10")])
    assert on(book, "2026-07-01") == {"I": 100}


def test_a_draft_is_not_owed() -> None:
    assert on(([doc("I", 100, "2026-06-01", status="draft")], [], [], []), "2026-07-01") == {}


def test_credit_note_write_off_and_refund() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01"), doc("C", 30, "2026-06-05", kind="credit_note")],
        [],
        [paid("W", 10, "2026-06-06", "write_off"), paid("R", 5, "2026-06-07", "refund")],
        [applied("C", "I", 20, "2026-06-10"), applied("W", "I", 10, "2026-06-10")],
    )
    assert on(book, "2026-06-30") == {"I": 70, "C": -10, "R": 5}  # money paid back and not set off is owed


def test_a_refund_settles_a_credit_note_whichever_is_named_first() -> None:
    for frm, to in (("C", "R"), ("R", "C")):
        book: Book = (
            [doc("C", 30, "2026-06-05", kind="credit_note")],
            [],
            [paid("R", 30, "2026-06-07", "refund")],
            [applied(frm, to, 30, "2026-06-07")],
        )
        assert on(book, "2026-06-30") == {}


def test_documents_and_payments_may_bear_the_same_id() -> None:
    book: Book = (
        [doc("1", 100, "2026-06-01")],
        [],
        [paid("1", 60, "2026-06-02")],
        [applied("1", "1", 60, "2026-06-02")],
    )
    assert on(book, "2026-06-30") == {"1": 40}


def test_over_application_becomes_a_credit_and_a_debt() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01", "2026-07-01")],
        [],
        [paid("P", 100, "2026-06-02")],
        [applied("P", "I", 120, "2026-06-02")],
    )
    assert on(book, "2026-06-30") == {"I": -20, "P": 20}
    aged = age(open_items(*book, DAY("2026-06-30")), DAY("2026-06-30"))
    assert (aged.unapplied, aged.total, aged.buckets["1-30"]) == (-20, 0, 20)


INSTALMENTS: Book = (
    [doc("I", 90, "2026-06-01", "2026-09-01")],
    [part("I", "2", "2026-08-01", 30), part("I", "1", "2026-07-01", 30), part("I", "3", "2026-09-01", 30)],
    [paid("P", 100, "2026-06-20")],
    [],
)


def with_applications(*applications: Application) -> Book:
    return (*INSTALMENTS[:3], list(applications))


def test_instalments_are_items_with_their_own_due_dates() -> None:
    items = [i for i in open_items(*INSTALMENTS, DAY("2026-07-15")) if i.kind == "invoice"]
    assert {i.ref: str(i.due_on) for i in items} == {"I/1": "2026-07-01", "I/2": "2026-08-01", "I/3": "2026-09-01"}
    assert age(items, DAY("2026-07-15")).overdue == 30


def test_a_payment_without_an_instalment_fills_the_earliest_due_first() -> None:
    assert on(with_applications(applied("P", "I", 40, "2026-06-20")), "2026-06-30") == {"I/2": 20, "I/3": 30, "P": -60}


def test_instalments_are_filled_by_due_date_whatever_their_numbers() -> None:
    book: Book = (
        [doc("I", 60, "2026-06-01")],
        [part("I", "1", "2026-09-01", 30), part("I", "2", "2026-07-01", 30)],
        [paid("P", 30, "2026-06-20")],
        [applied("P", "I", 30, "2026-06-20")],
    )
    assert on(book, "2026-06-30") == {"I/1": 30}


def test_a_stated_instalment_is_filled_before_the_rest() -> None:
    book = with_applications(
        applied("P", "I", 40, "2026-06-20"), applied("P", "I", 30, "2026-06-20", instalment_number="1")
    )
    assert on(book, "2026-06-30") == {"I/3": 20, "P": -30}


def test_an_unknown_instalment_number_is_no_instalment() -> None:
    book = with_applications(applied("P", "I", 30, "2026-06-20", instalment_number="9"))
    assert on(book, "2026-06-30") == {"I/2": 30, "I/3": 30, "P": -70}


def test_an_over_paid_plan_leaves_a_credit() -> None:
    assert on(with_applications(applied("P", "I", 100, "2026-06-20")), "2026-06-30") == {"I/3": -10}


def test_instalments_that_do_not_add_up_lose_nothing() -> None:
    book: Book = ([doc("I", 100, "2026-06-01", "2026-09-01")], [part("I", "1", "2026-07-01", 60)], [], [])
    assert on(book, "2026-06-30") == {"I/1": 60, "I": 40}


def test_between_two_currencies_each_end_has_its_own_amount() -> None:
    foreign = paid("P", 100, "2026-06-02", currency="USD")
    book: Book = (
        [doc("I", 700, "2026-06-01")],
        [],
        [foreign],
        [applied("P", "I", 350, "2026-06-02", from_amount=Decimal(50))],
    )
    assert on(book, "2026-06-30") == {"I": 350, "P": -50}
    without: Book = (book[0], [], [foreign], [applied("P", "I", 350, "2026-06-02")])
    assert on(without, "2026-06-30") == {"I": 700, "P": -100}  # what it took from the dollars is not known


def test_a_bill_closes_the_invoice_and_stays_until_it_is_cleared() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01"), doc("B", 100, "2026-06-15", "2026-12-15", kind="bill_of_exchange")],
        [],
        [paid("P", 100, "2026-12-15")],
        [applied("B", "I", 100, "2026-06-15"), applied("P", "B", 100, "2026-12-15")],
    )
    assert on(book, "2026-06-14") == {"I": 100}
    assert on(book, "2026-12-14") == {"B": 100}
    assert on(book, "2026-12-15") == {}


def test_disputed_is_never_more_than_what_is_open() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01", disputed_amount=8000)],
        [],
        [paid("P", 60, "2026-06-02")],
        [applied("P", "I", 60, "2026-06-02")],
    )
    disputed = [(item.amount, item.disputed) for item in open_items(*book, DAY("2026-06-30"))]
    assert disputed == [(40, 40)]


def test_terms_give_the_due_date_that_is_not_stated() -> None:
    def due(document: Document) -> OpenItem:
        return open_items([document], [], [], [], DAY("2026-12-31"))[0]

    assert due(doc("I", 1, "2026-01-31", terms="months:1")).due_on == DAY("2026-02-28")
    assert due(doc("I", 1, "2026-01-31")).due_on is None
    assert due(doc("C", 1, "2026-01-31", kind="credit_note")).due_on == DAY("2026-01-31")
    assert due(doc("I", 1, "2026-01-31", terms="whenever")).due_on is None


def test_a_voided_namesake_is_still_the_one_that_was_meant() -> None:
    book: Book = (
        [doc("I", 100, "2026-06-01"), doc("1", 30, "2026-06-01", kind="credit_note")],
        [],
        [paid("1", 30, "2026-06-01", voided_on=DAY("2026-06-20"))],
        [applied("1", "I", 30, "2026-06-10")],
    )
    assert on(book, "2026-06-15") == {"I": 70, "1": -30}
    assert on(book, "2026-06-25") == {"I": 100, "1": -30}


def test_a_disputed_instalment_leaves_the_others_alone() -> None:
    def own(number: str, due: str, disputed: int | None = None) -> Instalment:
        asked = None if disputed is None else Decimal(disputed)
        return Instalment(document_id="I", number=number, due_on=DAY(due), amount=Decimal(100), disputed_amount=asked)

    def seen(documents: list[Document], *parts: Instalment, paid_in: int = 0) -> list[tuple[str, int]]:
        payments = [paid("P", paid_in, "2026-06-05")] if paid_in else []
        uses = [applied("P", "I", paid_in, "2026-06-05", instalment_number="2")] if paid_in else []
        found = open_items(documents, parts, payments, uses, DAY("2026-06-30"))
        return [(i.ref, int(i.disputed)) for i in found if i.kind == "invoice"]

    months = ("2026-06-10", "2026-07-10", "2026-08-10")
    bill = [doc("I", 300, "2026-06-01", disputed_amount=10_000)]
    later = [own("1", months[0]), own("2", months[1], 100), own("3", months[2])]
    assert seen(bill, *later) == [("I/1", 0), ("I/2", 100), ("I/3", 0)]
    # What the document disputes beyond that concerns the others, earliest due first.
    more = [doc("I", 300, "2026-06-01", disputed_amount=15_000)]
    assert seen(more, *later) == [("I/1", 50), ("I/2", 100), ("I/3", 0)]
    # Never more than is open of it, and none of it moves on.
    assert seen(bill, *later, paid_in=70) == [("I/1", 0), ("I/2", 30), ("I/3", 0)]
    # An instalment may be the only one to say so, and 0 says: not this one.
    assert seen([doc("I", 300, "2026-06-01")], *later) == [("I/1", 0), ("I/2", 100), ("I/3", 0)]
    none = [own("1", months[0], 0), own("2", months[1]), own("3", months[2])]
    assert seen(bill, *none) == [("I/1", 0), ("I/2", 100), ("I/3", 0)]
