"""One field of a fact: what it holds, where a record says it, and the small function that reads it.

Compiled once, when a mapping is loaded; every fault in the line becomes a note. `connector.mapping` has the format.
"""

from __future__ import annotations

import datetime as dt
import re
import typing
from collections.abc import Callable
from collections.abc import Mapping as Dict
from dataclasses import MISSING, dataclass, fields
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from connector.converters import CONVERTERS, BadValue, Context, Convert, bad, date_format
from connector.mapping_notes import Notes
from connector.mapping_paths import Get, first_of, word_of
from connector.mapping_sense import CORRECT_VALUE
from connector.model import FACTS
from connector.money import exponent, to_minor_exact
from connector.text import Text

Kind = Literal["text", "number", "integer", "boolean", "date", "choice", "money"]


# --- what the fields of a fact are -------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shape:
    """What one field of a fact holds. `money` is in minor units of `currency`: the fact's own, or the ledger's."""

    name: str
    kind: Kind
    required: bool
    absent: object
    choices: tuple[str, ...] = ()
    ledger: bool = False
    convert: str = "text"


@cache
def shapes(fact: str) -> dict[str, Shape]:
    """The fields of one kind of fact, by name, from the class itself."""
    cls = FACTS[fact]
    hints = typing.get_type_hints(cls)
    own_currency = "currency" in hints
    made = {}
    for f in fields(cls):
        options = [t for t in (typing.get_args(hints[f.name]) or (hints[f.name],)) if t is not type(None)]
        literal = options if all(isinstance(o, str) for o in options) else typing.get_args(options[0])
        kind: Kind
        if literal:
            kind, convert = "choice", "word"
        elif options[0] is int and own_currency and f.name.endswith("amount"):
            kind, convert = "money", "money"
        else:
            kind, convert = _KINDS[options[0]]
            convert = {"terms": "terms", "tax_id": "tax_id"}.get(f.name, convert)
            convert = "currency" if f.name.split("_")[-1] == "currency" else convert
        made[f.name] = Shape(
            f.name,
            kind,
            f.default is MISSING,
            None if f.default is MISSING else f.default,
            tuple(str(word) for word in literal),
            kind == "money" and f.name == "base_amount",
            convert,
        )
    return made


_KINDS: dict[type, tuple[Kind, str]] = {
    str: ("text", "text"),
    Decimal: ("number", "decimal"),
    int: ("integer", "integer"),
    bool: ("boolean", "boolean"),
    dt.date: ("date", "date"),
}
_GIVES: dict[Kind, str] = {
    "text": "text",
    "choice": "text",
    "number": "number",
    "money": "number",
    "integer": "number",
    "boolean": "boolean",
    "date": "date",
}


# --- one field -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Field:
    """One compiled field. `read` gives its value, or raises BadValue; money is still a number, without its currency."""

    shape: Shape
    paths: tuple[str, ...]
    get: Get
    read: Callable[[Dict[str, Any], Dict[str, Any], Context], Any]

    @property
    def path(self) -> str:
        return " | ".join(self.paths)


FIELD_KEYS = ("from", "first", "value", "values", "default", "convert", "format", "prefix", "absolute", "negate")
# For a field of ours there, which provisioning makes; read by `connector.mapping`.
MADE = "field"
_DATED = ("date",)
_SOME_DAY = dt.date(2026, 12, 31)


def read_field(notes: Notes, where: tuple[str, ...], shape: Shape, spec: Any) -> Field | None:
    """Checks and compiles the right side of one line; None (with notes) where it cannot be."""
    before = len(notes.problems)
    table: Any = {"from": spec} if isinstance(spec, str) else spec
    if not isinstance(table, dict):
        notes.add("bad_field", where, Text("A field is a path or a table.", "字段应为路径或表。"), PATH_OR_TABLE)
        return None
    for key in table:
        if key not in (*FIELD_KEYS, MADE):
            notes.unknown((*where, key), key, FIELD_KEYS, Text("modifier", "修饰项"))
    origins = [key for key in ("from", "first", "value") if key in table]
    if len(origins) != 1:
        notes.add(
            "no_origin",
            where,
            Text("A field needs exactly one of from, first, value.", "字段须且只能有 from、first、value 之一。"),
            PATH_OR_TABLE,
        )
        return None
    paths = _paths(table)
    if paths is None or not all(isinstance(p, str) and p.strip(" .") for p in paths):
        notes.add(
            "bad_path",
            where,
            Text("A path is a text, `first` is a list of them.", "路径须为文本，`first` 须为路径列表。"),
            PATH_OR_TABLE,
        )
        return None
    convert = _converter(notes, where, shape, table)
    values = table.get("values", {})
    if not isinstance(values, dict):
        notes.add("bad_values", (*where, "values"), Text("`values` is a table.", "`values` 须为表。"), _VALUES)
    _check_fit(notes, where, shape, table)
    if convert is None or len(notes.problems) > before:
        return None
    finish = _finisher(shape, convert, table)

    def constant(key: str, said: Any) -> Any:
        try:
            return finish(said, Context())
        except BadValue as wrong:
            notes.add(wrong.code, (*where, key), wrong.what, wrong.fix)
            return None

    default = shape.absent
    for key in ("default", "value"):
        if key in table:
            default = constant(key, table[key])
    for said in values.values():
        constant("values", said)
    get = first_of(paths)
    read = _reader(get, finish, default, values, shape.kind == "boolean", "value" in table)
    return Field(shape, paths, get, read)


def _describes_a_date(pattern: str) -> bool:
    try:
        return dt.datetime.strptime(_SOME_DAY.strftime(pattern), pattern).date() == _SOME_DAY  # noqa: DTZ007
    except ValueError:
        return False


# Modifiers that make sense for some fields only.
_FIT: dict[str, tuple[str, ...]] = {"prefix": ("text",), "absolute": ("number", "money"), "negate": ("number", "money")}


def _check_fit(notes: Notes, where: tuple[str, ...], shape: Shape, table: dict[str, Any]) -> None:
    for key, kinds in _FIT.items():
        if key in table and shape.kind not in kinds:
            notes.add(
                "wrong_modifier",
                (*where, key),
                Text("`{key}` does not fit `{field}`.", "`{key}` 不适用于 `{field}`。").fill(key=key, field=shape.name),
                Text(
                    "`prefix` is for ids and texts, `absolute` and `negate` for amounts.",
                    "`prefix` 用于编号和文本，`absolute` 和 `negate` 用于金额。",
                ),
            )


PATH_OR_TABLE = Text(
    'Write `name = "path"` or `name = { from = "path", default = "…" }`.',
    '请写成 `name = "path"` 或 `name = { from = "path", default = "…" }`。',
)
_VALUES = Text(
    'Write `values = { theirs = "ours" }`.',
    '请写成 `values = { 对方的值 = "我们的值" }`。',
)


def _paths(table: dict[str, Any]) -> tuple[str, ...] | None:
    if "value" in table:
        return ()
    if "from" in table:
        return (table["from"],)
    return tuple(table["first"]) if isinstance(table["first"], list) and table["first"] else None


def _converter(notes: Notes, where: tuple[str, ...], shape: Shape, table: dict[str, Any]) -> Convert | None:
    name = table.get("convert", shape.convert)
    if name not in CONVERTERS:
        notes.unknown((*where, "convert"), str(name), tuple(CONVERTERS), Text("converter", "转换器"))
        return None
    if CONVERTERS[name].gives != _GIVES[shape.kind]:
        fitting = ", ".join(n for n, c in CONVERTERS.items() if c.gives == _GIVES[shape.kind])
        notes.add(
            "wrong_converter",
            (*where, "convert"),
            Text("`{convert}` does not give what `{field}` holds.", "`{convert}` 的结果不适合 `{field}`。").fill(
                convert=name, field=shape.name
            ),
            Text("Use one of: {fitting}.", "请改用：{fitting}。").fill(fitting=fitting),
        )
        return None
    if "format" in table:
        if name not in _DATED:
            notes.add(
                "wrong_format",
                (*where, "format"),
                Text("`format` is for dates only.", "`format` 只用于日期。"),
                Text("Remove it, or use the converter `date`.", "请删除它，或使用转换器 `date`。"),
            )
            return None
        pattern = str(table["format"])
        if not _describes_a_date(pattern):
            notes.add(
                "bad_format",
                (*where, "format"),
                Text("`{pattern}` does not describe a date.", "`{pattern}` 不是有效的日期格式。").fill(pattern=pattern),
                Text("Write a pattern such as `%d.%m.%Y` or `%Y%m%d`.", "请写成 `%Y/%m/%d` 或 `%Y%m%d` 这样的格式。"),
            )
            return None
        return date_format(pattern)
    return CONVERTERS[name].convert


def _finisher(shape: Shape, convert: Convert, table: dict[str, Any]) -> Convert:
    """Converter, sign, prefix and the list of right words, as one function."""
    if table.get("absolute"):
        return lambda raw, context: abs(convert(raw, context))
    if table.get("negate"):
        return lambda raw, context: -convert(raw, context)
    if shape.kind == "money" and table.get("convert", "money") == "money":
        return _plain_money
    if prefix := table.get("prefix"):
        return lambda raw, context: f"{prefix}{convert(raw, context)}"
    if shape.kind == "integer":
        return lambda raw, context: int(convert(raw, context))
    if shape.kind != "choice":
        return convert
    right = frozenset(shape.choices)

    def choose(raw: Any, context: Context) -> Any:
        word = convert(raw, context)
        if word not in right:
            raise bad(
                "unknown_word",
                Text("“{value}” is not one of {right}.", "“{value}”不在 {right} 之中。"),
                Text(
                    "Correct it, or translate it with a `values` table in the mapping.",
                    "请更正，或在映射中用 `values` 表翻译。",
                ),
                raw,
                right=", ".join(shape.choices),
            )
        return word

    return choose


_MONEY = re.compile(r"([+-]?)(\d{1,18})(?:\.(\d{1,8}))?", re.ASCII)
_money_slow = CONVERTERS["money"].convert


def _plain_money(raw: Any, context: Context) -> Any:
    # A plain text stays as it is: `minor` makes whole units of it without passing through Decimal.
    return raw if type(raw) is str and _MONEY.fullmatch(raw) else _money_slow(raw, context)


def minor(amount: Any, currency: str) -> int:
    """Whole minor units of a number or a plain text. Raises BadValue where it is finer than the currency, or too big."""
    try:
        if type(amount) is str:
            sign, whole, part = _MONEY.fullmatch(amount).groups()  # type: ignore[union-attr]
            decimals = exponent(currency)
            if part is None:
                units: int = int(whole) * 10**decimals
            elif len(part) <= decimals:
                units = int(whole + part) * 10 ** (decimals - len(part))
            else:
                units = to_minor_exact(Decimal(f"{whole}.{part}"), currency)
            units = -units if sign == "-" else units
        else:
            units = to_minor_exact(Decimal(amount), currency)
    except ValueError:
        raise bad(
            "too_fine",
            Text("“{value}” has more decimals than {currency} knows.", "“{value}”的小数位数超过了 {currency} 的位数。"),
            Text(
                "Correct the amount or its currency: {currency} has {decimals} decimals.",
                "请更正金额或币种：{currency} 有 {decimals} 位小数。",
            ),
            amount,
            currency=currency,
            decimals=exponent(currency),
        ) from None
    if abs(units) >= 2**63:
        raise bad(
            "too_big", Text("“{value}” is too big for an amount.", "“{value}”超出了金额的范围。"), CORRECT_VALUE, amount
        )
    return units


def _reader(
    get: Get, finish: Convert, default: Any, values: dict[str, Any], boolean: bool, constant: bool
) -> Callable[[Dict[str, Any], Dict[str, Any], Context], Any]:
    if constant:
        return lambda data, outer, context: default

    def plain(data: Dict[str, Any], outer: Dict[str, Any], context: Context) -> Any:
        raw = get(data, outer)
        if type(raw) is str:
            raw = raw.strip()
            if not raw:
                return default
        elif raw is None or (raw is False and not boolean):
            return default
        return finish(raw, context)

    if not values:
        return plain
    folded = {key.casefold(): value for key, value in values.items()}

    def translated(data: Dict[str, Any], outer: Dict[str, Any], context: Context) -> Any:
        raw = get(data, outer)
        if raw is None or (key := word_of(raw)) == "":
            return default
        hit = values.get(key)
        if hit is None:
            hit = folded.get(key.casefold())
        if hit is None and raw is False and not boolean:
            return default
        return finish(raw if hit is None else hit, context)

    return translated
