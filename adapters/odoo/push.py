"""Writing: credit fields and holds on partners and orders, limits, and to-do activities.

Values come in Odoo's own field names. Equal values go to many records in one `write`; different ones go in one
`web_save_multi` (19 and later) or one by one. Both are all or nothing, so where a batch is refused its members are
sent singly and the bad one is found. Odoo has no idempotency key: a task carries ours in a field of its own, by which
`find` looks for what a crash left behind.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapters.odoo.client import Client, encoded, same_values
from connector.adapter import Change, Json, Outcome, Write
from connector.errors import ConfigError, ProtocolError, RejectedError, TransientError
from connector.text import Text

# Assigning an activity mails its user inside our call (70 ms each); with this the user is told by the list alone.
_QUIET = {"mail_activity_quick_update": True}
_NO_SUCH = Text("“{target}” is no record id of Odoo.", "“{target}”不是 Odoo 的记录编号。")


def fields_of(model: str) -> Callable[[Client, Sequence[Write]], Sequence[Outcome]]:
    """A `send` that sets fields of one model's records."""

    def send(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
        return _set(client, model, [(w.target, {k: encoded(v) for k, v in w.values.items()}) for w in writes])

    return send


def current_of(model: str) -> Callable[[Client, Sequence[str]], Mapping[str, Mapping[str, Json]]]:
    """A `current` that reads back our own (`x_`) fields and the limit, by target."""

    def current(client: Client, targets: Sequence[str]) -> Mapping[str, Mapping[str, Json]]:
        names = [n for n in client.fields(model) if n.startswith("x_") or n == "credit_limit"]
        ids = [int(t) for t in targets if t.isdecimal()]
        rows = client.rows(model, [["id", "in", ids]], names) if ids else []
        return {str(r["id"]): {n: r[n] for n in names if n in r} for r in rows}

    return current


def changes_of(model: str) -> Callable[[Client, Sequence[str]], Mapping[str, Change]]:
    """A `changes` that says who last wrote one model's records and when, as far as this user may see it."""

    def changes(client: Client, targets: Sequence[str]) -> Mapping[str, Change]:
        names = [n for n in ("write_uid", "write_date") if n in client.fields(model)]
        ids = [int(t) for t in targets if t.isdecimal()]
        rows = client.rows(model, [["id", "in", ids]], names) if ids else []
        users = sorted({row["write_uid"] for row in rows if row.get("write_uid")})
        who = (
            {
                u["id"]: u["name"]
                for u in client.rows("res.users", [["id", "in", users], ["active", "in", [True, False]]], ["name"])
            }
            if users
            else {}
        )
        return {
            str(row["id"]): Change(
                str(who.get(row.get("write_uid"), "")),
                dt.datetime.fromisoformat(row["write_date"]).replace(tzinfo=dt.UTC) if row.get("write_date") else None,
            )
            for row in rows
        }

    return changes


class _Batch:
    """One `send` under way: what became of each write, and whether Odoo has stopped answering."""

    def __init__(self, client: Client, model: str, wanted: Sequence[tuple[str, dict[str, Any]]]) -> None:
        self.client, self.model, self.wanted = client, model, wanted
        self.outcomes: dict[int, Outcome] = {}
        self.silent: Outcome | None = None

    def write(self, places: Sequence[int]) -> None:
        """The same values for several records in one call; singly where that is refused."""
        ids = sorted({int(self.wanted[p][0]) for p in places})
        values = self.wanted[places[0]][1]
        self._tell(places, lambda: self.client.call(self.model, "write", safe=True, ids=ids, vals=values))

    def write_differently(self, places: Sequence[int]) -> None:
        """Each record its own values, in one call (19 and later)."""
        ids, values = [int(self.wanted[p][0]) for p in places], [self.wanted[p][1] for p in places]
        self._tell(
            places,
            lambda: self.client.call(
                self.model, "web_save_multi", safe=True, ids=ids, vals_list=values, specification={}
            ),
        )

    def _tell(self, places: Sequence[int], send: Callable[[], Any]) -> None:
        if self.silent:
            self.outcomes.update({p: replace(self.silent, remote_id=self.wanted[p][0]) for p in places})
            return
        try:
            send()
        except (RejectedError, ConfigError) as wrong:
            if len(places) > 1:
                for place in places:
                    self.write([place])
                return
            # A record may be closed to us (a partner who is an Odoo user) although the model is not.
            if isinstance(wrong, ConfigError) and not self.client.may(self.model, "write"):
                raise
            code = getattr(wrong, "code", "") or "not_permitted"
            self.outcomes[places[0]] = Outcome("rejected", self.wanted[places[0]][0], wrong.user, code)
        except (TransientError, ProtocolError) as wrong:
            self.silent = Outcome("again", "", wrong.user, retry_after=getattr(wrong, "retry_after", None))
            self._tell(places, send)
        else:
            self.outcomes.update({p: Outcome("done", self.wanted[p][0]) for p in places})


def _all_there(client: Client, model: str, names: set[str]) -> None:
    """Raises ConfigError for fields that are not there: each record would be refused for the same reason."""
    missing = sorted(names - client.fields(model).keys())
    if missing:
        client.forget_fields()  # somebody may make them before the next attempt
        raise ConfigError(
            Text(
                "{model} has no field {names} that this user may see: run `holdfast provision`, or take it out of the mapping.",
                "{model} 没有该用户可见的字段 {names}：请运行 `holdfast provision`，或从映射中去掉。",
            ).fill(model=model, names=", ".join(missing))
        )


def _set(client: Client, model: str, wanted: Sequence[tuple[str, dict[str, Any]]]) -> list[Outcome]:
    _all_there(client, model, {name for _, values in wanted for name in values})
    batch = _Batch(client, model, wanted)
    groups: dict[str, list[int]] = {}
    twice = len({target for target, _ in wanted}) < len(wanted)  # then their order matters
    for place, (target, values) in enumerate(wanted):
        if not target.isdecimal():
            batch.outcomes[place] = Outcome("rejected", target, _NO_SUCH.fill(target=target), "no_such_record")
        else:
            groups.setdefault(str(place) if twice else same_values(values), []).append(place)
    singles = [places[0] for places in groups.values() if len(places) == 1]
    for places in groups.values():
        if len(places) > 1:
            batch.write(places)
    if len(singles) > 1 and client.series >= 19 and not twice:
        batch.write_differently(singles)
    else:
        for place in singles:
            batch.write([place])
    return [batch.outcomes[place] for place in range(len(wanted))]


# --- limits ------------------------------------------------------------------------------------------------------------
def limits(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Sets `credit_limit` in our company. 0 is "no limit" to Odoo, so a limit *amount* of 0 is refused here."""
    zero = Text(
        "Odoo reads a limit of 0 as “no limit”; a customer who gets no credit is held instead.",
        "Odoo 将额度 0 视为“无限额”；不给予信用的客户应改为冻结。",
    )
    amounts = [w.values.get("credit_limit") for w in writes]
    refused = [isinstance(a, Decimal | int) and a <= 0 for a in amounts]
    sent = [
        (w.target, {**{k: encoded(v) for k, v in w.values.items()}, "credit_limit": amount or 0})
        for w, amount, no in zip(writes, amounts, refused, strict=True)
        if not no
    ]
    done = iter(_set(client, "res.partner", sent))
    return [
        Outcome("rejected", w.target, zero, "zero_limit") if no else next(done)
        for w, no in zip(writes, refused, strict=True)
    ]


# --- tasks -------------------------------------------------------------------------------------------------------------
def tasks(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Makes one To-Do activity on the customer for each write; its `note` comes as plain text.

    Not safe to repeat: where it is unclear whether Odoo acted, the outcome is `again`, and `find` is asked first.
    """
    outcomes: list[Outcome] = []
    for write in writes:
        silent = outcomes and outcomes[-1].state == "again"
        outcomes.append(replace(outcomes[-1]) if silent else _task(client, write))
    return outcomes


def _task(client: Client, write: Write) -> Outcome:
    values = {k: encoded(v) for k, v in write.values.items()}
    target = str(values.pop("res_id", None) or write.target)
    if not target.isdecimal():
        return Outcome("rejected", "", _NO_SUCH.fill(target=target), "no_such_record")
    _all_there(client, "mail.activity", {client.settings.task_key_field})
    values[client.settings.task_key_field] = write.key
    values["note"] = html.escape(str(values.get("note") or "")).replace("\n", "<br>")
    if str(values.get("user_id") or "").isdecimal():
        values["user_id"] = int(values["user_id"])
    else:
        values["user_id"] = False  # nobody's: whoever looks at the customer sees it
    arguments = {
        "act_type_xmlid": client.settings.task_type,
        "summary": values.pop("summary", False) or "",
        "note": values.pop("note"),
        "date_deadline": values.pop("date_deadline", False),
        **values,
    }
    try:
        # `activity_schedule` and not `create`: the row of ir.model that create wants is for administrators only.
        made = client.call(
            "res.partner", "activity_schedule", safe=False, ids=[int(target)], context=_QUIET, **arguments
        )
    except (RejectedError, ConfigError) as wrong:
        # Odoo says "not permitted" of a customer who is gone, too.
        if isinstance(wrong, ConfigError) and not client.may("mail.activity", "create"):
            raise
        return Outcome("rejected", "", wrong.user, getattr(wrong, "code", "") or "not_permitted")
    except (TransientError, ProtocolError) as wrong:
        return Outcome("again", "", wrong.user, retry_after=getattr(wrong, "retry_after", None))
    first = made[0] if isinstance(made, list) and made else made
    return Outcome("done", str(first or ""))


def tasks_with(client: Client, keys: Sequence[str]) -> Mapping[str, str]:
    """Our key → activity, done ones (archived in 19) too. A done one of 16 to 18 is deleted there and not found."""
    field = client.settings.task_key_field
    _all_there(client, "mail.activity", {field})
    domain = [[field, "in", list(keys)], ["active", "in", [True, False]]]
    found: dict[str, str] = {}
    for row in client.rows("mail.activity", domain, [field]):
        found.setdefault(row[field], str(row["id"]))
    return found


def close_tasks(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Marks activities as done that are there and not done yet; the others somebody has done or deleted.

    19 archives them with the feedback, 16 to 18 delete them; both write it into the customer's history.
    """
    ids = sorted({int(w.target) for w in writes if w.target.isdecimal()})
    there = client.rows("mail.activity", [["id", "in", ids], ["active", "=", True]], []) if ids else []
    is_open = {str(row["id"]) for row in there}
    groups: dict[str, list[int]] = {}
    for place, write in enumerate(writes):
        if write.target in is_open:
            groups.setdefault(same_values(write.values), []).append(place)
    outcomes = {place: Outcome("done", write.target) for place, write in enumerate(writes)}
    for places in groups.values():
        outcomes.update(_close(client, writes, places))
    return [outcomes[place] for place in range(len(writes))]


def _close(client: Client, writes: Sequence[Write], places: Sequence[int]) -> dict[int, Outcome]:
    """The same feedback for several activities in one call; singly where that is refused."""
    ids = sorted({int(writes[place].target) for place in places})
    values = {k: encoded(v) for k, v in writes[places[0]].values.items()}
    try:
        # Not safe to repeat: done twice, it would be told twice in the customer's history. Who asks again looks first.
        client.call("mail.activity", "action_feedback", safe=False, ids=ids, **values)
    except (RejectedError, ConfigError) as wrong:
        if len(places) > 1:
            return {one: outcome for place in places for one, outcome in _close(client, writes, [place]).items()}
        if isinstance(wrong, ConfigError) and not client.may("mail.activity", "write"):
            raise
        code = getattr(wrong, "code", "") or "not_permitted"
        if code == "MissingError":  # deleted just now
            return {places[0]: Outcome("done", writes[places[0]].target)}
        return {places[0]: Outcome("rejected", writes[places[0]].target, wrong.user, code)}
    except (TransientError, ProtocolError) as wrong:
        retry = getattr(wrong, "retry_after", None)
        return {place: Outcome("again", writes[place].target, wrong.user, retry_after=retry) for place in places}
    return {place: Outcome("done", writes[place].target) for place in places}
