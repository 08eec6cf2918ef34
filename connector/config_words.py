"""The words of settings in both languages: what a setting means, and why a value will not do.

A setting's meaning stands beside it in its model: `Field(description=…, json_schema_extra={"zh": …})`. The reasons are one
table over the kinds of error that pydantic knows; a validator of ours raises `BadSetting` with its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connector.errors import BadSetting
from connector.text import Text

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_TEXT = Text("a text in quotes is wanted", "应为带引号的文本")
_WHOLE = Text("a whole number is wanted", "应为整数")
_NUMBER = Text("a number is wanted", "应为数字")
_TRUTH = Text("true or false is wanted", "应为 true 或 false")
_LIST = Text('a list is wanted, such as ["a", "b"]', '应为列表，例如 ["a", "b"]')
_TABLE = Text("a table is wanted, such as {{ key = value }}", "应为表，例如 {{ 键 = 值 }}")
_DAY = Text("a day is wanted, such as 2026-11-23", "应为日期，例如 2026-11-23")

# Every kind of error that settings of these types can have; what stands in braces is pydantic's own context.
REASONS: dict[str, Text] = {
    "missing": Text("it is missing", "缺少该项"),
    "extra_forbidden": Text("there is no such setting", "没有该设置项"),
    "string_type": _TEXT,
    "string_too_short": Text("it needs at least {min_length} characters", "至少需要 {min_length} 个字符"),
    "string_too_long": Text("it may have at most {max_length} characters", "最多 {max_length} 个字符"),
    "string_pattern_mismatch": Text("it does not match the pattern {pattern}", "不符合格式 {pattern}"),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "int_parsing_size": Text("the number is too large", "数字过大"),
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "date_type": _DAY,
    "date_parsing": _DAY,
    "date_from_datetime_parsing": _DAY,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "dict_type": _TABLE,
    "mapping_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "path_type": Text("a path in quotes is wanted", "应为带引号的路径"),
    "none_required": Text("it must be left out", "不应填写"),
    "literal_error": Text("one of {expected} is wanted", "可选值：{expected}"),
    "enum": Text("one of {expected} is wanted", "可选值：{expected}"),
    "greater_than": Text("it must be greater than {gt}", "必须大于 {gt}"),
    "greater_than_equal": Text("it must be at least {ge}", "不得小于 {ge}"),
    "less_than": Text("it must be less than {lt}", "必须小于 {lt}"),
    "less_than_equal": Text("it must be at most {le}", "不得大于 {le}"),
    "too_short": Text("at least {min_length} are wanted, there are {actual_length}", "至少 {min_length} 项，现有 {actual_length} 项"),
    "too_long": Text("at most {max_length} are wanted, there are {actual_length}", "最多 {max_length} 项，现有 {actual_length} 项"),
}  # fmt: skip


def reason(error: Mapping[str, Any]) -> Text:
    """Why a value will not do, without its end: one entry of pydantic's `ValidationError.errors()`.

    The value itself is not repeated: it may be a secret in the wrong place.
    """
    context: dict[str, Any] = error.get("ctx") or {}
    own = context.get("error")
    if isinstance(own, BadSetting):
        return own.why
    known = REASONS.get(str(error["type"]))
    if known is None:
        said = str(error["msg"]).removeprefix("Value error, ").rstrip(".。")
        return Text(said, f"不符合要求（{said}）")
    if "expected" in context:
        words = str(context["expected"]).replace("'", "")
        context = {**context, "expected": Text(words, words.replace(", ", "、").replace(" or ", "、"))}
    return known.fill(**context)


def meaning(field: FieldInfo) -> Text:
    """What a setting means; in English only where its model says no more."""
    en = field.description or ""
    extra = field.json_schema_extra
    zh = extra.get("zh") if isinstance(extra, dict) else None
    return Text(en, zh if isinstance(zh, str) else en)


__all__ = ["REASONS", "meaning", "reason"]
