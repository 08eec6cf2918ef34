"""The reading half of a mapping: one compiled table turns a record into facts, and says what it could not read.

A table is checked once, when it is loaded (`read_table`); after that a record costs a few dictionary look-ups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any

from connector.adapter import Adapter, Record
from connector.converters import BadValue, Context, shorten
from connector.errors import ConfigError, Problem
from connector.mapping_field import PATH_OR_TABLE, Field, minor, read_field, shapes
from connector.mapping_notes import Notes
from connector.mapping_paths import Get, at, is_absent, word_of
from connector.mapping_sense import CORRECT_VALUE, sense
from connector.model import FACTS, Fact
from connector.text import Text

TITLES: dict[str, Text] = {
    "customer": Text("customer", "客户"),
    "person": Text("person", "人员"),
    "limit": Text("limit", "信用额度"),
    "document": Text("document", "单据"),
    "instalment": Text("instalment", "分期"),
    "payment": Text("payment", "收款"),
    "application": Text("application", "核销"),
    "order": Text("order", "订单"),
    "order_line": Text("order line", "订单行"),
    "rate": Text("rate", "汇率"),
    "promise": Text("promise to pay", "付款承诺"),
    "financial": Text("statement item", "财务报表项目"),
    "event": Text("event", "事件"),
    "release_request": Text("request for a release", "放行申请"),
}


# --- one table -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Test:
    """One condition of `where` or `unless`: the value at a path is one of some words, or is absent."""

    path: str
    get: Get
    words: frozenset[str]

    def holds(self, data: Dict[str, Any], outer: Dict[str, Any]) -> bool:
        value = self.get(data, outer)
        if not self.words:
            return is_absent(value)
        return value is not None and word_of(value) in self.words


@dataclass(frozen=True, slots=True)
class ReadTable:
    """One `[read.…]` table, compiled: which stream, which fact, its fields."""

    name: str
    stream: str
    fact: str
    each: str | None
    where: tuple[Test, ...]
    unless: tuple[Test, ...]
    fields: tuple[Field, ...]
    others: tuple[Field, ...]
    money: tuple[Field, ...]
    elements: Get | None

    def wanted(self) -> Iterator[str]:
        """The paths this table reads, without those that the adapter itself adds (`_…`)."""
        inner = [p for f in self.fields for p in f.paths] + [t.path for t in (*self.where, *self.unless)]
        for path in inner:
            whole = path[2:] if path.startswith("^.") else f"{self.each}.{path}" if self.each else path
            if not whole.startswith("_"):
                yield whole

    def read(self, record: Record, context: Context, facts: list[Fact], problems: list[Problem]) -> None:
        """Adds what the record says to `facts`, and what is wrong with it to `problems`."""
        data = record.data
        if self.elements is None:
            self._one(data, data, record, context, facts, problems)
            return
        elements = self.elements(data, data)
        if is_absent(elements):
            return
        if not isinstance(elements, list | tuple) or not all(isinstance(e, Dict) for e in elements):
            what = Text("`{each}` is not a list of parts.", "`{each}` 不是明细列表。").fill(each=self.each)
            problems.append(
                Problem("not_a_list", place(record, self.stream, context), what, CORRECT_VALUE, self.each or "")
            )
            return
        for element in elements:
            self._one(element, data, record, context, facts, problems)

    def _one(
        self,
        data: Dict[str, Any],
        outer: Dict[str, Any],
        record: Record,
        context: Context,
        facts: list[Fact],
        problems: list[Problem],
    ) -> None:
        if (self.where or self.unless) and not self._is_meant(data, outer):
            return
        made: dict[str, Any] = {}
        wrong: list[tuple[Field, BadValue]] = []
        for field in self.others:
            try:
                value = field.read(data, outer, context)
            except BadValue as caught:
                wrong.append((field, caught))
                continue
            if value is None and field.shape.required:
                wrong.append((field, self._missing(field)))
            made[field.shape.name] = value
        for field in self.money:
            try:
                made[field.shape.name] = self._money(field, made, data, outer, context)
            except BadValue as caught:
                wrong.append((field, caught))
        if not wrong:
            for name, what, fix in sense(self.fact, made):
                blamed = next((f for f in self.fields if f.shape.name == name), self.fields[0])
                wrong.append((blamed, BadValue("no_sense", what, fix)))
        if not wrong:
            facts.append(FACTS[self.fact](**made))
            return
        where = place(record, self.stream, context)
        problems.extend(Problem(bad.code, where, bad.what, bad.fix, field.path) for field, bad in wrong)

    def _is_meant(self, data: Dict[str, Any], outer: Dict[str, Any]) -> bool:
        return all(t.holds(data, outer) for t in self.where) and not any(t.holds(data, outer) for t in self.unless)

    def _money(
        self, field: Field, made: dict[str, Any], data: Dict[str, Any], outer: Dict[str, Any], context: Context
    ) -> int | None:
        amount = field.read(data, outer, context)
        if amount is None:
            if field.shape.required:
                raise self._missing(field)
            return None
        if field.shape.ledger:
            return minor(amount, context.base)
        currency = made.get("currency")
        if currency is None:
            if shapes(self.fact)["currency"].required:
                return None  # the missing or wrong currency has been reported
            currency = made["currency"] = context.base
        return minor(amount, currency)

    def _missing(self, field: Field) -> BadValue:
        return BadValue(
            "missing",
            Text("This {kind} has no `{field}`.", "该{kind}缺少 `{field}`。").fill(
                kind=TITLES[self.fact], field=field.shape.name
            ),
            Text(
                "Fill in “{path}”, or map `{field}` from another one.",
                "请填写“{path}”，或将 `{field}` 映射到其他字段。",
            ).fill(path=field.path or field.shape.name, field=field.shape.name),
        )

    def trace(self, record: Record, context: Context) -> Iterator[tuple[str, str, str, BadValue | None]]:
        """Per field and element: its name, what the record says, what becomes of it, or what is wrong; for people."""
        elements = self.elements(record.data, record.data) if self.elements else [record.data]
        for element in elements if isinstance(elements, list | tuple) else []:
            if isinstance(element, Dict) and self._is_meant(element, record.data):
                yield from self._traced(element, record, context)

    def _traced(
        self, data: Dict[str, Any], record: Record, context: Context
    ) -> Iterator[tuple[str, str, str, BadValue | None]]:
        made: dict[str, Any] = {}
        faults = 0
        for field in (*self.others, *self.money):  # money needs its currency first
            said = field.get(data, record.data)
            before = "" if is_absent(said) and said is not False else shorten(said, 60)
            try:
                value = field.read(data, record.data, context)
                if field.shape.kind == "money":
                    made[field.shape.name] = self._money(field, made, data, record.data, context)
                else:
                    made[field.shape.name] = value
                if value is None and field.shape.required:
                    raise self._missing(field)
                yield field.shape.name, before, "" if value is None else shorten(value, 60), None
            except BadValue as wrong:
                faults += 1
                yield field.shape.name, before, "", wrong
        if not faults:
            for name, what, fix in sense(self.fact, made):
                yield name, "", "", BadValue("no_sense", what, fix)


def place(record: Record, stream: str, context: Context) -> str:
    """Where a record is: its file and line, or system/stream/key."""
    return record.where or "/".join(part for part in (context.system, stream, record.key) if part)


# --- checking one table ------------------------------------------------------------------------------------------------------
TABLE_KEYS = ("stream", "fact", "each", "where", "unless", "fields")


def read_table(notes: Notes, name: str, table: Any, adapter: Adapter[Any] | None) -> ReadTable | None:
    """Checks and compiles one `[read.NAME]` table; every fault in it becomes a note."""
    where: tuple[str, ...] = ("read", name)
    if not isinstance(table, dict):
        notes.unknown(where, name, TABLE_KEYS, Text("key", "键"))
        return None
    for key in table:
        if key not in TABLE_KEYS:
            notes.unknown((*where, key), key, TABLE_KEYS, Text("key", "键"))
    said = table.get("fact", name)
    fact = said if isinstance(said, str) else str(said)
    if fact not in FACTS:
        notes.unknown(
            (*where, "fact") if "fact" in table else where, str(fact), tuple(FACTS), Text("kind of fact", "事实类别")
        )
    stream = table.get("stream")
    if not isinstance(stream, str):
        notes.add(
            "no_stream",
            where,
            Text("The table does not say which stream it reads.", "该表没有写明读取哪个数据流。"),
            _add_stream(adapter),
        )
    elif adapter is not None:
        try:
            adapter.stream(stream)
        except ConfigError:
            notes.unknown((*where, "stream"), stream, tuple(s.name for s in adapter.streams), Text("stream", "数据流"))
    tests = {key: _tests(notes, (*where, key), table.get(key, {})) for key in ("where", "unless")}
    each = table.get("each")
    if each is not None and not isinstance(each, str):
        notes.add("bad_path", (*where, "each"), Text("`each` is one path.", "`each` 须为一个路径。"), PATH_OR_TABLE)
        each = None
    given = table.get("fields", {})
    if fact not in FACTS or not isinstance(given, dict):
        return None
    known = shapes(fact)
    made = []
    for field, spec in given.items():
        if field not in known:
            notes.unknown(
                (*where, "fields", field),
                field,
                tuple(known),
                Text("field of “{fact}”", "“{fact}”字段").fill(fact=fact),
            )
        elif compiled := read_field(notes, (*where, "fields", field), known[field], spec):
            made.append(compiled)
    for shape in known.values():
        if shape.required and shape.name not in given:
            notes.add(
                "unmapped",
                (*where, "fields"),
                Text("`{field}` is required and not mapped.", "必填字段 `{field}` 没有映射。").fill(field=shape.name),
                Text('Add `{field} = "…"`.', '请加入 `{field} = "…"`。').fill(field=shape.name),
                shape.name,
            )
    return ReadTable(
        name,
        str(stream),
        fact,
        each,
        tests["where"],
        tests["unless"],
        tuple(made),
        tuple(f for f in made if f.shape.kind != "money"),
        tuple(f for f in made if f.shape.kind == "money"),
        at(each) if each else None,
    )


def _add_stream(adapter: Adapter[Any] | None) -> Text:
    names: Sequence[str] = [s.name for s in adapter.streams] if adapter else ["customers"]
    return Text('Add `stream = "…"`, one of: {names}.', '请加入 `stream = "…"`，可选：{names}。').fill(
        names=", ".join(names)
    )


def _tests(notes: Notes, where: tuple[str, ...], table: Any) -> tuple[Test, ...]:
    if not isinstance(table, dict) or not all(isinstance(words, list) for words in table.values()):
        notes.add(
            "bad_condition",
            where,
            Text("A condition gives a list of values for a path.", "条件须为路径给出一个值的列表。"),
            Text(
                'Write `where = { state = ["posted"] }`; `[]` means absent.',
                '请写成 `where = { state = ["posted"] }`；`[]` 表示没有值。',
            ),
        )
        return ()
    return tuple(Test(path, at(path), frozenset(word_of(w) for w in words)) for path, words in table.items())
