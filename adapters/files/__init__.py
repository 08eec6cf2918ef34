"""The book: a receivables ledger as plain CSV files or one .xlsx, for whoever has no API."""

from __future__ import annotations

from adapters.files import rehearsal
from adapters.files.book import BOOK
from adapters.files.client import Book, Settings, check
from adapters.files.read import read
from connector.adapter import Adapter, Evidence, Rehearsal, Stream
from connector.text import Text

ADAPTER: Adapter[Book] = Adapter(
    name="files",
    title=Text("Files: CSV folder or Excel workbook", "文件：CSV 文件夹或 Excel 工作簿"),
    roles=("erp", "rates", "bureau"),
    settings=Settings,
    secrets=(),
    streams=tuple(
        Stream(
            name=file.stream,
            title=file.title,
            read=read(file.stream),
            facts=(file.fact,),
            incremental=False,
            after=("customers",) if file.stream != "customers" else (),
        )
        for file in BOOK.values()
    ),
    channels=(),
    open=Book,
    check=check,
    rehearsal=Rehearsal(rehearsal.pay, rehearsal.order),
    evidence=(
        Evidence(
            "live",
            Text(
                "CSV folders and workbooks written by openpyxl and XlsxWriter were read; a workbook saved by Microsoft "
                "Excel or WPS itself was not tried yet.",
                "已读取 CSV 文件夹以及由 openpyxl、XlsxWriter 生成的工作簿；尚未用 Microsoft Excel 或 WPS 亲自保存的工作簿验证。",
            ),
        ),
    ),
    exemptions={
        "hook": "A folder calls nobody; it is looked at again with every pull.",
        **dict.fromkeys(
            ("throttling", "throttling-bare", "throttling-limits"),
            "A folder is read, nobody counts or limits the calls.",
        ),
        **dict.fromkeys(
            ("trouble", "trouble-lasting", "trouble-weather"), "There is no network that a fault could happen on."
        ),
        **dict.fromkeys(("tokens", "connect-refused", "secrecy"), "A book has neither sign-in nor secrets."),
        "connect-nobody": "There is no server to be reached; a missing folder is told by the check (its own tests).",
        "provision": "Nothing is written into a book, so no field has to be made.",
    },
)
