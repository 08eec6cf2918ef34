"""Bad files and bad rows: what a person is told, in both languages, and that everything else is read all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from connector.errors import ConfigError

HEAD = "id,customer_id,kind,issued_on,due_on,currency,amount\n"
GOOD = "D1,C1,invoice,2026-09-01,2026-10-01,CNY,10.00\n"
ALSO = "D9,C2,invoice,2026-09-09,2026-10-09,CNY,90.00\n"
LIMITS = "customer_id,kind,amount,currency,percent,valid_from,valid_to\n"
LINES = "order_id,line,quantity,unit_price,tax_rate\n"


@dataclass(frozen=True)
class Bad:
    """One kind of broken input: the file, what is said of it, and the keys of the facts that are there none the less."""

    stream: str
    content: str | bytes
    said: list[tuple[str, str, str]]
    there: list[str]
    settings: dict[str, Any] = field(default_factory=dict)
    full: bool = True


def documents(row: str) -> str:
    return HEAD + GOOD + row + ALSO


CASES: dict[str, Bad] = {
    # --- rows that cannot be read ---
    "too few cells": Bad(
        "documents",
        documents("D2,C1,invoice\n"),
        [
            (
                "documents.csv:3",
                'This row has 3 cells, the header has 7. Complete the row, or put texts that contain the delimiter in "…".',
                '该行有 3 个单元格，表头有 7 列。请补全该行；含有分隔符的文本请用 "…" 括住。',
            )
        ],
        ["D1", "D9"],
        full=False,
    ),
    "a comma in an unquoted text": Bad(
        "customers",
        "id,name\nC1,Acme\nC2,Blue, Inc.\nC3,Cyan\n",
        [
            (
                "customers.csv:3",
                'This row has 3 cells, the header has 2. Complete the row, or put texts that contain the delimiter in "…".',
                '该行有 3 个单元格，表头有 2 列。请补全该行；含有分隔符的文本请用 "…" 括住。',
            )
        ],
        ["C1", "C3"],
        full=False,
    ),
    "a quotation mark that is never closed": Bad(
        "customers",
        'id,name\nC1,Acme\nC2,"Blue\n' + "".join(f"C{n},Name\n" for n in range(3, 90)),
        [
            (
                "customers.csv:3",
                'A quotation mark in this row is misplaced or never closed. Put texts in "…" and double the quotes inside: "…""…".',
                '该行的引号位置不对，或没有闭合。请用 "…" 括住文本，其中的引号写两次："…""…"。',
            )
        ],
        ["C1", *(f"C{n}" for n in range(3, 90))],
        full=False,
    ),
    "text after a closed quotation mark": Bad(
        "customers",
        'id,name\nC1,"Acme" Ltd\nC2,Blue\n',
        [
            (
                "customers.csv:2",
                'A quotation mark in this row is misplaced or never closed. Put texts in "…" and double the quotes inside: "…""…".',
                '该行的引号位置不对，或没有闭合。请用 "…" 括住文本，其中的引号写两次："…""…"。',
            )
        ],
        ["C2"],
        full=False,
    ),
    "one row in another encoding": Bad(
        "customers",
        "id,name\nC1,华远\n".encode() + b"C2,M\xfcller \xff\nC3,Cyan\n",
        [
            (
                "customers.csv:3",
                "This row is not UTF-8 text. Save the file as UTF-8.",
                "该行不是 UTF-8 编码的文本。请将文件另存为 UTF-8 编码。",
            )
        ],
        ["C1", "C3"],
        full=False,
    ),
    "a file saved by a Chinese Excel": Bad(
        "customers",
        "id,name\nC1,Acme\nC2,华远\n".encode("gbk"),
        [
            (
                "customers.csv:3",
                'This row is not UTF-8 text. Save the file as UTF-8, or set `encoding = "gb18030"` in the system\'s settings.',
                '该行不是 UTF-8 编码的文本。请将文件另存为 UTF-8，或在系统设置中写上 `encoding = "gb18030"`。',
            )
        ],
        ["C1"],
        full=False,
    ),
    "a NUL byte": Bad(
        "customers",
        b"id,name\nC1,Acme\nC2,Bl\0ue\n",
        [
            (
                "customers.csv:3",
                "This row contains a NUL byte. Export the file again; it is damaged.",
                "该行含有 NUL 字节。文件已损坏，请重新导出。",
            )
        ],
        ["C1"],
        full=False,
    ),
    "an empty id": Bad(
        "documents",
        documents(",C1,invoice,2026-09-02,,CNY,1.00\n"),
        [
            (
                "documents.csv:3",
                "“id” is empty: the row cannot be told from others. Fill it in.",
                "“id”为空：无法与其他行区分。请填写。",
            )
        ],
        ["D1", "D9"],
        full=False,
    ),
    "an id that stands twice": Bad(
        "documents",
        documents("D1,C2,invoice,2026-09-02,,CNY,5.00\n"),
        [
            (
                "documents.csv:3",
                "The id “D1” stands already in documents.csv:2; this row was left out. Remove one of the two, or give each its own.",
                "id“D1”已出现在documents.csv:2；该行未采用。请删除其中一行，或给出不同的值。",
            )
        ],
        ["D1", "D9"],
    ),
    # --- files that cannot be read ---
    "an empty file": Bad(
        "documents",
        "",
        [
            (
                "documents.csv:1",
                "The file is empty; not even a header row is there. Give it its header row; a header alone says that there is none.",
                "文件为空，连表头行都没有。请写上表头行；只有表头表示没有数据。",
            )
        ],
        [],
        full=False,
    ),
    "two columns of one name": Bad(
        "customers",
        "id,name,name\nC1,Acme,Acme\n",
        [
            (
                "customers.csv:1",
                "Two columns are called “name”; the file was not read. Give each column a name of its own.",
                "有两列都叫“name”；该文件未读取。请为每一列取不同的名称。",
            )
        ],
        [],
        full=False,
    ),
    "a required column that is not there": Bad(
        "customers",
        "id,nmae\nC1,Acme\n",
        [
            (
                "customers.csv:1",
                "The required column “name” is not there; the file was not read. Add it, or map another in its place. The nearest is “nmae”.",
                "缺少必需的列“name”；该文件未读取。请补上该列，或在映射中改用其他列。最接近的是“nmae”。",
            )
        ],
        [],
        full=False,
    ),
    "an unknown column": Bad(
        "customers",
        "id,name,credit_limt,curency\nC1,Acme,5,CNY\n",
        [
            (
                "customers.csv:1",
                "The mapping does not know these columns, they were ignored: credit_limt, curency (currency?). "
                "Map them or correct their names; name those that are of no use in `unused` in the settings.",
                "映射中没有以下列，已忽略：credit_limt, curency (currency?)。请加入映射或更正列名；不需要的列可写入设置中的 `unused`。",
            )
        ],
        ["C1"],
    ),
    "a column without a name": Bad(
        "customers",
        "id,name,\nC1,Acme,x\n",
        [
            (
                "customers.csv:1",
                "Column 3 has no name and was ignored. Name it, or remove it.",
                "第 3 列没有名称，已忽略。请为其命名，或将其删除。",
            )
        ],
        ["C1"],
    ),
    "another delimiter": Bad(
        "customers",
        "id;name;currency\nC1;Acme;CNY\n",
        [
            (
                "customers.csv:1",
                'The columns are divided by “;”. Set `delimiter = ";"` in the system\'s settings.',
                '各列以“;”分隔。请在系统设置中写上 `delimiter = ";"`。',
            )
        ],
        [],
        full=False,
    ),
    "UTF-16": Bad(
        "customers",
        "id,name\nC1,Acme\n".encode("utf-16"),
        [
            (
                "customers.csv:1",
                'The file is UTF-16 (“Unicode text”), not UTF-8. Save it as “CSV UTF-8”, or set `encoding = "utf-16"`.',
                '该文件是 UTF-16（“Unicode 文本”），不是 UTF-8。请另存为“CSV UTF-8”，或设置 `encoding = "utf-16"`。',
            )
        ],
        [],
        full=False,
    ),
    # --- values that cannot be read: the row is set aside, its record is kept ---
    "a missing required value": Bad(
        "documents",
        documents("D2,,invoice,2026-09-02,,CNY,1.00\n"),
        [
            (
                "documents.csv:3",
                "This document has no `customer_id`. Fill in “customer_id”, or map `customer_id` from another one.",
                "该单据缺少 `customer_id`。请填写“customer_id”，或将 `customer_id` 映射到其他字段。",
            )
        ],
        ["D1", "D9"],
    ),
    "an empty amount is not zero": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02,,CNY,\n"),
        [
            (
                "documents.csv:3",
                "This document has no `amount`. Fill in “amount”, or map `amount` from another one.",
                "该单据缺少 `amount`。请填写“amount”，或将 `amount` 映射到其他字段。",
            )
        ],
        ["D1", "D9"],
    ),
    "thousands separators": Bad(
        "documents",
        documents('D2,C1,invoice,2026-09-02,,CNY,"1,234.50"\n'),
        [
            (
                "documents.csv:3",
                "“1,234.50” is not a plain number like 1234.50. "
                'Remove the thousands separators, or set `convert = "money_grouped"` in the mapping.',
                '“1,234.50”不是 1234.50 这样的普通数字。请去掉千分位分隔符，或在映射中设置 `convert = "money_grouped"`。',
            )
        ],
        ["D1", "D9"],
    ),
    "a decimal comma": Bad(
        "documents",
        documents('D2,C1,invoice,2026-09-02,,EUR,"12,5"\n'),
        [
            (
                "documents.csv:3",
                '“12,5” is not a plain number like 1234.50. Write the number with a dot, or set `convert = "money_comma"` in the mapping.',
                '“12,5”不是 1234.50 这样的普通数字。请用小数点书写数字，或在映射中设置 `convert = "money_comma"`。',
            )
        ],
        ["D1", "D9"],
    ),
    "a word for an amount": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02,,CNY,n/a\n"),
        [
            (
                "documents.csv:3",
                "“n/a” is not a plain number like 1234.50. Correct the number.",
                "“n/a”不是 1234.50 这样的普通数字。请更正该数字。",
            )
        ],
        ["D1", "D9"],
    ),
    "more decimals than the currency": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02,,JPY,100.50\n"),
        [
            (
                "documents.csv:3",
                "“100.50” has more decimals than JPY knows. Correct the amount or its currency: JPY has 0 decimals.",
                "“100.50”的小数位数超过了 JPY 的位数。请更正金额或币种：JPY 有 0 位小数。",
            )
        ],
        ["D1", "D9"],
    ),
    "an amount that is too big": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02,,CNY,99999999999999999999\n"),
        [
            (
                "documents.csv:3",
                "“99999999999999999999” is too big for an amount. Correct the value.",
                "“99999999999999999999”超出了金额的范围。请更正该值。",
            )
        ],
        ["D1", "D9"],
    ),
    "a negative invoice": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02,,CNY,-5.00\n"),
        [
            (
                "documents.csv:3",
                "The amount is negative; the kind gives the sign. Use kind credit_note with a positive amount.",
                "金额为负数；正负应由类别决定。请使用 credit_note（贷项）类别并填写正数金额。",
            )
        ],
        ["D1", "D9"],
    ),
    "a currency that is none": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02,,RMB,5.00\n"),
        [
            (
                "documents.csv:3",
                "“RMB” is not an ISO currency code. "
                'Use three letters such as CNY, or add `values = { "RMB" = "CNY" }` to the mapping.',
                '“RMB”不是 ISO 货币代码。请用 CNY 这样的三字母代码，或在映射中加入 `values = { "RMB" = "CNY" }`。',
            )
        ],
        ["D1", "D9"],
    ),
    "a day that is not in the calendar": Bad(
        "documents",
        documents("D2,C1,invoice,2026-02-30,,CNY,5.00\n"),
        [
            (
                "documents.csv:3",
                "“2026-02-30” is not a day of the calendar. Correct the date.",
                "日历上没有“2026-02-30”这一天。请更正该日期。",
            )
        ],
        ["D1", "D9"],
    ),
    "a date of another form": Bad(
        "documents",
        documents("D2,C1,invoice,02/09/2026,,CNY,5.00\n"),
        [
            (
                "documents.csv:3",
                "“02/09/2026” is not a date. Write dates as 2026-11-23, or give the mapping a `format` such as `%d.%m.%Y`.",
                "“02/09/2026”不是日期。请按 2026-11-23 书写日期，或在映射中给出 `format`，例如 `%Y/%m/%d`。",
            )
        ],
        ["D1", "D9"],
    ),
    "a moment for a day": Bad(
        "documents",
        documents("D2,C1,invoice,2026-09-02T23:30:00Z,,CNY,5.00\n"),
        [
            (
                "documents.csv:3",
                "“2026-09-02T23:30:00Z” is a moment, not a calendar day. "
                'Set `convert = "date_in_zone"`: the day depends on the business\'s time zone.',
                '“2026-09-02T23:30:00Z”是一个时刻，不是日历日期。请设置 `convert = "date_in_zone"`：日期取决于企业所在时区。',
            )
        ],
        ["D1", "D9"],
    ),
    "a year that cannot be meant": Bad(
        "documents",
        documents("D2,C1,invoice,0226-09-02,,CNY,5.00\n"),
        [
            (
                "documents.csv:3",
                "“0226-09-02” lies before the year 1900. Correct the date; an unknown date stays empty.",
                "“0226-09-02”早于 1900 年。请更正该日期；未知的日期请留空。",
            )
        ],
        ["D1", "D9"],
    ),
    "an unknown kind": Bad(
        "documents",
        documents("D2,C1,Rechnung,2026-09-02,,CNY,5.00\n"),
        [
            (
                "documents.csv:3",
                "“Rechnung” is not one of invoice, debit_note, credit_note, bill_of_exchange. "
                "Correct it, or translate it with a `values` table in the mapping.",
                "“Rechnung”不在 invoice, debit_note, credit_note, bill_of_exchange 之中。请更正，或在映射中用 `values` 表翻译。",
            )
        ],
        ["D1", "D9"],
    ),
    "terms that nobody understands": Bad(
        "customers",
        "id,name,terms\nC1,Acme,see contract\nC2,Blue,30天\n",
        [
            (
                "customers.csv:2",
                "The payment terms “see contract” are not understood. Use `net:30`, `months:1`, `eom:30` or `day:10:1`, "
                'or add `values = { "see contract" = "net:30" }` to the mapping.',
                "无法识别付款条件“see contract”。请使用 `net:30`、`months:1`、`eom:30` 或 `day:10:1`，"
                '或在映射中加入 `values = { "see contract" = "net:30" }`。',
            )
        ],
        ["C2"],
    ),
    "a limit without an amount": Bad(
        "limits",
        LIMITS + "C1,base,,CNY,,,\nC2,unlimited,,,,,\n",
        [
            (
                "limits.csv:2",
                "A limit of kind base needs an amount; an empty one is not zero. Fill in the amount, or remove the limit.",
                "base 类额度必须有金额；空白不等于零。请填写金额，或删除该额度。",
            )
        ],
        ["C2|unlimited|"],
    ),
    "a limit that ends before it begins": Bad(
        "limits",
        LIMITS + "C1,base,5,CNY,,2026-12-31,2026-01-01\nC2,base,0,CNY,,,\n",
        [
            (
                "limits.csv:2",
                "The limit ends (2026-01-01) before it begins (2026-12-31). Correct one of the two days.",
                "额度的失效日（2026-01-01）早于生效日（2026-12-31）。请更正其中一个日期。",
            )
        ],
        ["C2|base|"],
    ),
    "a tax rate of thirteen": Bad(
        "order_lines",
        LINES + "O1,1,2,10,13\nO1,2,2,10,0.13\n",
        [
            (
                "order_lines.csv:2",
                "More than the whole: a share is a fraction of 1, such as 0.13. "
                'Correct it, or set `convert = "percent"` in the mapping where 13 means 13 %.',
                '超过了整体：比例是 1 的分数，例如 0.13。请更正；若 13 表示 13%，请在映射中设置 `convert = "percent"`。',
            )
        ],
        ["O1|2"],
    ),
    "a rate of zero": Bad(
        "rates",
        "on,from,to,rate\n2026-01-01,USD,CNY,0\n2026-01-02,USD,CNY,7.1\n",
        [("rates.csv:2", "A rate must be greater than zero. Correct the value.", "汇率必须大于零。请更正该值。")],
        ["2026-01-02|USD|CNY"],
    ),
    "months that are not whole": Bad(
        "financials",
        "customer_id,period_end_on,months,currency,item,amount\nC1,2025-12-31,11.5,CNY,revenue,1\nC2,2025-12-31,12,CNY,revenue,1\n",
        [("financials.csv:2", "“11.5” is not a whole number. Correct the number.", "“11.5”不是整数。请更正该数字。")],
        ["C2|2025-12-31|12|revenue"],
    ),
    "neither yes nor no": Bad(
        "financials",
        "customer_id,period_end_on,months,currency,item,amount,audited\nC1,2025-12-31,12,CNY,revenue,1,perhaps\nC2,2025-12-31,12,CNY,revenue,1,否\n",
        [
            (
                "financials.csv:2",
                "“perhaps” is neither yes nor no. Use true or false, or translate it with a `values` table.",
                "“perhaps”既不是“是”也不是“否”。请使用 true 或 false，或用 `values` 表翻译。",
            )
        ],
        ["C2|2025-12-31|12|revenue"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_person_is_told(books: Any, said: Callable[[Any], tuple[str, str, str]], name: str) -> None:
    case = CASES[name]
    books.write(**{case.stream: case.content})
    found = books.read(case.stream, **case.settings)
    assert [said(p) for p in found.problems] == case.said
    wrong = {p.where for p in found.problems}
    assert [r.key for page in found.pages for r in page.records if r.where not in wrong] == case.there
    assert len(found.facts) == len(case.there)
    assert found.pages[-1].full is case.full


def test_several_faults_of_a_row_are_told_at_once(books: Any) -> None:
    books.write(documents=documents("D2,,bill,yesterday,,EURO,five\n"))
    found = books.read("documents")
    assert [(p.where, p.field, p.code) for p in found.problems] == [
        ("documents.csv:3", "customer_id", "missing"),
        ("documents.csv:3", "kind", "unknown_word"),
        ("documents.csv:3", "issued_on", "not_a_date"),
        ("documents.csv:3", "currency", "no_currency"),
        ("documents.csv:3", "amount", "not_a_number"),
    ]
    assert [d.id for d in found.facts] == ["D1", "D9"]


def test_a_value_is_quoted_short_and_on_one_line(books: Any) -> None:
    books.write(documents=documents(f'D2,C1,invoice,2026-09-02,,CNY,"{"x" * 30}\n{"y" * 300}"\n'))
    (problem,) = books.read("documents").problems
    assert len(problem.what.en) < 100
    assert "\n" not in problem.what.en


def test_a_book_full_of_bad_rows_is_told_in_a_hundred_and_one_problems(books: Any) -> None:
    books.write(customers="id,name\n" + "C,too,many\n" * 5000 + "C1,Acme\n")
    found = books.read("customers")
    assert len(found.problems) == 101
    assert found.problems[-1].what.en == "4900 more rows of this file have problems."
    assert found.problems[-1].what.zh == "该文件另有 4900 行有问题。"
    assert [c.id for c in found.facts] == ["C1"]


def test_instalments_must_add_up_to_their_document(books: Any, said: Callable[[Any], tuple[str, str, str]]) -> None:
    books.write(
        documents=HEAD + GOOD + ALSO,
        instalments="document_id,number,due_on,amount\nD1,1,2026-10-01,4\nD1,2,2026-11-01,5.99\nD9,1,2026-10-09,90\nD7,1,2026-10-09,1\n",
    )
    found = books.read("instalments")
    assert [said(p) for p in found.problems] == [
        (
            "instalments.csv:2",
            "The instalments of document “D1” add up to 9.99, the document is 10.00. Correct the instalments or the document.",
            "单据“D1”的分期合计为 9.99，而单据金额为 10.00。请更正分期或单据金额。",
        ),
        (
            "instalments.csv:5",
            "There is no document “D7”. Correct document_id, or add the document.",
            "没有单据“D7”。请更正 document_id，或补上该单据。",
        ),
    ]
    assert len(found.facts) == 4
    books.write(documents=HEAD + GOOD.replace("10.00", "9.99") + ALSO)
    again = books.read("instalments", found.cursor)
    assert [p.code for p in again.problems] == ["no_document"], "a mended document is noticed"


def test_a_file_that_has_gone(books: Any) -> None:
    books.write(documents=HEAD + GOOD)
    cursor = books.read("documents").cursor
    (books.folder / "documents.csv").unlink()
    with pytest.raises(ConfigError) as gone:
        books.read("documents", cursor)
    assert gone.value.user.en == (
        "documents.csv was there at the last pull and is gone; its data is kept. "
        "Put it back, or put one with its header only to say that there is none."
    )
    assert gone.value.user.zh == (
        "documents.csv 上次拉取时还在，现在没有了；其数据予以保留。请放回该文件；若确实没有数据，请放入只有表头的文件。"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"path": ".", "encoding": "utf-88"}, "no such encoding"),
        ({"path": ".", "files": {"invoices": "x.csv"}}, "no stream “invoices”"),
        ({"path": ".", "keys": {"document": ["id"]}}, "did you mean “documents”"),
        ({"path": ".", "seperator": ";"}, "Extra inputs are not permitted"),
        ({}, "Field required"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_meant(settings: dict[str, Any], words: str) -> None:
    from adapters.files import ADAPTER

    with pytest.raises(ValueError, match=words):
        ADAPTER.settings.model_validate(settings)


def test_a_pattern_that_leads_out_of_the_folder(books: Any) -> None:
    with pytest.raises(ConfigError, match=r"“\.\./\*\.csv” leads out of the book's folder"):
        books.read("customers", files={"customers": "../*.csv"})


def test_workbooks_that_are_none(books: Any, tmp_path: Path) -> None:
    (tmp_path / "b.xlsx").write_bytes(b"PK but not really")
    with pytest.raises(ConfigError) as told:
        books.read("customers", path="b.xlsx")
    assert told.value.user.en == "b.xlsx is not a readable .xlsx workbook. Save it as .xlsx, without a password."
    assert told.value.user.zh == "b.xlsx 不是可读取的 .xlsx 工作簿。请另存为 .xlsx，且不要加密码。"


def test_bad_cells_of_a_workbook(books: Any, said: Callable[[Any], tuple[str, str, str]], tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "documents"
    for row in (
        ["id", "customer_id", "kind", "issued_on", "currency", "amount"],
        ["D1", "C1", "invoice", dt.date(2026, 9, 1), "CNY", 10],
        ["D2", "C1", "invoice", dt.date(2026, 9, 1), "CNY", "#REF!"],
        ["D3", "C1", "invoice", 46266, "CNY", 10],
        ["D4", "C1", "invoice", dt.datetime(2026, 9, 1, 8, 30), "CNY", 10],  # noqa: DTZ001 a workbook knows no zones
        ["D5", "C1", "invoice", dt.date(2026, 9, 1), "CNY", 10, "beyond"],
        ["D6", "C1", "invoice", dt.date(2026, 9, 1), "CNY", True],
    ):
        sheet.append(row)
    book.save(tmp_path / "b.xlsx")
    found = books.read("documents", path="b.xlsx")
    assert [d.id for d in found.facts] == ["D1"]
    assert sorted((p.where, p.what.en, p.what.zh) for p in found.problems) == [
        ("b.xlsx/documents:3", "A cell of this row shows the error #REF!.", "该行有单元格显示错误 #REF!。"),
        ("b.xlsx/documents:4", "“46266” is not a date.", "“46266”不是日期。"),
        (
            "b.xlsx/documents:5",
            "“2026-09-01T08:30:00” is a moment, not a calendar day.",
            "“2026-09-01T08:30:00”是一个时刻，不是日历日期。",
        ),
        ("b.xlsx/documents:6", "This row has 7 cells, the header has 6.", "该行有 7 个单元格，表头有 6 列。"),
        ("b.xlsx/documents:7", "“True” is not a plain number like 1234.50.", "“True”不是 1234.50 这样的普通数字。"),
    ]
