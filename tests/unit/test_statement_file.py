"""Statement files by their content: workbooks old and new, HTML and tab text with a wrong name, and what is none."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import struct
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from connector import statement_file, statement_file_cells, statement_file_markup
from connector.credit.statement_sheet import Broken, Cell
from connector.errors import ConfigError
from connector.statement_file import open_file, opened

ROWS: list[list[Cell]] = [
    ["资产负债表"],
    ["编制单位：示例机电", None, "单位：元"],
    ["资产", "期末余额", "年初余额"],
    ["货币资金", "1,200,000.00", "900,000.00"],
]


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets:
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


def biff(rows: list[list[str | float]]) -> bytes:
    """An .xls of the second version by hand: a file of records, without a container."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    cells = b""
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            place = struct.pack("<HH", r, c) + b"\0\0\0"
            if isinstance(value, str):
                words = value.encode("latin-1")
                cells += record(0x0004, place + bytes([len(words)]) + words)
            else:
                cells += record(0x0003, place + struct.pack("<d", value))
    return record(0x0009, struct.pack("<HH", 2, 0x10)) + cells + record(0x000A, b"")


def page(charset: str) -> bytes:
    return f"""<html><head><meta charset="{charset}"><title>导出</title><style>td {{ color: red }}</style></head><body>
        <h2>资产负债表</h2><p>编制单位：示例机电 单位：元</p>
        <table><tr><th>资产</th><th>行次</th><th>期末余额</th></tr>
        <tr><td>货币资金</td><td rowspan="2">1</td><td>1,200.00</td></tr>
        <tr><td>存货<br>净额</td><td>&nbsp;</td></tr><tr><td colspan="2">资产总计</td><td>5</td></tr></table>
        </body></html>""".encode(charset)


def test_a_workbook_gives_its_cells_as_they_are_seen() -> None:
    book = workbook(
        ("资产负债表", [["货币资金", 0.1 + 0.2, 1200000, dt.date(2025, 12, 31), None, "=1+1"], ["x", True]])
    )
    found = opened("甲.xlsx", book)
    assert (found.kind, found.sha) == ("xlsx", hashlib.sha256(book).hexdigest())
    [sheet] = found.sheets
    assert sheet.rows[0] == ["货币资金", Decimal("0.3"), 1200000, dt.date(2025, 12, 31), None, Broken("=1+1")]


def test_hidden_sheets_are_not_read() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("利润表", [["a"]]), ("旧", [["b"]]))))
    book["旧"].sheet_state = "hidden"
    body = io.BytesIO()
    book.save(body)
    assert [s.name for s in opened("x.xlsx", body.getvalue()).sheets] == ["利润表"]


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_a_page_called_xls_is_a_page(charset: str) -> None:
    found = opened("资产负债表.xls", page(charset))
    assert found.kind == "html"
    assert found.sheets[0].rows == [
        ["资产负债表"],
        ["编制单位：示例机电 单位：元"],
        ["资产", "行次", "期末余额"],
        ["货币资金", "1", "1,200.00"],
        ["存货 净额", None, None],
        ["资产总计", None, "5"],
    ]


def test_tables_that_lay_out_the_page_do_no_harm() -> None:
    body = "<table><tr><td>菜单<table><tr><td>资产</td><td>期末余额</td></tr><tr><td>货币资金</td><td>5</td></tr></table></td><td>页脚</td></tr></table>"
    assert opened("x.xls", body.encode()).sheets[0].rows == [["菜单"], ["资产", "期末余额"], ["货币资金", "5"]]


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_tab_text_called_xls_is_text(charset: str) -> None:
    text = "\r\n".join("\t".join("" if c is None else str(c) for c in row) for row in ROWS)
    found = opened("利润表.xls", text.encode(charset))
    assert found.kind == "text"
    assert [list(row) for row in found.sheets[0].rows] == ROWS


def test_the_xml_of_excel_2003() -> None:
    text = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
        <Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
            xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
        <Styles><Style ss:ID="Default"><Font/></Style></Styles>
        <Worksheet ss:Name="利润表"><Table><Row><Cell ss:MergeAcross="2"><Data ss:Type="String">利润表</Data></Cell></Row>
        <Row ss:Index="3"><Cell><Data ss:Type="String">项目</Data></Cell>
        <Cell ss:Index="3"><Data ss:Type="Number">1200000.10</Data></Cell><Cell/><Cell><Data ss:Type="Error">#REF!</Data></Cell>
        <Cell><Data ss:Type="DateTime">2025-12-31T00:00:00.000</Data></Cell></Row></Table></Worksheet></Workbook>"""
    found = opened("利润表.xls", text.encode())
    assert (found.kind, found.sheets[0].name) == ("xml", "利润表")
    assert found.sheets[0].rows == [
        ["利润表", None, None],
        [],
        ["项目", None, Decimal("1200000.1"), None, Broken("#REF!"), dt.date(2025, 12, 31)],
    ]


def test_commas_and_semicolons() -> None:
    commas = opened("a.csv", '资产,期末余额,年初余额\n货币资金,"1,200,000.00","900,000.00"\n'.encode())
    assert commas.sheets[0].rows[1] == ["货币资金", "1,200,000.00", "900,000.00"]
    semicolons = opened("a.csv", "资产;期末余额;年初余额\n货币资金;1,200,000.00;900,000.00\n".encode())
    assert semicolons.sheets[0].rows == commas.sheets[0].rows


def test_an_old_workbook_without_a_container() -> None:
    found = opened("book.xls", biff([["Total assets", 0.1 + 0.2], ["Cash", 1200000.0]]))
    assert found.kind == "xls"
    assert [list(row) for row in found.sheets[0].rows] == [["Total assets", Decimal("0.3")], ["Cash", Decimal(1200000)]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"%PDF-1.7 ...", "no workbook that can be read"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no workbook that can be read"),
        (b"", "no workbook that can be read"),
        (b"PK\x03\x04 cut off", "no workbook that can be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "no workbook that can be read"),
        (b'<?xml version="1.0"?><xbrl xmlns="http://www.xbrl.org/2003/instance"></xbrl>', "XBRL"),
        (b'<html xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><table></table></html>', "XBRL"),
    ],
)
def test_what_is_no_workbook_says_what_to_do(body: bytes, words: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        opened("报表.xls", body)
    assert words in wrong.value.user.en
    assert "报表.xls" in wrong.value.user.zh


def test_what_is_too_large_is_not_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(statement_file, "BYTES_MOST", 10)
    (tmp_path / "x.csv").write_text("资产,期末余额\n货币资金,1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="this is no statement"):
        open_file(tmp_path / "x.csv")
    for module in (statement_file_cells, statement_file_markup):
        monkeypatch.setattr(module, "ROWS_MOST", 3)
    xml = f'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet>{"<Row/>" * 4}</Worksheet></Workbook>'
    far = xml.replace("<Row/>", '<Row ss:Index="999999"/>', 1)
    for body in (xml, far, "a\tb\n" * 4, "<table>" + "<tr><td>1</td></tr>" * 4 + "</table>"):
        with pytest.raises(ConfigError, match="more than 3 rows"):
            opened("x.xls", body.encode())
    with pytest.raises(ConfigError, match="more than 3 rows"):
        opened("x.xlsx", workbook(("a", [[1]] * 4)))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/workbook.xml", b" " * 2_000_000)
    monkeypatch.setattr(statement_file, "UNPACKED_MOST", 1_000_000)
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        opened("x.xlsx", packed.getvalue())


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        open_file(Path("nowhere.xlsx"))
