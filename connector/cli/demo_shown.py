"""What the demo shows of its company: accounts as the CRM has them, the controller's list, and every change of a run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connector.cli.common import Cli, console, say, t
from connector.cli.drawing import cell_len, folded, lines, padded
from connector.cli.output import Column, Table, clean, shown
from connector.money import exponent
from connector.text import Text, same

if TYPE_CHECKING:
    from connector.adapter import ActionKind
    from connector.connect import Connected
    from connector.mapping_write import WriteField
    from connector.store.customers import CustomerRow
    from connector.store.outbox import OutboxRow

_WIDE = 110  # nobody reads longer lines
_MONEY = frozenset({"limit", "exposure", "available", "overdue", "balance"})  # words of a mapping that are amounts
# What a salesperson looks at first; where the window is narrow, what stands last here is left out first.
_FIRST = ("customer_no", "hold", "level", "overdue", "limit", "available", "exposure", "utilisation_percent", "overdue_days",
          "currency", "limit_kind", "score", "grade")  # fmt: skip
_KINDS: dict[str, Text] = {
    "customer_fields": Text("credit fields", "信用字段"),
    "hold": Text("hold flag", "冻结标志"),
    "order_fields": Text("order {number}", "订单 {number}"),
    "limit": Text("credit limit", "信用额度"),
    "task": Text("new task", "新任务"),
    "close_task": Text("task closed", "任务关闭"),
}


def width() -> int:
    """So many cells a line of the demo takes."""
    return min(console().width, _WIDE)


def note(text: str, mark: str = "", *, indent: int = 0, style: str = "") -> None:
    """A text of several lines, folded at the window's width, all lines beginning in one column behind the mark."""
    out = console()
    front = " " * indent + (f"{mark} " if mark else "")
    blank = " " * cell_len(front)
    for at, line in enumerate(folded(clean(text), max(20, width() - cell_len(front)))):
        out.print(f"{blank if at else front}{line}", style=style, markup=False, soft_wrap=True)


def heading(words: str) -> None:
    """The title of a chapter over a rule."""
    out = console()
    out.print()
    out.print(words, style="bold cyan", markup=False, soft_wrap=True)
    out.print("─" * width(), style="cyan", soft_wrap=True)


def cut(text: str, cells: int) -> str:
    """A text on one line of at most so many cells."""
    text = " ".join(text.split())
    if cell_len(text) <= cells:
        return text
    while cell_len(text) > cells - 1:
        text = text[:-1]
    return text + "…"


def draw(table: Table) -> None:
    """A table with the columns that there is room for; what had to be left out is not the story's business."""
    from rich.text import Text as Rich

    out = console()
    blank = 0
    for line, spans in lines(table, out.width if out.is_terminal else None):
        blank += not line
        drawn = Rich(line, no_wrap=True, overflow="ignore")
        for start, end, style in spans:
            drawn.stylize(style, start, end)
        out.print(drawn, crop=False, soft_wrap=True)
        if blank == 2:  # one under the title, one under the rows
            return


# --- what stands in a system ---------------------------------------------------------------------------------------------
def _fields(connected: Connected, kind: str) -> Mapping[str, WriteField]:
    """The lines of a system's mapping that write one kind, by the name of the field there."""
    table = connected.mapping.writes.get(kind)
    return {field.name: field for field in table.fields} if table else {}


def _label(field: WriteField | None, name: str) -> str:
    return field.need.label if field is not None and field.need is not None else name.rpartition(":")[2]


def _value(field: WriteField | None, value: Any, currency: str) -> str:
    """A value as a person reads it in that system."""
    if isinstance(value, bool):
        return t("yes", "是") if value else t("no", "否")
    if value is None or value == "":
        return "–"
    if isinstance(value, (int, Decimal)):
        if field is not None and (field.word in _MONEY or (field.need is not None and field.need.type == "money")):
            return f"{Decimal(value):,.{exponent(currency) if currency else 2}f}"
        return f"{Decimal(value).normalize():,f}"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return shown(value)


def _currency(fields: Mapping[str, WriteField], values: Mapping[str, Any]) -> str:
    name = next((n for n, f in fields.items() if f.word == "currency"), None)
    return str(values.get(name) or "") if name else ""


def _read_back(connected: Connected, targets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What stands there now of these customers, in our fields."""
    found: dict[str, dict[str, Any]] = {target: {} for target in targets}
    kinds: tuple[ActionKind, ...] = ("customer_fields", "hold")
    for kind in kinds:
        channel = connected.adapter.channel(kind)
        if channel is not None and channel.current is not None and targets:
            for target, values in channel.current(connected.client, targets).items():
                found.setdefault(target, {}).update(values)
    return found


# --- sales ---------------------------------------------------------------------------------------------------------------
def sales(cli: Cli, systems: Sequence[Connected]) -> None:
    """The credit fields of a few accounts, read back from the CRM itself, and a task that an owner got."""
    for connected in systems:
        if "crm" in connected.system.roles and connected.adapter.channel("customer_fields") is not None:
            _accounts(cli, connected)


def _accounts(cli: Cli, connected: Connected) -> None:
    from connector.store import customers, outbox

    with cli.store.reading() as tx:
        rows = [r for r in outbox.listing(tx, states=None, system=connected.name) if r.state == "done"]
        names = {r.ref: r.name for r in customers.customers(tx, systems=[connected.name])}
    told = {k: [r for r in rows if r.kind == k] for k in ("customer_fields", "hold", "order_fields", "task")}
    held = {r.target for r in [*told["customer_fields"], *told["hold"]] if any(v is True for v in r.values.values())}
    written = [r.target for r in reversed(told["customer_fields"])]
    chosen = [*[x for x in written if x in held][:4], *[x for x in written if x not in held][:2]]
    there = _read_back(connected, chosen)
    fields = {**_fields(connected, "customer_fields"), **_fields(connected, "hold")}
    seen = [f for f in fields.values() if f.need is not None and any(f.name in v for v in there.values())]
    seen = sorted((f for f in seen if f.word in _FIRST), key=lambda f: _FIRST.index(f.word))
    table = Table(
        Text("Accounts, read back from the CRM", "客户（从 CRM 回读）"),
        [
            Column("name", Text("account", "客户"), style="bold"),
            *(
                Column(f.name, same(_label(f, f.name)), right=_is_number(f, there), spare=at)
                for at, f in enumerate(seen)
            ),
        ],
    )
    for target in chosen:
        values = there.get(target, {})
        currency = _currency(fields, values)
        line = {f.name: "" if values.get(f.name) is False else _value(f, values.get(f.name), currency) for f in seen}
        table.rows.append({"name": names.get(target), **line})
    draw(table)
    example = next((x for x in chosen if x in held and any(r.target == x for r in told["task"])), None)
    example = example or next((x for x in chosen if x in held), None)
    if example is not None:
        _one_account(fields, names.get(example, example), there[example])
    _one_task(connected, [r for r in told["task"] if r.target == example] or told["task"][-1:])
    note(
        t(
            f"{len(written)} accounts with credit fields, {len(held)} of them held; {len(told['task'])} tasks for their "
            f"owners; {len(told['order_fields'])} orders flagged.",
            f"{len(written)} 个客户已写入信用字段，其中 {len(held)} 个被冻结；为负责人创建任务 {len(told['task'])} 个；"
            f"标记订单 {len(told['order_fields'])} 张。",
        ),
        style="bold",
    )


def _is_number(field: WriteField, there: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(isinstance(v.get(field.name), Decimal) for v in there.values())


def _one_account(fields: Mapping[str, WriteField], name: str, values: Mapping[str, Any]) -> None:
    """The hold of an account with its reason, which is too long for a table."""
    note(name, style="bold")
    flags = [f for f in fields.values() if f.word in ("hold", "hold_reason") and f.name in values]
    most = max((cell_len(_label(f, f.name)) for f in flags), default=0)
    for field in flags:
        note(_value(field, values[field.name], ""), padded(_label(field, field.name), most) + " ", indent=2)
    note("")


def _one_task(connected: Connected, tasks: Sequence[OutboxRow]) -> None:
    """The task of an owner, as it was made."""
    by_word = {f.word: f.name for f in _fields(connected, "task").values()}
    for task in tasks[:1]:
        note(str(task.values.get(by_word.get("subject", ""), "")), "☐", style="bold")
        note(str(task.values.get(by_word.get("body", ""), "")), indent=2)
        if due := task.values.get(by_word.get("due_on", "")):
            note(t(f"Due {due}.", f"截止日期 {due}。"), indent=2)
        note("")


# --- credit control --------------------------------------------------------------------------------------------------------
def controller(cli: Cli, answers: list[dict[str, Any]]) -> None:
    """The worst customers, how many stand where, and why some are held."""
    from connector.cli.report import _positions_table
    from connector.clock import day_in

    day = day_in(cli.clock.now(), cli.config.business.time_zone)
    base = cli.config.business.currency
    # Amounts of different currencies cannot be put in order: ours first, then the others.
    worst = sorted(answers, key=lambda a: (not a["hold"], a["currency"] != base, -Decimal(a["overdue"])))[:8]
    table = _positions_table(worst, {"as_of": day.isoformat(), "rates": "as_of"})
    table.totals = []
    draw(table)
    level = {
        name: sum(1 for a in answers if a["warning_level"] == name) for name in ("red", "orange", "yellow", "green")
    }
    held = [a for a in answers if a["hold"]]
    note(
        t(
            f"{len(answers)} customers: {level['red']} red, {level['orange']} orange, {level['yellow']} yellow, "
            f"{level['green']} green; {len(held)} held.",
            f"共 {len(answers)} 个客户：红 {level['red']}，橙 {level['orange']}，黄 {level['yellow']}，绿 {level['green']}；"
            f"其中冻结 {len(held)}。",
        ),
        style="bold",
    )
    for answer in _different(held):
        reasons = t("; ", "；").join(r[t("en", "zh")] for r in answer["reasons"])
        note(f"{answer['customer_id']} {answer['name']}{t(': ', '：')}{reasons}", "✗", indent=2)


def _different(held: Sequence[dict[str, Any]], most: int = 3) -> list[dict[str, Any]]:
    """A few held customers, as different in their reasons as there are."""
    first: dict[tuple[str, ...], dict[str, Any]] = {}
    for answer in held:
        first.setdefault(tuple(r["rule"] for r in answer["reasons"]), answer)
    return list(first.values())[:most]


# --- changes ---------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Change:
    """One write of a run: about whom, in which system, and field by field what stood there and what stands there now."""

    row: OutboxRow
    fields: Sequence[tuple[str, str, str]]
    title: str


def changes(cli: Cli, systems: Sequence[Connected], last: int) -> int:
    """Shows every write that was owed after the row `last`, customer by customer; says how many did not arrive."""
    from connector.store import customers, outbox

    with cli.store.reading() as tx:
        rows = outbox.listing(tx, states=None)
        people = {r.key: r for r in customers.customers(tx)}
        new = [r for r in reversed(rows) if r.id > last and r.state != "superseded"]
        numbers = _order_numbers(cli, {p.debtor for r in new if (p := people.get(r.customer or 0)) and p.debtor})
    before: dict[tuple[str, str, str], OutboxRow] = {}
    for row in rows:  # newest first
        if row.id <= last and row.state == "done":
            before.setdefault((row.system, row.kind, row.target), row)
    by_name = {connected.name: connected for connected in systems}
    groups: dict[object, list[OutboxRow]] = {}
    for row in new:
        who = people.get(row.customer or 0)
        groups.setdefault(who.debtor if who is not None and who.debtor is not None else row.target, []).append(row)
    for debtor, owed in groups.items():
        note(_who(people.values(), debtor), style="bold")
        for change in _told(by_name, owed, before, numbers):
            _print(change)
        note("")
    lost = sum(1 for row in new if row.state != "done")
    note(t(f"{len(new)} writes, no more.", f"共 {len(new)} 次写入，仅此而已。"), style="bold")
    if lost:
        note(
            t(f"{lost} of them did not arrive: holdfast outbox list", f"其中 {lost} 次未送达：holdfast outbox list"),
            "✗",
        )
    return lost


def _who(people: Iterator[CustomerRow] | Any, debtor: object) -> str:
    """A debtor by its first customer: the one of the ledger."""
    row = next((p for p in people if p.debtor == debtor), None)
    return f"{row.ref} {row.name}" if row is not None else str(debtor)


def _order_numbers(cli: Cli, debtors: set[int]) -> dict[tuple[str, str], str]:
    """The numbers by which people know the orders of these debtors."""
    from connector.clock import day_in
    from jobs.frame import frame
    from jobs.judge import judge

    day = day_in(cli.clock.now(), cli.config.business.time_zone)
    with cli.store.reading() as tx:
        base = frame(tx, cli.config, cli.policy, cli.clock, day)
        return {(o.system, o.ref): o.number or o.ref for j in judge(tx, base, debtors) for o, _ in j.orders}


_ORDER = ("hold", "limit", "order_fields", "customer_fields", "task", "close_task")


def _told(
    systems: Mapping[str, Connected],
    rows: Sequence[OutboxRow],
    before: Mapping[tuple[str, str, str], OutboxRow],
    numbers: Mapping[tuple[str, str], str],
) -> Iterator[Change]:
    places = {name: at for at, name in enumerate(systems)}
    for row in sorted(rows, key=lambda r: (places.get(r.system, 0), _ORDER.index(r.kind), r.id)):
        connected = systems.get(row.system)
        fields = _fields(connected, row.kind) if connected is not None else {}
        title = say(_KINDS[row.kind].fill(number=numbers.get((row.system, row.target), row.target)))
        if row.kind == "task":
            yield Change(row, _new_task(fields, row.values), title)
            continue
        earlier = before.get((row.system, row.kind, row.target))
        was: Mapping[str, Any] = earlier.values if earlier is not None else {}
        told = []
        for name in sorted(row.values, key=lambda n: list(fields).index(n) if n in fields else len(fields)):
            value, field = row.values[name], fields.get(name)
            # A flag that was never told was not set.
            old = was.get(name, False if isinstance(value, bool) else None)
            if old != value:
                now, then = _currency(fields, row.values), _currency(fields, was)
                told.append((_label(field, name), _value(field, old, then or now), _value(field, value, now)))
        yield Change(row, told, title)


def _new_task(fields: Mapping[str, WriteField], values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    wanted = ("subject", "body", "due_on", "priority")
    return [
        (_label(None, name), "", _value(field, values[name], ""))
        for word in wanted
        for name, field in fields.items()
        if field.word == word and values.get(name) is not None
    ]


def _print(change: Change) -> None:
    state = "" if change.row.state == "done" else f"  [{change.row.state}]"
    note(f"{change.row.system}{t(': ', '：')}{change.title}{state}", indent=2)
    most = max((cell_len(label) for label, _, _ in change.fields), default=0)
    room = width() - 4 - most - 2
    for label, old, new in change.fields:
        if change.row.kind == "task":
            said = cut(new, room)
        elif cell_len(old) + cell_len(new) + 3 <= room:
            said = f"{old} → {new}"
        else:
            # The shorter one whole, the longer one as far as there is room.
            small = min(cell_len(old), cell_len(new), (room - 3) // 2)
            rest = room - 3 - small
            said = f"{cut(old, max(small, rest if cell_len(old) > cell_len(new) else small))} → " + cut(
                new, rest if cell_len(new) >= cell_len(old) else small
            )
        note(said, padded(label, most) + " ", indent=4)
