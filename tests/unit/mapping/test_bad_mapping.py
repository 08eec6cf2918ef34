"""Bad mappings: all faults of a text at once, each with its line, the nearest right name, in both languages."""

from __future__ import annotations

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.errors import ConfigError, Problem

GOOD = """adapter = "files"
[read.customer]
stream = "customers"
[read.customer.fields]
id = "id"
name = "name"
"""
WRITE = "\n[write.customer_fields.fields]\n"


def said(problem: Problem) -> tuple[str, str, str, str]:
    return problem.where, problem.field, f"{problem.what.en} {problem.fix.en}", f"{problem.what.zh}{problem.fix.zh}"


CASES: dict[str, tuple[str, tuple[str, str, str, str]]] = {
    "not TOML": (
        GOOD + "owner = owner\n",
        (
            "m.toml:7",
            "",
            "This is not TOML: Invalid value. Correct the line; texts stand in double quotes, one `name = value` a line.",
            "这不是合法的 TOML：Invalid value。请更正该行；文本须加双引号，每行一个 `名称 = 值`。",
        ),
    ),
    "an unknown key at the top": (
        'owner = "me"\n' + GOOD,
        (
            "m.toml:1",
            "owner",
            "There is no key called “owner”. Right names: adapter, read, write.",
            "没有名为“owner”的键。可用名称：adapter, read, write。",
        ),
    ),
    "nothing in it": (
        'adapter = "files"\n',
        (
            "m.toml",
            "",
            "The mapping has neither `read` nor `write` tables. Start from the shipped one: `holdfast mapping show ADAPTER`.",
            "该映射没有任何 `read` 或 `write` 表。请从自带的映射开始：`holdfast mapping show 适配器名`。",
        ),
    ),
    "a table that is none": (
        'adapter = "files"\nread = "all"\n',
        ("m.toml:2", "read", "`read` is not a table. Write `[read.NAME]`.", "`read` 不是表。请写成 `[read.名称]`。"),
    ),
    "an unknown kind of fact": (
        GOOD + '[read.custommer]\nstream = "customers"\n',
        (
            "m.toml:7",
            "read.custommer",
            "There is no kind of fact called “custommer”. Did you mean “customer”?",
            "没有名为“custommer”的事实类别。是否应为“customer”？",
        ),
    ),
    "an unknown key of a table": (
        GOOD.replace("stream", "wher = {}\nstream"),
        (
            "m.toml:3",
            "read.customer.wher",
            "There is no key called “wher”. Did you mean “where”?",
            "没有名为“wher”的键。是否应为“where”？",
        ),
    ),
    "no stream": (
        GOOD.replace('stream = "customers"\n', ""),
        (
            "m.toml:2",
            "read.customer",
            'The table does not say which stream it reads. Add `stream = "…"`, one of: customers.',
            '该表没有写明读取哪个数据流。请加入 `stream = "…"`，可选：customers。',
        ),
    ),
    "an unknown field": (
        GOOD + 'tax = "x"\n',
        (
            "m.toml:7",
            "read.customer.fields.tax",
            "There is no field of “customer” called “tax”. Did you mean “tax_id”?",
            "没有名为“tax”的“customer”字段。是否应为“tax_id”？",
        ),
    ),
    "a required field that is not mapped": (
        GOOD.replace('name = "name"\n', ""),
        (
            "m.toml:4",
            "read.customer.fields.name",
            '`name` is required and not mapped. Add `name = "…"`.',
            '必填字段 `name` 没有映射。请加入 `name = "…"`。',
        ),
    ),
    "a number for a path": (
        GOOD + "owner = 3\n",
        (
            "m.toml:7",
            "read.customer.fields.owner",
            'A field is a path or a table. Write `name = "path"` or `name = { from = "path", default = "…" }`.',
            '字段应为路径或表。请写成 `name = "path"` 或 `name = { from = "path", default = "…" }`。',
        ),
    ),
    "two origins": (
        GOOD + 'owner = { from = "a", value = "b" }\n',
        (
            "m.toml:7",
            "read.customer.fields.owner",
            'A field needs exactly one of from, first, value. Write `name = "path"` or `name = { from = "path", default = "…" }`.',
            '字段须且只能有 from、first、value 之一。请写成 `name = "path"` 或 `name = { from = "path", default = "…" }`。',
        ),
    ),
    "an empty path": (
        GOOD + 'owner = ""\n',
        (
            "m.toml:7",
            "read.customer.fields.owner",
            'A path is a text, `first` is a list of them. Write `name = "path"` or `name = { from = "path", default = "…" }`.',
            '路径须为文本，`first` 须为路径列表。请写成 `name = "path"` 或 `name = { from = "path", default = "…" }`。',
        ),
    ),
    "an unknown modifier": (
        GOOD + 'owner = { from = "a", defualt = "b" }\n',
        (
            "m.toml:7",
            "read.customer.fields.owner.defualt",
            "There is no modifier called “defualt”. Did you mean “default”?",
            "没有名为“defualt”的修饰项。是否应为“default”？",
        ),
    ),
    "an unknown converter": (
        GOOD + 'first_sold_on = { from = "a", convert = "epoc_ms" }\n',
        (
            "m.toml:7",
            "read.customer.fields.first_sold_on.convert",
            "There is no converter called “epoc_ms”. Did you mean “epoch_ms”?",
            "没有名为“epoc_ms”的转换器。是否应为“epoch_ms”？",
        ),
    ),
    "a converter that gives something else": (
        GOOD + 'first_sold_on = { from = "a", convert = "text" }\n',
        (
            "m.toml:7",
            "read.customer.fields.first_sold_on.convert",
            "`text` does not give what `first_sold_on` holds. Use one of: date, date_in_zone, epoch_ms, epoch_s.",
            "`text` 的结果不适合 `first_sold_on`。请改用：date, date_in_zone, epoch_ms, epoch_s。",
        ),
    ),
    "a format for what is no date": (
        GOOD + 'owner = { from = "a", format = "%Y" }\n',
        (
            "m.toml:7",
            "read.customer.fields.owner.format",
            "`format` is for dates only. Remove it, or use the converter `date`.",
            "`format` 只用于日期。请删除它，或使用转换器 `date`。",
        ),
    ),
    "a format that is none": (
        GOOD + 'first_sold_on = { from = "a", format = "DD.MM.YYYY" }\n',
        (
            "m.toml:7",
            "read.customer.fields.first_sold_on.format",
            "`DD.MM.YYYY` does not describe a date. Write a pattern such as `%d.%m.%Y` or `%Y%m%d`.",
            "`DD.MM.YYYY` 不是有效的日期格式。请写成 `%Y/%m/%d` 或 `%Y%m%d` 这样的格式。",
        ),
    ),
    "a sign for what has none": (
        GOOD + 'owner = { from = "a", negate = true }\n',
        (
            "m.toml:7",
            "read.customer.fields.owner.negate",
            "`negate` does not fit `owner`. `prefix` is for ids and texts, `absolute` and `negate` for amounts.",
            "`negate` 不适用于 `owner`。`prefix` 用于编号和文本，`absolute` 和 `negate` 用于金额。",
        ),
    ),
    "a value table that is none": (
        GOOD + 'status = { from = "a", values = ["active"] }\n',
        (
            "m.toml:7",
            "read.customer.fields.status.values",
            '`values` is a table. Write `values = { theirs = "ours" }`.',
            '`values` 须为表。请写成 `values = { 对方的值 = "我们的值" }`。',
        ),
    ),
    "a value table that ends in a wrong word": (
        GOOD + 'status = { from = "a", values = { yes = "actve" } }\n',
        (
            "m.toml:7",
            "read.customer.fields.status.values",
            "“actve” is not one of active, blocked, inactive. Correct it, or translate it with a `values` table in the mapping.",
            "“actve”不在 active, blocked, inactive 之中。请更正，或在映射中用 `values` 表翻译。",
        ),
    ),
    "a default that cannot be": (
        GOOD + 'first_sold_on = { from = "a", default = "never" }\n',
        (
            "m.toml:7",
            "read.customer.fields.first_sold_on.default",
            "“never” is not a date. Write dates as 2026-11-23, or give the mapping a `format` such as `%d.%m.%Y`.",
            "“never”不是日期。请按 2026-11-23 书写日期，或在映射中给出 `format`，例如 `%Y/%m/%d`。",
        ),
    ),
    "a condition that is none": (
        GOOD.replace("stream", 'where = { state = "posted" }\nstream'),
        (
            "m.toml:3",
            "read.customer.where",
            'A condition gives a list of values for a path. Write `where = { state = ["posted"] }`; `[]` means absent.',
            '条件须为路径给出一个值的列表。请写成 `where = { state = ["posted"] }`；`[]` 表示没有值。',
        ),
    ),
    # --- writing ---
    "an unknown kind of action": (
        GOOD + '[write.customer_feilds.fields]\nA = "limit"\n',
        (
            "m.toml:7",
            "write.customer_feilds",
            "There is no kind of action called “customer_feilds”. Did you mean “customer_fields”?",
            "没有名为“customer_feilds”的操作类别。是否应为“customer_fields”？",
        ),
    ),
    "a word that is not ours": (
        GOOD + WRITE + 'A = "credit_limit"\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A",
            "There is no word of ours called “credit_limit”. Did you mean “limit”?",
            "没有名为“credit_limit”的可写出的词。是否应为“limit”？",
        ),
    ),
    "a written field from nowhere": (
        GOOD + WRITE + "A = { quiet = true }\n",
        (
            "m.toml:9",
            "write.customer_fields.fields.A",
            'A written field needs a word of ours, or a value. Write `Name = "limit"` or `Name = { from = "limit" }`.',
            '写入字段须给出我们的一个词，或一个固定值。请写成 `Name = "limit"` 或 `Name = { from = "limit" }`。',
        ),
    ),
    "a value table with a hole": (
        GOOD + WRITE + 'A = { from = "level", values = { green = "G", yellow = "Y", red = "R" } }\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A.values",
            "The table says nothing for orange. Give every value of “level” a counterpart.",
            "该表没有给出 orange 对应的值。请为“level”的每个取值给出对应值。",
        ),
    ),
    "bands that do not rise": (
        GOOD + WRITE + 'A = { from = "overdue_days", band = [0, 60, 30] }\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A.band",
            "`band` is a rising list of whole numbers. Write `band = [0, 30, 60, 90]`.",
            "`band` 须为从小到大的数字列表。请写成 `band = [0, 30, 60, 90]`。",
        ),
    ),
    "an unknown type of a field": (
        GOOD + WRITE + 'A = { from = "limit", field = { label = "L", type = "currency" } }\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A.field.type",
            "There is no type of field called “currency”. Right names: boolean, choice, date, datetime, money, number, text.",
            "没有名为“currency”的字段类型。可用名称：boolean, choice, date, datetime, money, number, text。",
        ),
    ),
    "an unknown key of a field": (
        GOOD + WRITE + 'A = { from = "limit", field = { lable = "L" } }\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A.field.lable",
            "There is no key called “lable”. Did you mean “label”?",
            "没有名为“lable”的键。是否应为“label”？",
        ),
    ),
    "a length that is none": (
        GOOD + WRITE + 'A = { from = "limit", field = { label = "L", length = 0 } }\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A.field",
            '`options` is a list, `length` a number. Write `field = { label = "Credit Limit", type = "money" }`.',
            '`options` 须为列表，`length` 须为数字。请写成 `field = { label = "信用额度", type = "money" }`。',
        ),
    ),
    "an unknown converter for writing": (
        GOOD + WRITE + 'A = { from = "as_of", convert = "epoch" }\n',
        (
            "m.toml:9",
            "write.customer_fields.fields.A.convert",
            "There is no converter for writing called “epoch”. Did you mean “epoch_s”?",
            "没有名为“epoch”的写入转换器。是否应为“epoch_s”？",
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_person_is_told(name: str) -> None:
    text, expected = CASES[name]
    mapping, problems = mappings.load(text, name="m.toml")
    assert mapping is None
    assert [said(p) for p in problems] == [expected]


def test_all_faults_at_once_in_their_order() -> None:
    text = GOOD + 'tax = "x"\nowner = 3\n' + WRITE + 'A = "limits"\nB = { from = "level", vlues = {} }\n'
    _, problems = mappings.load(text, name="m.toml")
    assert [(p.where, p.code) for p in problems] == [
        ("m.toml:7", "unknown_name"),
        ("m.toml:8", "bad_field"),
        ("m.toml:11", "unknown_name"),
        ("m.toml:12", "unknown_name"),
    ]


def test_against_an_adapter_streams_and_actions_are_checked_too() -> None:
    text = GOOD.replace('"customers"', '"customer"').replace('"files"', '"file"', 1) + WRITE + 'A = "limit"\n'
    _, problems = mappings.load(text, name="m.toml", adapter=adapters.load("files"))
    assert [said(p) for p in problems] == [
        (
            "m.toml:1",
            "adapter",
            'This mapping is for “file”, the system uses “files”. Write `adapter = "files"` in its first line, or choose another mapping.',
            '该映射用于“file”，而该系统使用“files”。请在首行写上 `adapter = "files"`，或换用其他映射。',
        ),
        (
            "m.toml:3",
            "read.customer.stream",
            "There is no stream called “customer”. Did you mean “customers”?",
            "没有名为“customer”的数据流。是否应为“customers”？",
        ),
        (
            "m.toml:8",
            "write.customer_fields",
            "“files” cannot do “customer_fields”. Remove the table.",
            "“files”不支持“customer_fields”。请删除该表。",
        ),
    ]


def test_a_mapping_that_is_not_shipped() -> None:
    with pytest.raises(ConfigError, match=r"No mapping is shipped for “tritton”\. Did you mean “tryton”"):
        mappings.shipped("tritton")
    with pytest.raises(ConfigError):
        mappings.shipped("../files")
