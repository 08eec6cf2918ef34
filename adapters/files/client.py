"""The book as the settings describe it: which file or sheet is which stream, and what is there."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapters.files.book import BOOK
from adapters.files.rows import CsvPart, Part
from adapters.files.workbook import SheetPart, Workbook
from connector.adapter import Connection, Finding, Need, nearest
from connector.errors import BadSetting, ConfigError, HoldfastError, TransientError
from connector.text import Text


class Settings(BaseModel):
    """Where the book is and how it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        description="Folder of the CSV files, or the .xlsx; relative to the folder of config.toml.",
        json_schema_extra={"zh": "CSV 文件所在文件夹，或 .xlsx 文件；相对于 config.toml 所在文件夹。", "path": True},
    )
    files: dict[str, str] = Field(
        default_factory=dict,
        description='Which file, files (a pattern with *) or sheet a stream is, where it is not STREAM.csv; with "files" '
        "only those that are named are read.",
        json_schema_extra={
            "zh": "某数据流对应的文件、多个文件（可用 * 通配）或工作表，缺省为 数据流.csv；填写后只读取列出的数据流。",
            "path": True,
        },
    )
    keys: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Which columns make a row of a stream unique, where they are not the book's.",
        json_schema_extra={"zh": "某数据流中唯一确定一行的列，缺省按账簿格式。"},
    )
    repeated: list[str] = Field(
        default_factory=list,
        description="Streams whose file says the same thing on many rows, such as the customers of an invoice list: the "
        "first row counts.",
        json_schema_extra={"zh": "同一内容会出现在多行的数据流，例如发票清单中的客户：以第一行为准。"},
    )
    unused: list[str] = Field(
        default_factory=list,
        description="Columns that are of no use to us and not reported.",
        json_schema_extra={"zh": "无需使用、也不必提示的列。"},
    )
    incremental: bool = Field(
        False,
        description="Rows are changes: what a file no longer holds is not deleted.",
        json_schema_extra={"zh": "文件中的行是变更：文件中不再出现的内容不会被删除。"},
    )
    encoding: str = Field(
        "utf-8",
        description="Character set of the CSV files; a byte order mark is skipped.",
        json_schema_extra={"zh": "CSV 文件的字符集；字节顺序标记（BOM）会被忽略。"},
    )
    delimiter: str = Field(
        ",",
        description="Character between two cells of a CSV file.",
        min_length=1,
        max_length=1,
        json_schema_extra={"zh": "CSV 文件中两个单元格之间的分隔符。"},
    )
    page_rows: int = Field(
        2000,
        ge=1,
        le=100_000,
        description="Rows that are saved in one transaction.",
        json_schema_extra={"zh": "一次事务保存的行数。"},
    )

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise BadSetting(
                Text(
                    "no such encoding; utf-8 and gb18030 are the usual ones", "没有该字符集；常用的是 utf-8 和 gb18030"
                )
            ) from None
        return value

    @field_validator("files", "keys", "repeated")
    @classmethod
    def _streams(cls, value: Collection[str]) -> Collection[str]:
        for stream in value:
            if stream not in BOOK:
                raise BadSetting(
                    Text("no stream “{stream}”; did you mean {near}?", "没有数据流“{stream}”；是否应为 {near}？").fill(
                        stream=stream, near=nearest(stream, list(BOOK))
                    )
                )
        return value


class Book:
    """One configured book. Nothing is kept open between two readings."""

    def __init__(self, connection: Connection) -> None:
        self.settings: Settings = connection.settings
        self.system = connection.name
        self.today = connection.today
        given = Path(self.settings.path)
        self.path = given if given.is_absolute() else Path(connection.root) / given

    @property
    def is_workbook(self) -> bool:
        return self.path.suffix.lower() in (".xlsx", ".xlsm", ".xls")

    def named(self, stream: str) -> str | None:
        """The file, pattern or sheet of a stream; None where the settings leave the stream out."""
        if self.settings.files:
            return self.settings.files.get(stream)
        return stream if self.is_workbook else f"{stream}.csv"

    def parts(self, stream: str) -> Sequence[Part]:
        """What there is of one stream now, in order. Raises TransientError where the book itself is not there."""
        name = self.named(stream)
        if name is None:
            return []
        self.must_exist()
        if self.is_workbook:
            book = Workbook(self.path)
            return [SheetPart(book, sheet) for sheet in book.sheets if sheet.strip().lower() == name.lower()]
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ConfigError(
                Text("“{name}” leads out of the book's folder.", "“{name}”指向了账簿文件夹之外。").fill(name=name)
            )
        found = sorted(p for p in self.path.glob(name) if p.is_file() and p.suffix != ".tmp")
        return [CsvPart(p, self.settings.encoding, self.settings.delimiter) for p in found]

    def must_exist(self) -> None:
        """Raises TransientError naming the place that was looked at: a share that is not mounted comes back by itself."""
        if self.is_workbook and self.path.is_file():
            return
        if not self.is_workbook and self.path.is_dir():
            return
        raise TransientError(
            Text(
                "There is no book at {path}. Set `path` to the folder of the CSV files or to the .xlsx.",
                "{path} 处没有账簿。请将 `path` 设为 CSV 文件所在文件夹或 .xlsx 文件。",
            ).fill(path=self.path)
        )

    def required(self, stream: str) -> bool:
        """Whether the stream has to be there: a book has customers; what the settings name must exist."""
        return stream in self.settings.files if self.settings.files else stream == "customers"


def check(book: Book, needs: Sequence[Need]) -> list[Finding]:
    """What is there of the book: every file with its number of rows, and what lacks."""
    try:
        book.must_exist()
        parts = {stream: book.parts(stream) for stream in BOOK if book.named(stream)}
    except HoldfastError as wrong:
        fix = Text(
            "Correct `path` or the file; nothing is read before.", "请更正 `path` 或文件；在此之前不会读取任何内容。"
        )
        return [Finding("wrong", wrong.user, fix)]
    findings = [Finding("fine", Text("The book is at {path}.", "账簿位于 {path}。").fill(path=book.path))]
    for stream, found in parts.items():
        for part in found:
            rows = sum(1 for _ in part.rows()) - 1
            findings.append(
                Finding(
                    "fine", Text("{name}: {rows} rows", "{name}：{rows} 行").fill(name=part.name, rows=max(rows, 0))
                )
            )
        if not found:
            name = book.named(stream)
            if book.required(stream):
                findings.append(
                    Finding(
                        "wrong",
                        Text("{name} is not there.", "缺少 {name}。").fill(name=name),
                        Text("Put it into the book; only customers are required.", "请将其放入账簿；只有客户是必需的。")
                        if not book.settings.files
                        else Text("Correct `files` in the settings.", "请更正设置中的 `files`。"),
                    )
                )
            else:
                findings.append(
                    Finding("fine", Text("{name}: none, which is allowed", "{name}：没有（允许）").fill(name=name))
                )
    return findings
