"""Writing: one record a call, or many through our APL function; tasks are looked for by their key before they are made.

The API has no batch update, no upsert and no idempotency key. Both trigger flags are sent as false at top level, so
that no approval or workflow of the tenant starts because figures were refreshed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.fxiaoke.client import Client
from adapters.fxiaoke.fields import Described, Field, decode, describe, encode, object_named
from adapters.fxiaoke.read import all_of, in_groups, path_of, where
from connector.adapter import Current, Json, Outcome, Send, Write
from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError
from connector.text import Text, same

_QUIETLY = {"triggerApprovalFlow": False, "triggerWorkFlow": False}


# --- fields that must be there -------------------------------------------------------------------------------------------
def targets_of(described: Described, names: Sequence[str]) -> dict[str, Field]:
    """The fields behind the names a mapping writes. ConfigError lists every one that is missing: nothing is written."""
    found = {name: described.find(name) for name in names}
    missing = [name for name, field in found.items() if field is None]
    if missing:
        raise ConfigError(
            Text(
                "{object} ({api}) has no field {list}. Nothing was written. Create the fields as `holdfast provision` "
                "describes, or write their api names into the mapping.",
                "{object}（{api}）缺少字段：{list}。未写入任何数据。请按 `holdfast provision` 的清单新建字段，或在映射中填写其 api 名。",
            ).fill(object=described.label, api=described.name, list=", ".join(f"“{m}”" for m in missing))
        )
    return {name: field for name, field in found.items() if field is not None}


def _names(writes: Sequence[Write]) -> list[str]:
    return list(dict.fromkeys(name for write in writes for name in write.values))


def _outcome(wrong: HoldfastError) -> Outcome:
    """What became of a write that raised; ConfigError is no outcome, it stops the channel."""
    if isinstance(wrong, RejectedError):
        return Outcome("rejected", why=wrong.user, code=wrong.code)
    if isinstance(wrong, TransientError):
        return Outcome("again", why=wrong.user, retry_after=wrong.retry_after)
    if isinstance(wrong, ProtocolError):
        return Outcome("again", why=wrong.user, code="protocol")
    raise wrong


def _one_by_one(writes: Sequence[Write], send: Callable[[Write], str]) -> list[Outcome]:
    """One outcome per write, in order. The rest waits once a person must act, the system says until when to wait, or two
    in a row fail: one alone may be that record's own trouble (a slow function of the tenant), and must not stop the others.
    """
    outcomes: list[Outcome] = []
    failed = 0
    for write in writes:
        try:
            outcomes.append(Outcome("done", send(write)))
            failed = 0
        except ConfigError as wrong:
            if not outcomes:
                raise
            return _waiting(outcomes, len(writes), Outcome("again", why=wrong.user))
        except HoldfastError as wrong:
            outcomes.append(_outcome(wrong))
            failed = failed + 1 if isinstance(wrong, TransientError) else 0
            if failed == 2 or (isinstance(wrong, TransientError) and wrong.retry_after):
                return _waiting(outcomes, len(writes), outcomes[-1])
    return outcomes


def _waiting(outcomes: list[Outcome], many: int, last: Outcome) -> list[Outcome]:
    return outcomes + [last] * (many - len(outcomes))


# --- fields of customers and orders ----------------------------------------------------------------------------------------
def updating(object_name: str) -> Send[Client]:
    """How fields of existing records are written."""

    def send(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
        if not writes:
            return []
        described = describe(client, object_name)
        fields = targets_of(described, _names(writes))
        if client.settings.bulk_function and len(writes) > 1:
            return _in_bulk(client, object_name, fields, writes)

        def update(write: Write) -> str:
            _update(client, object_name, write.target, _encoded(client, fields, write))
            return write.target

        return _one_by_one(writes, update)

    return send


def _encoded(client: Client, fields: Mapping[str, Field], write: Write) -> dict[str, Json]:
    return {fields[name].name: encode(fields[name], value, client.zone) for name, value in write.values.items()}


def _update(client: Client, object_name: str, record: str, values: Mapping[str, Json]) -> None:
    # The same values twice do no more than once: safe to repeat.
    client.call(
        path_of(object_name, "update"),
        {
            **_QUIETLY,
            "data": {
                "object_data": {"dataObjectApiName": object_name, "_id": record, **values},
                "optionInfo": {"skipFuncValidate": False, "useValidationRule": True},
            },
        },
        safe=True,
        write=True,
    )


# --- many at once, through our APL function --------------------------------------------------------------------------------
def _in_bulk(client: Client, object_name: str, fields: Mapping[str, Field], writes: Sequence[Write]) -> list[Outcome]:
    """Rows that write the same fields go in one call; what the function does not answer for is tried again."""
    outcomes: dict[int, Outcome] = {}
    groups: dict[tuple[str, ...], list[tuple[int, str, dict[str, Json]]]] = {}
    for at, write in enumerate(writes):
        try:
            values = _encoded(client, fields, write)
        except RejectedError as wrong:
            outcomes[at] = _outcome(wrong)
            continue
        groups.setdefault(tuple(sorted(values)), []).append((at, write.target, values))
    for rows in groups.values():
        try:
            answer = push_rows(client, object_name, {target: values for _, target, values in rows})
        except ConfigError:
            raise
        except HoldfastError as wrong:
            outcomes.update((at, _outcome(wrong)) for at, _, _ in rows)
            continue
        done, failed = set(answer.get("done") or ()), answer.get("failed") or {}
        for at, target, _ in rows:
            if target in done:
                outcomes[at] = Outcome("done", target)
            elif target in failed:
                outcomes[at] = Outcome("rejected", why=same(str(failed[target])[:200]), code="function")
            else:
                why = Text("The APL function did not answer for this record.", "APL 函数未返回该记录的结果。")
                outcomes[at] = Outcome("again", why=why, code="function")
    return [outcomes[at] for at in range(len(writes))]


def push_rows(client: Client, object_name: str, rows: Mapping[str, Mapping[str, Json]]) -> Mapping[str, Any]:
    """Calls the function of plugin/credit_push.apl: `{"done": [ids], "failed": {id: reason}}`.

    The same rows have the same `postId`, by which the platform may recognise a repetition. ConfigError where the
    function is not there or is another one.
    """
    function = client.settings.bulk_function
    assert function is not None
    told = json.dumps({"object": object_name, "rows": rows}, ensure_ascii=False, sort_keys=True)
    try:
        answer = client.call(
            "/cgi/crm/v2/special/function",
            {
                "data": {
                    "api_name": function,
                    "postId": hashlib.sha256(told.encode()).hexdigest()[:32],
                    "parameters": [{"name": "rows", "type": "String", "value": told}],
                }
            },
            safe=True,
            write=True,
        )
    except RejectedError as wrong:  # it is the function that is refused, not a record: parking them all would be wrong
        raise ConfigError(
            Text("The APL function {name} cannot be run: {why}", "无法执行 APL 函数 {name}：{why}").fill(
                name=function, why=wrong.user
            ),
            wrong.log,
        ) from None
    result = _result(answer.get("data"))
    if result is None:
        raise ConfigError(
            Text(
                "The APL function {name} does not answer as ours does. Paste plugin/credit_push.apl again, or leave "
                "bulk_function out.",
                "APL 函数 {name} 的返回与我们提供的不一致。请重新粘贴 plugin/credit_push.apl，或去掉 bulk_function 设置。",
            ).fill(name=function)
        )
    return result


def _result(value: Any) -> Mapping[str, Any] | None:
    """The function's own answer, wherever the envelope puts it (the vendor does not document where)."""
    for _ in range(4):
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                return None
        if not isinstance(value, dict):
            return None
        if "done" in value or "failed" in value:
            return value
        value = next((value[n] for n in ("functionResult", "result", "data") if n in value), None)
    return None


# --- reading back ------------------------------------------------------------------------------------------------------------
def reading_back(object_name: str) -> Current[Client]:
    """The values that are there now, under their api names and, for the tenant's own fields, under `label:` too."""

    def current(client: Client, targets: Sequence[str]) -> Mapping[str, Mapping[str, Json]]:
        described = describe(client, object_name)
        own = [f for f in described.fields.values() if f.name.endswith("__c")]
        lock = "lock_status" if "lock_status" in described.fields else ""
        asked = ["_id", *(f.name for f in own), *([lock] if lock else [])]
        found: dict[str, dict[str, Json]] = {}
        for ids in in_groups(targets):
            for rows in all_of(client, object_name, [where("_id", "IN", *ids)], asked):
                for row in rows:
                    values = found.setdefault(str(row["_id"]), {})
                    if lock:
                        values[lock] = str(row.get(lock)) == "1"
                    for field in own:
                        # An absent member is an empty field: the query leaves nulls out.
                        value = decode(field, row.get(field.name), client.zone)
                        values[field.name] = values[f"label:{field.label}"] = value
        return found

    return current


# --- tasks -------------------------------------------------------------------------------------------------------------------
def task_object(client: Client) -> str:
    """The object whose records are our tasks. ConfigError where the tenant has none."""
    found = object_named(client, client.settings.task_object)
    if found is None:
        raise ConfigError(
            Text(
                "The tenant has no object called “{name}” for tasks. Create it as `holdfast provision` describes, or set "
                "task_object.",
                "企业中没有名为“{name}”的任务对象。请按 `holdfast provision` 的清单新建，或设置 task_object。",
            ).fill(name=client.settings.task_object.removeprefix("label:"))
        )
    return found


def _found(client: Client, described: Described, key_field: Field, keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in in_groups(keys):
        for rows in all_of(client, described.name, [where(key_field.name, "IN", *some)], ["_id", key_field.name]):
            found.update((str(r[key_field.name]), str(r["_id"])) for r in rows if r.get(key_field.name))
    return found


def _task_fields(client: Client) -> tuple[Described, Field]:
    described = describe(client, task_object(client))
    key_name = client.settings.task_key_field
    return described, targets_of(described, [key_name])[key_name]


def find_tasks(client: Client, keys: Sequence[str]) -> Mapping[str, str]:
    """Our key → id of the task that bears it."""
    described, key_field = _task_fields(client)
    return _found(client, described, key_field, keys)


def send_tasks(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Makes the tasks that are not there yet. It always looks first: one query for all of them costs less than a double."""
    if not writes:
        return []
    described, key_field = _task_fields(client)
    fields = targets_of(described, _names(writes))
    there = _found(client, described, key_field, [w.key for w in writes])

    def create(write: Write) -> str:
        if write.key in there:
            return there[write.key]
        values = {n: v for n, v in _encoded(client, fields, write).items() if v is not None}
        if "owner" in described.fields and not client.settings.acting_user.startswith("FSUID_"):
            values.setdefault("owner", [client.settings.acting_user])  # nobody known: it must not lie around unseen
        told = client.call(
            path_of(described.name, "create"),
            {
                **_QUIETLY,
                "data": {
                    "object_data": {"dataObjectApiName": described.name, **values, key_field.name: write.key},
                    "optionInfo": {"isDuplicateSearch": False, "useValidationRule": True},
                },
            },
            safe=False,
            write=True,
        )
        # The vendor's page on custom objects shows no id in the answer: then it is looked up.
        made = str(told.get("dataId") or "") or _found(client, described, key_field, [write.key]).get(write.key, "")
        if not made:
            raise TransientError(
                Text("The task was made, but cannot be found by its key yet.", "任务已创建，但暂时无法按任务键查到。")
            )
        there[write.key] = made
        return made

    return _one_by_one(writes, create)


def close_tasks(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
    """Says of tasks that are there and open that their matter is decided; the others somebody has closed or deleted."""
    if not writes:
        return []
    described = describe(client, task_object(client))
    fields = targets_of(described, _names(writes))
    there: dict[str, Mapping[str, Json]] = {}
    for ids in in_groups([w.target for w in writes]):
        for rows in all_of(
            client, described.name, [where("_id", "IN", *ids)], ["_id", *(f.name for f in fields.values())]
        ):
            there.update((str(row["_id"]), row) for row in rows)

    def close(write: Write) -> str:
        row, values = there.get(write.target), _encoded(client, fields, write)
        if row is not None and any(row.get(name) != value for name, value in values.items()):
            _update(client, described.name, write.target, values)
        return write.target

    return _one_by_one(writes, close)
