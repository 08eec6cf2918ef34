"""`report positions` against the outside contract: shape and meaning of every option, on figures checked by hand."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.cli.calling import Called, call, shop

DAY = ("--as-of", "2026-11-23")


def report(book: Path, *options: object, form: str = "json", lang: str = "en") -> Called:
    done = call("-c", book, "report", "positions", "--format", form, *options, lang=lang)
    assert (done.code, done.err) == (0, ""), done
    return done


def of(book: Path, customer: str, *options: object) -> dict[str, Any]:
    answer = report(book, *options).json
    [one] = [p for p in answer["positions"] if p["customer_id"] == customer]
    return one  # type: ignore[no-any-return]


def test_the_answer_is_the_one_of_the_contract(book: Path) -> None:
    answer = report(book, *DAY).json
    assert {k: answer[k] for k in ("as_of", "currency", "rates_as_of")} == {
        "as_of": "2026-11-23",
        "currency": "CNY",
        "rates_as_of": "2026-11-23",
    }
    first = answer["positions"][0]
    wanted = {
        "customer_id": "C001",
        "system": "books",
        "currency": "CNY",
        "buckets": {"current": "5000.00", "1-30": "0.00", "31-60": "4000.00", "61-90": "0.00", "91+": "6000.00"},
        "unapplied": "-8500.00",
        "balance": "6500.00",
        "overdue": "10000.00",
        "disputed": "0.00",
        "oldest_overdue_days": 115,
        "limit": {"kind": "amount", "amount": "20000.00"},
        "available": "13500.00",
        "utilisation": "0.3250",
        "score": None,
        "grade": None,
    }
    assert {k: first[k] for k in wanted} == wanted
    assert list(first["buckets"]) == list(wanted["buckets"])  # type: ignore[call-overload]
    parts = {
        "open_receivables": "15000.00",
        "unapplied_cash": "-7000.00",
        "unapplied_credit_notes": "-1500.00",
        "delivered_not_invoiced": "0.00",
        "ordered_not_delivered": "0.00",
        "bills": "0.00",
        "total": "6500.00",
    }
    assert {k: first["exposure"][k] for k in parts} == parts
    assert isinstance(first["hold"], bool)
    assert first["warning_level"] in ("green", "yellow", "orange", "red")
    assert [p["customer_id"] for p in answer["positions"]] == [f"C{n:03}" for n in range(1, 10)]


def test_limits_that_are_no_amount(book: Path) -> None:
    unlimited, none = of(book, "C003", *DAY), of(book, "C004", *DAY)
    assert (unlimited["limit"]["kind"], none["limit"]["kind"]) == ("unlimited", "none")
    for one in (unlimited, none):
        assert (one["limit"]["amount"], one["available"], one["utilisation"]) == (None, None, None)


def test_money_has_the_decimals_of_its_currency(book: Path) -> None:
    yen = of(book, "C005", *DAY)
    assert (yen["currency"], yen["balance"], yen["buckets"]["current"]) == ("JPY", "123456", "123456")


@pytest.mark.parametrize(
    ("options", "buckets", "unapplied"),
    [
        (("--placement", "separate"), "5000.00 0.00 4000.00 0.00 6000.00", "-8500.00"),
        # 8,500 of credits take the 6,000 that are due first, then 2,500 of the 4,000.
        (("--placement", "fifo"), "5000.00 0.00 1500.00 0.00 0.00", "0.00"),
        # By their own days: 7,000 on 11-01 (22 days), 1,500 on 08-20 (95 days).
        (("--placement", "own_bucket"), "5000.00 -7000.00 4000.00 0.00 4500.00", "0.00"),
    ],
)
def test_placement(book: Path, options: tuple[str, ...], buckets: str, unapplied: str) -> None:
    one = of(book, "C001", *DAY, *options)
    assert " ".join(one["buckets"].values()) == buckets
    assert (one["unapplied"], one["balance"]) == (unapplied, "6500.00")


@pytest.mark.parametrize(
    ("options", "buckets"),
    [
        # Issued 145, 83 and 8 days before.
        (
            ("--basis", "issue"),
            {
                "0-30": "5000.00",
                "31-60": "0.00",
                "61-90": "4000.00",
                "91-180": "6000.00",
                "181-365": "0.00",
                "365+": "0.00",
            },
        ),
        (
            ("--basis", "due", "--buckets", "53,114"),
            {"current": "5000.00", "1-53": "4000.00", "54-114": "0.00", "115+": "6000.00"},
        ),
        (
            ("--buckets", "10,60,120"),
            {"current": "5000.00", "1-10": "0.00", "11-60": "4000.00", "61-120": "6000.00", "121+": "0.00"},
        ),
    ],
)
def test_basis_and_buckets(book: Path, options: tuple[str, ...], buckets: dict[str, str]) -> None:
    assert of(book, "C001", *DAY, *options)["buckets"] == buckets


@pytest.mark.parametrize(
    ("day", "buckets", "unapplied", "late"),
    [
        ("2026-05-31", "0.00 0.00 0.00 0.00 0.00", "0.00", 0),
        ("2026-07-19", "0.00 10000.00 0.00 0.00 0.00", "0.00", 18),
        ("2026-07-31", "0.00 3000.00 0.00 0.00 0.00", "0.00", 30),
        # Received but not applied yet: the money is there, the invoice is still open.
        ("2026-08-31", "0.00 0.00 0.00 3000.00 0.00", "-3000.00", 61),
        ("2026-09-30", "0.00 0.00 0.00 0.00 0.00", "0.00", 0),
    ],
)
def test_any_day_is_told_as_it_was(book: Path, day: str, buckets: str, unapplied: str, late: int) -> None:
    one = of(book, "C002", "--as-of", day)
    assert " ".join(one["buckets"].values()) == buckets
    assert (one["unapplied"], one["oldest_overdue_days"]) == (unapplied, late)
    assert Decimal(one["balance"]) == sum(map(Decimal, one["buckets"].values())) + Decimal(unapplied)


def test_everything_in_one_currency(book: Path) -> None:
    dollars = of(book, "C001", *DAY, "--currency", "USD")
    # 6,500 / 7.25 = 896.5517…; 6,000 / 7.25 = 827.586…; 20,000 / 7.25 = 2,758.62…
    assert (dollars["currency"], dollars["balance"], dollars["buckets"]["91+"]) == ("USD", "896.55", "827.59")
    yuan = of(book, "C003", *DAY, "--currency", "CNY")
    assert (yuan["currency"], yuan["balance"]) == ("CNY", "7250.00")
    assert of(book, "C005", *DAY, "--currency", "CNY")["balance"] == "6172.80"


def test_ledger_amounts_tie_to_the_books_and_the_answer_says_so(book: Path) -> None:
    answer = report(book, *DAY, "--rates", "ledger").json
    assert (answer["rates"], answer["rates_as_of"]) == ("ledger", None)
    [dollar] = [p for p in answer["positions"] if p["customer_id"] == "C003"]
    assert (dollar["currency"], dollar["balance"], dollar["buckets"]["1-30"]) == ("CNY", "7100.00", "7100.00")
    assert report(book, *DAY).json["rates"] == "as_of"


def test_one_legal_entity(book: Path) -> None:
    assert of(book, "C004", *DAY)["balance"] == "345.50"
    assert of(book, "C004", *DAY, "--company", "East")["balance"] == "300.00"
    assert of(book, "C004", *DAY, "--company", "West")["balance"] == "45.50"


def test_only_who_owes(book: Path) -> None:
    owing = [p["customer_id"] for p in report(book, *DAY, "--owing").json["positions"]]
    assert owing == ["C001", "C003", "C004", "C005", "C006"]


@pytest.mark.parametrize("options", [(), ("--placement", "fifo"), ("--basis", "issue"), ("--currency", "CNY")])
def test_the_total_line_is_the_sum_of_the_rows(book: Path, options: tuple[str, ...]) -> None:
    """Read back from what a person sees: every column of figures adds up to the total of its currency."""
    lines = report(book, *DAY, *options, form="table").out.splitlines()
    told = [figures(line) for line in lines if line.startswith("Total")]
    assert len(told) == (1 if "--currency" in options else 3)
    for currency, totals in told:
        rows = [figures(line, len(totals)) for line in lines if line.startswith("C00")]
        mine = [row for code, row in rows if code == currency]
        assert totals == [sum(column) for column in zip(*mine, strict=True)]
        assert len(totals) == (10 if "issue" in options else 9), "buckets, unapplied, balance, overdue, exposure"


def figures(line: str, most: int | None = None) -> tuple[str, list[Decimal]]:
    """The currency of a line of the table, and the figures after it."""
    currency = next(code for code in ("CNY", "USD", "JPY") if f" {code} " in line)
    words = line.partition(f" {currency} ")[2].split()[:most]
    return currency, [Decimal(word.replace(",", "")) for word in words]


def test_a_table_and_its_json_agree(book: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report(book, *DAY, form="csv").out)))
    answers = report(book, *DAY).json["positions"]
    assert [(r["customer_id"], r["balance"], r["exposure"]) for r in rows] == [
        (a["customer_id"], a["balance"], a["exposure"]["total"]) for a in answers
    ]
    assert rows[0]["used"] == "0.3250"
    assert rows[0]["hold"] in ("true", "false")


def test_csv_runs_nothing(book: Path) -> None:
    rows = {r["customer_id"]: r for r in csv.DictReader(io.StringIO(report(book, *DAY, form="csv").out))}
    assert rows["C006"]["name"] == "'=1+1"
    assert rows["C007"]["name"] == "'+cmd|' /C calc'!A0"
    assert rows["C008"]["name"] == "'-2+3"
    assert rows["C009"]["name"] == "'@SUM(A1:A9)"
    assert rows["C001"]["unapplied"] == "-8500.00", "a number stays a number"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_xlsx_runs_nothing_and_numbers_are_numbers(book: Path, tmp_path: Path, lang: str) -> None:
    out = tmp_path / "positions.xlsx"
    done = call("-c", book, "report", "positions", *DAY, "--out", out, lang=lang)
    assert (done.code, done.out) == (0, "")
    sheet = openpyxl.load_workbook(out).active
    assert sheet is not None
    head = [cell.value for cell in sheet[1]]
    assert head[:3] == (["customer", "name", "cur."] if lang == "en" else ["客户", "名称", "币种"])
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}, "no formula"
    by_id = {row[0].value: row for row in sheet.iter_rows(min_row=2)}
    assert by_id["C006"][1].value == "=1+1"
    assert by_id["C006"][1].data_type == "s"
    assert by_id["C001"][head.index("balance" if lang == "en" else "余额")].value == 6500
    assert by_id["C005"][3].number_format == "#,##0", "yen have no decimals"
    assert by_id["C001"][3].number_format == "#,##0.00"


def test_files_are_written_in_the_format_of_their_name(book: Path, tmp_path: Path) -> None:
    assert call("-c", book, "report", "positions", "--out", tmp_path / "a.csv").code == 0
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").startswith("customer_id,name,currency,")
    assert call("-c", book, "report", "positions", "--out", tmp_path / "a.json").code == 0
    assert (tmp_path / "a.json").read_text(encoding="utf-8").startswith("{")
    told = call("-c", book, "report", "positions", "--out", tmp_path / "a.txt", lang="zh")
    assert told.err == f"已写出：{tmp_path / 'a.txt'}\n"
    assert "华东机械（上海）有限公司" in (tmp_path / "a.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--placement", "first"), "--placement first: one of separate, fifo, own_bucket."),
        (("--basis", "paid"), "--basis paid: one of due, issue, statutory."),
        (("--rates", "spot"), "--rates spot: one of as_of, ledger."),
        (("--buckets", "30,30"), "--buckets: each edge above the one before, from 1."),
        (("--buckets", "1.5"), "--buckets: whole days, such as 30,60,90."),
        (("--currency", "yuan"), "--currency: three capital letters, such as CNY."),
        (("--currency", "USD", "--rates", "ledger"), "--rates ledger is in the ledger's own currency"),
        (("--as-of", "23.11.2026"), "--as-of: “23.11.2026” is no day: write YYYY-MM-DD."),
        (("--format", "pdf"), "--format: “pdf” is none of table, json, csv, xlsx."),
        (("--format", "xlsx"), "XLSX needs a file: --out FILE.xlsx"),
        (("--out", "/no/such/folder/a.csv"), "/no/such/folder/a.csv cannot be written: No such file or directory."),
        (("--out", "/no/such/folder/a.xlsx"), "/no/such/folder/a.xlsx cannot be written: No such file or directory."),
    ],
)
def test_an_option_that_cannot_be_meant(book: Path, options: tuple[str, ...], words: str) -> None:
    done = call("-c", book, "report", "positions", *options)
    assert done.code == 2
    assert words in done.err
    assert done.out == ""
    chinese = call("-c", book, "report", "positions", *options, lang="zh")
    assert chinese.code == 2
    assert chinese.err.startswith("错误：")
    assert words not in chinese.err


def test_an_empty_ledger_says_what_to_do(tmp_path: Path) -> None:
    config = shop(tmp_path, customers="id,name")
    assert "No customers yet: holdfast run" in call("-c", config, "report", "positions").out
    assert "还没有客户" in call("-c", config, "report", "positions", lang="zh").out
    assert call("-c", config, "report", "positions", "--format", "json").json["positions"] == []


def test_what_has_no_rate_is_said_and_not_shown_as_nothing(book: Path) -> None:
    table = report(book, *DAY, "--currency", "SEK", "--owing", form="table")
    assert "5 customers have amounts without an exchange rate; figures and totals lack them." in table.out
    [line] = [line for line in table.out.splitlines() if line.startswith("C003 ")]
    assert line.endswith("USD 1,000.00")
    rows = {
        r["customer_id"]: r
        for r in csv.DictReader(io.StringIO(report(book, *DAY, "--currency", "SEK", form="csv").out))
    }
    assert (rows["C005"]["left_out"], rows["C002"]["left_out"]) == ("JPY 123,456", "")
    assert "无汇率" in report(book, *DAY, "--currency", "SEK", form="table", lang="zh").out
    assert "left_out" not in report(book, *DAY, form="csv").out


def test_nothing_to_show_says_why(book: Path) -> None:
    assert "Nothing is booked on “east”" in report(book, *DAY, "--company", "east", form="table").out
    early = report(book, "--as-of", "2020-01-01", "--owing", form="table", lang="zh").out
    assert "没有客户欠款。" in early


def test_problems_name_the_line_and_the_remedy(tmp_path: Path) -> None:
    config = shop(
        tmp_path,
        customers="id,name\nC1,One",
        documents="id,customer_id,kind,issued_on,currency,amount\nD1,C1,invoice,2026-13-01,CNY,5",
    )
    assert "No problems" in call("-c", config, "report", "problems").out
    call("-c", config, "run")
    [problem] = [
        p
        for p in call("-c", config, "report", "problems", "--format", "json").json["problems"]
        if p["field"] == "issued_on"
    ]
    assert "documents.csv" in problem["where"]
    assert "2026-13-01" in problem["what"]
    assert problem["fix"]
    assert "问题" in call("-c", config, "report", "problems", lang="zh").out
