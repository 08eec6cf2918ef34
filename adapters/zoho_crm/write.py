"""Writing: fields of accounts and sales orders in batches of 100, and tasks that carry our key.

Records are written by id with absolute values and tasks are upserted on their unique key, so every call here may be
repeated. Zoho answers one result per row, in order, whatever the status (200, 201, 207, or 400 where all rows failed).
`trigger` is always sent, because leaving it out runs the organisation's workflows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from adapters.zoho_crm import locks
from adapters.zoho_crm.client import Zoho, contents, judge_rows
from adapters.zoho_crm.fields import encode
from adapters.zoho_crm.times import parse
from connector.adapter import Change, Outcome, Write
from connector.errors import ConfigError, ProtocolError, RejectedError
from connector.text import Text

ROWS_MOST = 100
TASK_KEY = "Credit_Task_Key"
_IN_MOST = 50  # values in one COQL `in`
_IDS_MOST = 45  # ids in one GET: the parameter holds 1,024 characters
_NAMES_MOST = 40

# Row codes after which the same write may succeed later: somebody holds the record.
_LATER = {
    "RECORD_LOCKED": Text("the record is locked in Zoho", "该记录在 Zoho 中已被锁定"),
    "RECORD_IN_BLUEPRINT": Text("the record is in a blueprint transition", "该记录正处于蓝图流转中"),
    "NOT_APPROVED": Text("the record waits for an approval in Zoho", "该记录正在等待 Zoho 审批"),
    "INTERNAL_ERROR": Text("Zoho had an internal error", "Zoho 内部错误"),
    "TOO_MANY_REQUESTS": Text("Zoho is busy", "Zoho 忙"),
}
_LATER_SECONDS = 3600.0


def customer_fields(client: Zoho, writes: Sequence[Write]) -> list[Outcome]:
    """Credit fields of accounts, without waking workflows."""
    return _update(client, "Accounts", writes, [])


def hold(client: Zoho, writes: Sequence[Write]) -> list[Outcome]:
    """The hold flag and its reason on accounts."""
    return _update(client, "Accounts", writes, client.settings.hold_triggers)


def order_fields(client: Zoho, writes: Sequence[Write]) -> list[Outcome]:
    """The hold flag and its reason on sales orders; and the lock, where a write says so (`Locked__s`).

    What is written comes before a lock and after it is taken off; a lock of ours that does not let our fields through is
    taken off for the moment.
    """
    asked = [w for w in writes if locks.FIELD in w.values]
    if not asked:
        return _update(client, "Sales_Orders", writes, client.settings.hold_triggers)
    now = locks.locked(client, [w.target for w in asked])
    plain = [Write(w.key, w.target, {n: v for n, v in w.values.items() if n != locks.FIELD}) for w in writes]
    outcomes = _update(client, "Sales_Orders", [w for w in plain if w.values], client.settings.hold_triggers)
    said = iter(outcomes)
    found = [next(said) if w.values else Outcome("done", w.target) for w in plain]
    for place, (write, outcome) in enumerate(zip(writes, found, strict=True)):
        if locks.FIELD not in write.values:
            continue
        is_locked, reason = now.get(write.target, False), _reason(write)
        if outcome.code == "RECORD_LOCKED" and plain[place].values:
            lock = locks.lock_of(client, write.target)
            if lock is None or not locks.is_ours(lock):
                continue
            opened = locks.settle(client, write.target, lock=False, is_locked=True, reason="")
            if opened.state != "done":
                found[place] = opened
                continue
            [found[place]] = _update(client, "Sales_Orders", [plain[place]], client.settings.hold_triggers)
            is_locked = False
        if found[place].state == "done":
            want = bool(write.values[locks.FIELD])
            lock_outcome = locks.settle(client, write.target, lock=want, is_locked=is_locked, reason=reason)
            found[place] = found[place] if lock_outcome.state == "done" else lock_outcome
    return found


def _reason(write: Write) -> str:
    """The words of a write: the text that is the reason, whatever the mapping calls its field."""
    texts = [v for n, v in write.values.items() if isinstance(v, str) and n != locks.FIELD]
    return max(texts, key=len, default="")


def account_values(client: Zoho, targets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the accounts hold now in their custom fields, under the mapping's names."""
    return _current(client, "Accounts", targets)


def sales_order_values(client: Zoho, targets: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the sales orders hold now in their custom fields, under the mapping's names."""
    return _current(client, "Sales_Orders", targets, (locks.FIELD,))


def account_changes(client: Zoho, targets: Sequence[str]) -> dict[str, Change]:
    """Who last changed these accounts, and when."""
    return _changes(client, "Accounts", targets)


def sales_order_changes(client: Zoho, targets: Sequence[str]) -> dict[str, Change]:
    """Who last changed these sales orders, and when."""
    return _changes(client, "Sales_Orders", targets)


def tasks(client: Zoho, writes: Sequence[Write]) -> list[Outcome]:
    """Tasks for the owners of accounts, each with our key in its unique field, so that none is made twice."""
    rows = []
    for row in _rows(client, "Tasks", writes):
        row.pop("id", None)  # a task has no record yet; what it is about is its What_Id
        if "What_Id" in row:
            row["$se_module"] = "Accounts"
        rows.append(row)
    key = client.fields("Tasks").find(TASK_KEY)
    if key is None or not key.unique:
        raise ConfigError(
            Text(
                "Tasks in Zoho need a unique text field “Credit Task Key”. Run `holdfast provision`.",
                "Zoho 的任务需要一个唯一的文本字段“Credit Task Key”。请运行 `holdfast provision`。",
            )
        )
    for row, write in zip(rows, writes, strict=True):
        row[key.name] = write.key
    body = {"duplicate_check_fields": [key.name], "trigger": []}
    return _send(client, "POST", "/Tasks/upsert", rows, body)


def find_tasks(client: Zoho, keys: Sequence[str]) -> dict[str, str]:
    """Key → id of the tasks that carry our keys. By COQL: the search's index lags behind."""
    name = client.names("Tasks", [TASK_KEY])[TASK_KEY]
    found: dict[str, str] = {}
    for start in range(0, len(keys), _IN_MOST):
        some = ", ".join(_quoted(k) for k in keys[start : start + _IN_MOST])
        select = f"select id, {name} from Tasks where {name} in ({some}) limit 0, 200"  # noqa: S608 - quoted above
        found |= {str(r[name]): str(r["id"]) for r in client.query(select)}
    return found


def close_tasks(client: Zoho, writes: Sequence[Write]) -> list[Outcome]:
    """Completes tasks that are there and not completed yet; the others somebody has completed or deleted."""
    names = client.names("Tasks", list(dict.fromkeys(n for w in writes for n in w.values)))
    fields = client.fields("Tasks").by_name
    there = _tasks_there(client, [w.target for w in writes], list(names.values()))

    def is_open(write: Write) -> bool:
        row = there.get(write.target)
        return row is not None and any(
            row.get(names[n]) != encode(fields[names[n]], v) for n, v in write.values.items()
        )

    todo = [place for place, write in enumerate(writes) if is_open(write)]
    told = dict(zip(todo, _update(client, "Tasks", [writes[place] for place in todo], []), strict=True))
    refused = [writes[place].target for place, outcome in told.items() if outcome.state == "rejected"]
    left = _tasks_there(client, refused, []) if refused else {}
    gone = {target for target in refused if target not in left}  # deleted just now
    return [
        told[place] if place in told and write.target not in gone else Outcome("done", write.target)
        for place, write in enumerate(writes)
    ]


def _tasks_there(client: Zoho, targets: Sequence[str], names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for first in range(0, len(targets), _IDS_MOST):
        ids = ",".join(targets[first : first + _IDS_MOST])
        body = client.get("/Tasks", {"fields": ",".join(names) or "Subject", "ids": ids, "per_page": "200"})
        found |= {str(row["id"]): row for row in body.get("data", [])}
    return found


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _rows(client: Zoho, module: str, writes: Sequence[Write]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(n for w in writes for n in w.values))
    api_of = client.names(module, names)
    fields = client.fields(module).by_name
    return [{"id": w.target, **{api_of[n]: encode(fields[api_of[n]], v) for n, v in w.values.items()}} for w in writes]


def _update(client: Zoho, module: str, writes: Sequence[Write], triggers: Sequence[str]) -> list[Outcome]:
    rows = _rows(client, module, writes)
    return _send(client, "PUT", f"/{module}", rows, {"trigger": list(triggers)})


def _send(
    client: Zoho, method: str, path: str, rows: Sequence[dict[str, Any]], body: Mapping[str, Any]
) -> list[Outcome]:
    """One outcome per row, in order; halves the batch where Zoho finds it too large."""
    if not rows:
        return []
    try:
        answer = client.http.call(
            method, client.path(path), safe=True, json={"data": list(rows), **body}, judge=judge_rows
        )
    except RejectedError as refused:
        if refused.code == "LIMIT_EXCEEDED" and len(rows) > 1:
            return _halves(client, method, path, rows, body)
        raise
    results = contents(answer).get("data")
    if not isinstance(results, list):
        raise ProtocolError(Text("Zoho's answer to a write has no rows.", "Zoho 对写入的应答中没有各行结果。"))
    if len(results) != len(rows):
        first = results[0] if results and isinstance(results[0], dict) else {}
        if first.get("code") == "LIMIT_EXCEEDED" and len(rows) > 1:
            return _halves(client, method, path, rows, body)
        if (
            len(results) == 1 and first.get("status") == "error"
        ):  # a verdict on the whole call; the core tries rows alone
            verdict = _outcome(first)
            raise RejectedError(verdict.why or "", code=verdict.code)
        raise ProtocolError(
            Text("Zoho answered {n} rows for {m}.", "Zoho 对 {m} 行返回了 {n} 行结果。").fill(
                n=len(results), m=len(rows)
            )
        )
    return [_outcome(r if isinstance(r, dict) else {}) for r in results]


def _halves(
    client: Zoho, method: str, path: str, rows: Sequence[dict[str, Any]], body: Mapping[str, Any]
) -> list[Outcome]:
    middle = len(rows) // 2
    return [*_send(client, method, path, rows[:middle], body), *_send(client, method, path, rows[middle:], body)]


def _outcome(result: Mapping[str, Any]) -> Outcome:
    code, details = str(result.get("code") or ""), result.get("details") or {}
    if result.get("status") == "success" and details.get("id"):
        return Outcome("done", str(details["id"]))
    if code in _LATER:
        return Outcome("again", why=_LATER[code], code=code, retry_after=_LATER_SECONDS)
    place = details.get("json_path") or details.get("api_name") or ""
    why = Text("Zoho refuses the row: {code} {message} {place}", "Zoho 拒绝了该行：{code} {message} {place}").fill(
        code=code, message=result.get("message") or "", place=place
    )
    return Outcome("rejected", why=why, code=code)


def _current(
    client: Zoho, module: str, targets: Sequence[str], also: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    known = client.fields(module).by_name.values()
    fields = [f for f in known if (f.custom and not f.read_only) or f.name in also]
    found: dict[str, dict[str, Any]] = {}
    for first in range(0, len(targets), _IDS_MOST):
        ids = ",".join(targets[first : first + _IDS_MOST])
        for start in range(0, max(len(fields), 1), _NAMES_MOST):
            some = fields[start : start + _NAMES_MOST]
            names = ",".join(f.name for f in some) or "id"
            body = client.get(f"/{module}", {"fields": names, "ids": ids, "per_page": "200"})
            for row in body.get("data", []):
                values = found.setdefault(str(row["id"]), {})
                for field in some:
                    values[field.name] = values[field.mark or field.name] = row.get(field.name)
    return found


def _changes(client: Zoho, module: str, targets: Sequence[str]) -> dict[str, Change]:
    found: dict[str, Change] = {}
    for first in range(0, len(targets), _IDS_MOST):
        ids = ",".join(targets[first : first + _IDS_MOST])
        body = client.get(f"/{module}", {"fields": "Modified_By,Modified_Time", "ids": ids, "per_page": "200"})
        for row in body.get("data", []):
            at = row.get("Modified_Time")
            found[str(row["id"])] = Change((row.get("Modified_By") or {}).get("name") or "", parse(at) if at else None)
    return found
