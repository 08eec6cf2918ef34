"""What is wrong with a policy document, as problems that name the setting and say what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from connector.errors import Problem
from connector.policy_section import Unfit
from connector.text import Text, joined, same


def line(problem: Problem) -> Text:
    """A problem as one line: where, what, what to do."""
    place = f"{problem.where} [{problem.field}]:" if problem.field else f"{problem.where}:"
    return joined([same(place), problem.what, problem.fix], " ", " ")


_TYPES = {
    "bool_type": Text("true or false", " true 或 false"),
    "int_type": Text("a whole number", "整数"),
    "decimal_type": Text("a number", "数字"),
    "decimal_parsing": Text("a number", "数字"),
    "finite_number": Text("a number", "数字"),
    "string_type": Text("a text in quotes", "引号中的文字"),
    "date_from_datetime_parsing": Text("a day, as 2026-11-23", "日期，例如 2026-11-23"),
    "date_type": Text("a day, as 2026-11-23", "日期，例如 2026-11-23"),
    "dict_type": Text("a table", "一个表（table）"),
    "tuple_type": Text("a list, as [30, 60, 90]", "列表，例如 [30, 60, 90]"),
    "model_type": Text("a table", "一个表（table）"),
}


def problem(document: type[BaseModel], error: ErrorDetails, name: str, at: Sequence[str] = ()) -> Problem:
    """One of pydantic's errors in the words of the document; `at` is where in the file the validated part stands.

    Entries of lists are counted from 1, as people do.
    """
    path, kind, given = error["loc"], error["type"], error["input"]
    field = ".".join([*at, *(str(part + 1 if isinstance(part, int) else part) for part in path)])
    if kind == "extra_forbidden":
        return _unknown(document, path, field, name)
    if kind == "missing":
        what = Text("This is missing.", "缺少此项。")
        return Problem("missing_setting", name, what, Text("Add it.", "请补充。"), field)
    context: dict[str, Any] = error.get("ctx", {})
    if kind == "literal_error":
        words = str(context["expected"]).replace("'", "").replace(" or ", ", ")
        fix = Text("One of: {words}.", "可选值：{words}。").fill(words=words)
    elif kind == "value_error":
        wrong = context["error"]
        fix = wrong.fix if isinstance(wrong, Unfit) else same(str(wrong))
    elif kind in ("greater_than_equal", "less_than_equal"):
        bound = context.get("ge", context.get("le"))
        more = kind == "greater_than_equal"
        fix = Text(
            f"It must be {'at least' if more else 'at most'} {bound}.", f"不得{'小于' if more else '大于'} {bound}。"
        )
    else:
        wanted = _TYPES.get(kind, same(error["msg"]))
        fix = Text("It must be {wanted}.", "应为{wanted}。").fill(wanted=wanted)
    what = Text("{given} is not possible here.", "此处不能为 {given}。").fill(given=_shown(given))
    return Problem("bad_value", name, what, fix, field)


def _shown(given: object) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    return f'"{given}"' if isinstance(given, str) else str(given)


def _unknown(document: type[BaseModel], path: tuple[int | str, ...], field: str, name: str) -> Problem:
    known = _names(document, path[:-1])
    near = difflib.get_close_matches(str(path[-1]), known, 1, 0.5)
    what = Text("There is no such setting.", "没有这个设置项。")
    if near:
        fix = Text('Is "{near}" meant?', "是否应为“{near}”？").fill(near=near[0])
    else:
        fix = Text("Known here: {known}.", "此处可用：{known}。").fill(known=", ".join(known))
    return Problem("unknown_setting", name, what, fix, field)


def _names(document: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The names that a table of the document knows."""
    table: Any = document
    for part in path:
        if isinstance(part, int):
            continue  # the place in a list: its tables are all of one kind
        if _is_table(table):
            if str(part) not in table.model_fields:
                return []
            table = table.model_fields[str(part)].annotation
        # A list or a dictionary of tables, or a table that may be left out: what is inside.
        while not _is_table(table) and get_args(table):
            table = next((inner for inner in reversed(get_args(table)) if _is_table(inner) or get_args(inner)), None)
    return list(table.model_fields) if _is_table(table) else []


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
