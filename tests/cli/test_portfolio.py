"""`report portfolio` and `report ecl`: every format on figures checked by hand, pictures that are safe to open anywhere."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import openpyxl
import pytest

from connector.cli.portfolio import PARTS
from tests.cli.calling import Called, call, shop

SVG = "{http://www.w3.org/2000/svg}"
DAY = ("--as-of", "2026-11-23")


def report(book: Path, name: str, *options: object, lang: str = "en") -> Called:
    done = call("-c", book, "report", name, *DAY, *options, lang=lang)
    assert done.code == 0, done
    return done


# What is open on the day, by eye: C001 6,000 + 4,000 + 5,000; C003 1,000 USD at 7.25; C004 345.50; C005 123,456 JPY at
# 0.05; C006 1.10. Overdue: C001's 10,000 and C003's dollars, one day late.
OWED = Decimal("15000") + Decimal("7250") + Decimal("345.50") + Decimal("6172.80") + Decimal("1.10")
LATE = Decimal("10000") + Decimal("7250")


def test_the_figures_of_the_day(book: Path) -> None:
    answer = report(book, "portfolio", "--months", "4", "--format", "json").json
    assert (answer["as_of"], answer["currency"], answer["ties"]) == ("2026-11-23", "CNY", True)
    assert [row["day"] for row in answer["trend"]] == ["2026-08-31", "2026-09-30", "2026-10-31", "2026-11-23"]
    now = answer["trend"][-1]
    assert {k: now[k] for k in ("receivables", "overdue", "unapplied", "balance", "debtors")} == {
        "receivables": f"{OWED:.2f}",
        "overdue": f"{LATE:.2f}",
        "unapplied": "-8500.00",
        "balance": f"{OWED - 8500:.2f}",
        "debtors": 5,
    }
    assert now["ageing"] == {
        "current": f"{OWED - LATE:.2f}", "1-30": "7250.00", "31-60": "4000.00", "61-90": "0.00", "91+": "6000.00",
    }  # fmt: skip
    # E7 of the domain on a day on which its second payment is there, but not applied; C001's first invoice is 31 days late.
    august = answer["trend"][0]
    assert (august["ageing"]["61-90"], august["ageing"]["31-60"]) == ("3000.00", "6000.00")
    assert (august["unapplied"], august["balance"]) == ("-4500.00", "4500.00")  # C002 0, C001 6,000 less a credit note
    first = answer["concentration"][0]
    assert (first["customer_id"], first["receivables"]) == ("C001", "15000.00")
    assert {row["currency"]: row["difference"] for row in answer["control"]} == {
        "CNY": "0.00", "JPY": "0", "USD": "0.00",
    }  # fmt: skip
    assert (
        sum(row["customers"] for row in answer["warnings"]) == sum(r["customers"] for r in answer["utilisation"]) == 9
    )


def test_csv_has_the_trend_or_the_part_that_is_asked_for(book: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(report(book, "portfolio", "--months", "3", "--format", "csv").out)))
    assert [row["day"] for row in rows] == ["2026-09-30", "2026-10-31", "2026-11-23"]
    assert Decimal(rows[-1]["receivables"]) == OWED
    part = report(book, "portfolio", "--part", "ageing", "--format", "csv").out
    assert sum(Decimal(row["amount"]) for row in csv.DictReader(io.StringIO(part))) == OWED
    wrong = call("-c", book, "report", "portfolio", *DAY, "--part", "nothing")
    assert (wrong.code, "trend" in wrong.err) == (2, True)


def test_a_workbook_has_a_sheet_for_each_part(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "portfolio.xlsx"
    report(book, "portfolio", "--out", out, lang="zh")
    sheets = openpyxl.load_workbook(out).worksheets
    assert len(sheets) == len(PARTS)
    named = {str(cell.value) for sheet in sheets for row in sheet.iter_rows() for cell in row}
    assert {"应收账款", "逾期率 %", "月末", "客户合计"} <= named
    kinds = {c.data_type for sheet in sheets for row in sheet.iter_rows() for c in row if str(c.value).startswith("=")}
    assert kinds <= {"s"}, "a name is not run as a formula"


def test_people_read_it_in_their_language(book: Path) -> None:
    english, chinese = report(book, "portfolio").out, report(book, "portfolio", lang="zh").out
    assert "The sum of customers is the ledger's balance at all 24 month ends." in english
    assert "全部 24 个月末的客户合计均与账面余额一致。" in chinese
    assert "华东机械（上海）有限公司" in english


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [v or "" for k, v in attrs if k == "id"]
        self.links += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "action")]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures_are_safe_and_can_be_heard(tmp_path: Path, lang: str) -> None:
    pytest.importorskip("pygal", reason="pictures need the extra charts")
    config = shop(
        tmp_path,
        customers='id,name,currency\nC1,"<script>alert(1)</script> & Söhne 华东",CNY',
        documents="id,customer_id,kind,issued_on,due_on,currency,amount\nD1,C1,invoice,2026-10-01,2026-10-31,CNY,100.00",
    )
    assert call("-c", config, "run").code == 0
    folder = tmp_path / "pictures"
    done = report(config, "portfolio", "--months", "18", "--pictures", folder, lang=lang)
    assert "portfolio.html" in done.err
    drawn = sorted(folder.glob("*.svg"))
    assert {file.stem for file in drawn} >= {"ageing", "dso", "overdue", "payment", "late", "warnings", "largest"}
    for file in drawn:
        text = file.read_text("utf-8")
        root = Xml.fromstring(text)
        assert not root.findall(f".//{SVG}script"), file
        assert text.count("http") == 1, "nothing but the name space"
        title, about = root[0], root[1]
        assert (title.tag, about.tag, root.get("role")) == (f"{SVG}title", f"{SVG}desc", "img")
        assert root.get("aria-labelledby") == f"{title.get('id')} {about.get('id')}"
        assert title.text
        assert about.text
        chinese = any("\u4e00" <= c <= "\u9fff" for c in title.text + about.text)
        assert chinese == (lang == "zh"), file
    page = (folder / "portfolio.html").read_text("utf-8")
    assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}">' in page
    seen = Page()
    seen.feed(page)
    assert not {"script", "link", "img", "iframe", "object"} & set(seen.tags)
    assert seen.links == []
    assert len(seen.ids) == len(set(seen.ids)) == 3 * len(drawn)
    assert seen.tags.count("svg") == len(drawn)
    assert seen.tags.count("table") == len(PARTS)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne 华东") >= 2


def test_png_is_twice_as_large(book: Path, tmp_path: Path) -> None:
    pytest.importorskip("pygal", reason="pictures need the extra charts")
    pytest.importorskip("resvg_py", reason="PNG needs the extra charts")
    report(book, "portfolio", "--months", "3", "--pictures", tmp_path)
    png = (tmp_path / "ageing.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (1920, 880)


def test_a_place_that_cannot_be_written_is_said(book: Path, tmp_path: Path) -> None:
    pytest.importorskip("pygal", reason="pictures need the extra charts")
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = call("-c", book, "report", "portfolio", *DAY, "--pictures", tmp_path / "file" / "deeper")
    assert (done.code, "cannot be written" in done.err) == (2, True)


# --- the allowance ----------------------------------------------------------------------------------------------------
def test_the_matrix_by_hand(book: Path) -> None:
    """Too young for rates of its own: the policy's are used, 0.5, 2, 5, 20 % and all of the last bucket."""
    answer = report(book, "ecl", "--format", "json").json
    balances = [OWED - LATE, Decimal(7250), Decimal(4000), Decimal(0), Decimal(6000)]
    rates = [Decimal(r) for r in ("0.005", "0.02", "0.05", "0.2", "1")]
    wanted = [f"{b * r:.2f}" for b, r in zip(balances, rates, strict=True)]
    assert [row["balance"] for row in answer["matrix"]] == [f"{b:.2f}" for b in balances]
    assert [row["allowance"] for row in answer["matrix"]] == wanted
    whole = sum(b * r for b, r in zip(balances, rates, strict=True))
    assert answer["allowance"] == f"{whole:.2f}"
    assert (answer["difference"], answer["balance_by_ledger"]) == ("0.00", f"{OWED - 8500:.2f}")
    assert answer["unapplied"] == "-8500.00"
    assert any("VAT is part of the balances" in note for note in answer["notes"])
    moved = answer["movement"][-1]
    amounts = {k: Decimal(moved[k]) for k in ("opening", "by_balance", "by_rate", "closing")}
    assert (
        amounts["opening"] + amounts["by_balance"] + amounts["by_rate"] == amounts["closing"] == Decimal(f"{whole:.2f}")
    )


def test_the_allowance_in_other_formats(book: Path, tmp_path: Path) -> None:
    said = report(book, "ecl", lang="zh").out
    assert "预期信用损失" in said
    assert "与账簿核对" in said
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(report(book, "ecl", "--format", "csv").out)))
    assert sum(Decimal(row["balance"]) for row in rows) == OWED
    out = tmp_path / "ecl.xlsx"
    report(book, "ecl", "--out", out)
    assert len(openpyxl.load_workbook(out).worksheets) == 4
