"""The book as it should be: every file, how it is resumed, and what a second pull costs."""

from __future__ import annotations

import codecs
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import adapter as adapters
from connector.errors import ConfigError, TransientError
from connector.model import Application, Customer, Event, Financial, Instalment, Limit, OrderLine, Rate

DAY = dt.date.fromisoformat
DOCUMENTS = (
    "id,customer_id,kind,number,issued_on,due_on,currency,amount\n"
    "D1,C1,invoice,0017,2026-09-01,2026-10-01,CNY,1234.50\n"
    "D2,C1,credit_note,18,2026-09-02,,JPY,1500\n"
    "D3,C2,invoice,19,2026-09-03,2026-10-03,KWD,1.234\n"
)


def test_customers_and_empty_cells_are_unknown(books: Any) -> None:
    books.write(
        customers="name,id,terms,status,email,first_sold_on\n  Acme  ,C1,EOM+30,,,\nBlue,C2,net:30,Blocked,b@b.cn,2020-02-29\n"
    )
    assert books.read("customers").facts == [
        Customer(id="C1", name="Acme", terms="eom:30", status="active"),
        Customer(
            id="C2", name="Blue", terms="net:30", status="blocked", email="b@b.cn", first_sold_on=DAY("2020-02-29")
        ),
    ]


def test_documents_are_in_minor_units_of_their_currency(books: Any) -> None:
    books.write(documents=DOCUMENTS)
    found = books.read("documents")
    assert [(d.id, d.number, d.kind, d.currency, d.amount) for d in found.facts] == [
        ("D1", "0017", "invoice", "CNY", 123450),
        ("D2", "18", "credit_note", "JPY", 1500),
        ("D3", "19", "invoice", "KWD", 1234),
    ]
    assert found.facts[1].due_on is None
    assert found.problems == []
    assert found.keys == ["D1", "D2", "D3"]


def test_every_other_file(books: Any) -> None:
    books.write(
        limits="customer_id,kind,amount,percent,condition\nC1,base,100,,\nC2,guarantee,50,80,\nC1,unlimited,,,\nC2,guarantee,50,0.5,x\n",
        documents=DOCUMENTS,
        instalments="document_id,number,due_on,amount\nD1,1,2026-10-01,1000\nD1,2,2026-11-01,234.50\n",
        payments="id,customer_id,received_on,currency,amount,kind\nP1,C1,2026-10-05,CNY,10,refund\n",
        applications="from_id,to_id,amount,applied_on,reversed_on\nP1,D1,7.00,2026-10-06,\nP1,D1,7.00,2026-10-07,2026-10-08\n",
        order_lines="order_id,line,quantity,unit_price,tax_rate\nO1,10,2.5,0.12345,0.13\n",
        rates="on,from,to,rate\n2026-10-01,USD,CNY,7.12345\n",
        financials="customer_id,period_end_on,months,currency,unit,audited,item,amount\nC1,2025-12-31,12,CNY,10000,是,revenue,12.5\n",
        events="id,customer_id,on,kind,source,text\nE1,C1,2026-01-02,court,registry,\"a, b\nsecond line\"\n",
    )  # fmt: skip
    assert books.read("limits").facts == [
        Limit(customer_id="C1", kind="base", amount=10000, currency="CNY"),
        Limit(customer_id="C2", kind="guarantee", amount=5000, currency="CNY", percent=Decimal("0.8")),
        Limit(customer_id="C1", kind="unlimited", currency="CNY"),
        Limit(customer_id="C2", kind="guarantee", amount=5000, currency="CNY", percent=Decimal("0.5"), condition="x"),
    ]
    assert books.read("instalments").facts[1] == Instalment(
        document_id="D1", number="2", due_on=DAY("2026-11-01"), amount=Decimal("234.50")
    )
    assert books.read("payments").facts[0].kind == "refund"
    assert [a.applied_on.day for a in books.read("applications").facts] == [6, 7]
    assert isinstance(books.read("applications").facts[0], Application)
    assert books.read("order_lines").facts == [
        OrderLine(
            order_id="O1", line="10", quantity=Decimal("2.5"), unit_price=Decimal("0.12345"), tax_rate=Decimal("0.13")
        )
    ]
    assert books.read("rates").facts == [
        Rate(on=DAY("2026-10-01"), from_currency="USD", to_currency="CNY", rate=Decimal("7.12345"))
    ]
    assert books.read("financials").facts == [
        Financial(
            customer_id="C1", period_end_on=DAY("2025-12-31"), months=12, currency="CNY", unit=10000, audited=True,
            item="revenue", amount=Decimal("12.5"),
        )
    ]  # fmt: skip
    assert books.read("events").facts == [
        Event(
            id="E1", customer_id="C1", on=DAY("2026-01-02"), kind="court", source="registry", text="a, b\nsecond line"
        )
    ]
    for stream in ("limits", "instalments", "payments", "applications", "order_lines", "rates", "financials", "events"):
        assert books.read(stream).problems == [], stream


def test_a_limit_without_currency_is_in_its_customers(books: Any) -> None:
    books.write(
        customers="id,name,currency\nC1,Acme,JPY\nC2,Blue,\n",
        limits="customer_id,kind,amount,currency\nC1,base,5000,\nC1,additive,70,USD\nC2,base,5000,\n",
    )
    assert [(x.currency, x.amount) for x in books.read("limits", base="KWD").facts] == [
        ("JPY", 5000),
        ("USD", 7000),
        ("KWD", 5_000_000),
    ]


def test_a_changed_customer_currency_reads_the_limits_again(books: Any) -> None:
    books.write(limits="customer_id,kind,amount\nC1,base,5000\n")
    first = books.read("limits")
    books.write(customers="id,name,currency\nC1,Acme,JPY\n")
    assert [x.currency for x in books.read("limits", first.cursor).facts] == ["JPY"]


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (codecs.BOM_UTF8 + "id,name\nC1,华远\n".encode(), {}),
        ("id,name\r\nC1,华远\r\n".encode(), {}),
        ("id;name\nC1;华远".encode(), {"delimiter": ";"}),
        ("id,name\nC1,华远\n".encode("gb18030"), {"encoding": "gb18030"}),
        ("id,name\nC1,华远\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("\n\nid,name\n,\nC1,华远\n\n".encode(), {}),
    ],
    ids=["bom", "crlf", "semicolon", "gb18030", "utf-16", "blank lines"],
)  # fmt: skip
def test_how_a_csv_may_be_written(books: Any, content: bytes, settings: dict[str, Any]) -> None:
    books.write(customers=content)
    found = books.read("customers", **settings)
    assert found.facts == [Customer(id="C1", name="华远")]
    assert found.problems == []


def test_an_unchanged_file_is_no_work_and_a_changed_one_is_read_whole(books: Any) -> None:
    first = books.read("customers")
    assert first.pages[-1].full
    second = books.read("customers", first.cursor)
    assert (second.keys, [p.full for p in second.pages]) == ([], [False])
    books.write(customers="id,name\nC2,Blue\n")
    third = books.read("customers", second.cursor)
    assert (third.keys, third.pages[-1].full) == (["C2"], True)


def test_a_pull_goes_on_after_any_page(books: Any) -> None:
    books.write(customers="id,name\n" + "".join(f"C{n},Name {n}\n" for n in range(10)))
    whole = books.read("customers", page_rows=3)
    assert [len(p.records) for p in whole.pages] == [3, 3, 3, 1]
    for at, page in enumerate(whole.pages[:-1], 1):
        rest = books.read("customers", page.cursor, page_rows=3)
        assert rest.keys == whole.keys[3 * at :]
        assert rest.pages[-1].full
        assert rest.cursor == whole.cursor


def test_a_file_that_changes_between_two_pages_is_read_from_the_start(books: Any) -> None:
    books.write(customers="id,name\n" + "".join(f"C{n},Name {n}\n" for n in range(4)))
    cursor = books.read("customers", page_rows=2).pages[0].cursor
    books.write(customers="id,name\nC9,New\n")
    found = books.read("customers", cursor, page_rows=2)
    assert found.keys == ["C9"]
    assert found.cursor is None, "the next pull finds what only the old file held"


def test_a_file_that_changes_under_the_reader_sweeps_nothing(books: Any) -> None:
    adapter = adapters.load("files")
    books.write(customers="id,name\n" + "".join(f"C{n},Name {n}\n" for n in range(4)))
    pages = adapter.stream("customers").read(books.client(page_rows=2), None, ("id", "name"))
    next(pages)
    books.write(customers="id,name\nC9,New one, longer\n")
    last = list(pages)[-1]
    assert (last.last, last.full, last.cursor) == (True, False, None)
    assert last.problems[-1].code == "file_changed"


def test_changes_only_sweep_nothing_and_a_later_file_may_repeat_an_id(books: Any) -> None:
    (books.folder / "customers.csv").unlink()
    books.write(customers_1="id,name\nC1,Old\n", customers_2="id,name\nC1,New\n")
    found = books.read("customers", files={"customers": "customers_*.csv"}, incremental=True)
    assert [c.name for c in found.facts] == ["Old", "New"]
    assert [p.full for p in found.pages] == [False]
    assert found.problems == []


def test_several_files_are_one_stream_and_a_half_written_one_is_left(books: Any) -> None:
    books.write(customers_a="id,name\nC1,A\n", customers_b="name,id\nB,C2\n")
    (books.folder / "customers_c.csv.tmp").write_text("id,name\nC3,", encoding="utf-8")
    found = books.read("customers", files={"customers": "customers_*"})
    assert [(c.id, c.name) for c in found.facts] == [("C1", "A"), ("C2", "B")]


def test_files_may_be_missing(books: Any) -> None:
    assert books.read("promises").pages[0].full is False
    assert books.read("promises").problems == []


def test_a_header_alone_says_that_there_is_none(books: Any) -> None:
    books.write(documents=DOCUMENTS)
    first = books.read("documents")
    books.write(documents=DOCUMENTS.splitlines()[0] + "\n")
    second = books.read("documents", first.cursor)
    assert (second.keys, second.pages[-1].full, second.problems) == ([], True, [])


def test_a_file_that_has_gone_is_told_and_nothing_is_swept(books: Any) -> None:
    books.write(documents=DOCUMENTS)
    first = books.read("documents")
    (books.folder / "documents.csv").unlink()
    with pytest.raises(ConfigError, match="is gone; its data is kept"):
        books.read("documents", first.cursor)


def test_after_an_unreadable_row_nothing_is_taken_for_gone(books: Any) -> None:
    books.write(documents=DOCUMENTS + "D4,C1,invoice\n")
    found = books.read("documents", page_rows=2)
    assert found.keys == ["D1", "D2", "D3"]
    assert [p.full for p in found.pages] == [True, False]
    again = books.read("documents", found.cursor)
    assert again.keys == []
    assert again.problems == found.problems, "an unchanged file still has its problems"


def test_a_row_without_a_key_of_its_own_is_known_by_what_it_says(books: Any) -> None:
    mapping = (
        'adapter = "files"\n[read.rate]\nstream = "rates"\n[read.rate.fields]\n'
        'on = "day"\nfrom_currency = "ccy"\nto_currency = { value = "CNY" }\nrate = "mid"\n'
    )
    books.write(rates="day,ccy,mid\n2026-01-02,USD,7.1\n2026-01-03,USD,7.2\n")
    first = books.read("rates", mapping=mapping)
    assert [r.rate for r in first.facts] == [Decimal("7.1"), Decimal("7.2")]
    assert len(set(first.keys)) == 2
    named = books.read("rates", mapping=mapping, keys={"rates": ["ccy", "day"]})
    assert named.keys == ["USD|2026-01-02", "USD|2026-01-03"]


def test_customers_of_an_invoice_list_are_said_on_many_rows(books: Any) -> None:
    books.write(list="id,name,no\nC1,Acme,1\nC2,Blue,2\nC1,Acme again,3\n")
    found = books.read("customers", files={"customers": "list.csv"}, repeated=["customers"])
    assert [(c.id, c.name) for c in found.facts] == [("C1", "Acme"), ("C2", "Blue")]
    assert found.problems == []


def test_columns_that_are_of_no_use_are_not_reported(books: Any) -> None:
    books.write(customers="id,name,colour\nC1,Acme,red\n")
    assert books.read("customers", unused=["colour"]).problems == []


def test_check_tells_what_is_there(books: Any) -> None:
    books.write(documents=DOCUMENTS)
    adapter = adapters.load("files")
    told = [(f.state, f.what.en) for f in adapter.check(books.client(), ())]
    assert ("fine", "customers.csv: 2 rows") in told
    assert ("fine", "documents.csv: 3 rows") in told
    assert ("fine", "events.csv: none, which is allowed") in told
    (books.folder / "customers.csv").unlink()
    assert [f.what.zh for f in adapter.check(books.client(), ()) if f.state == "wrong"] == ["缺少 customers.csv。"]
    assert [f.state for f in adapter.check(books.client("nowhere"), ())] == ["wrong"]


def test_without_customers_a_person_must_act_and_without_a_folder_the_system_is_in_trouble(
    books: Any, tmp_path: Path
) -> None:
    (tmp_path / "customers.csv").unlink()
    with pytest.raises(ConfigError, match=r"customers\.csv is not in "):
        books.read("customers")
    with pytest.raises(TransientError, match=r"There is no book at .*nowhere"):
        books.read("customers", path="nowhere")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12), min_size=1, max_size=8
    )
)
def test_any_text_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    import csv

    from adapters.files.rows import CsvPart

    file = tmp_path_factory.mktemp("any") / "customers.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([["id", "name"], *([f"C{n}", name] for n, name in enumerate(names))])
    rows = list(CsvPart(file, "utf-8", ",").rows())
    assert [cells[1] for _, cells in rows[1:]] == names  # type: ignore[index]
