"""Record locks: a held order cannot be edited in Fxiaoke, as far as the tenant's lock rules go.

The API locks and unlocks records by id, many a call; it says of a record that it is locked, not by whom. So whoever calls
remembers whose lock it is: only a write that carries `lock_status` is about a lock of ours. Whether a locked record may
be updated through the API is not documented: ours is taken off for the moment of the update.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.fxiaoke.client import Client
from adapters.fxiaoke.fields import describe
from adapters.fxiaoke.read import all_of, in_groups, where
from adapters.fxiaoke.write import updating
from connector.adapter import Finding, Outcome, Write
from connector.errors import HoldfastError, RejectedError, TransientError
from connector.text import Text

FIELD = "lock_status"
ORDERS = "SalesOrderObj"
_WHAT = Text("Locking of held orders", "锁定被冻结的订单")
_AT_ONCE = 100


def send(client: Client, writes: Sequence[Write]) -> Sequence[Outcome]:
    """The fields of orders, and their locks where a write says so."""
    plain = [Write(w.key, w.target, {n: v for n, v in w.values.items() if n != FIELD}) for w in writes]
    asked = {w.target: bool(w.values[FIELD]) for w in writes if FIELD in w.values}
    if not asked:
        return updating(ORDERS)(client, writes)
    locked = _locked(client, list(asked))
    outcomes: dict[int, Outcome] = {}
    failed = _turn(client, "unlock", [target for target in asked if target in locked])
    writable = [(n, w) for n, w in enumerate(plain) if w.target not in failed and w.values]
    said = iter(updating(ORDERS)(client, [w for _, w in writable]))
    for place, write in enumerate(plain):
        if write.target in failed:
            outcomes[place] = failed[write.target]
        elif write.values:
            outcomes[place] = next(said)
        else:
            outcomes[place] = Outcome("done", write.target)
    # What was locked before is locked again even where its fields were refused.
    wanted = [
        w.target
        for n, w in enumerate(plain)
        if asked.get(w.target) and (outcomes[n].state == "done" or w.target in locked)
    ]
    failed = _turn(client, "lock", list(dict.fromkeys(t for t in wanted if t not in failed)))
    return [
        failed[w.target] if w.target in failed and outcomes[n].state == "done" else outcomes[n]
        for n, w in enumerate(plain)
    ]


def _locked(client: Client, targets: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for ids in in_groups(targets):
        for rows in all_of(client, ORDERS, [where("_id", "IN", *ids)], ["_id", FIELD]):
            found.update(str(row["_id"]) for row in rows if is_locked(row.get(FIELD)))
    return found


def is_locked(value: object) -> bool:
    """Whether a `lock_status` says locked."""
    return str(value) == "1"


def _turn(client: Client, verb: str, targets: Sequence[str]) -> dict[str, Outcome]:
    """Locks or unlocks records; gives an outcome for each that failed. One bad id spoils a call: then one by one."""
    failed: dict[str, Outcome] = {}
    for start in range(0, len(targets), _AT_ONCE):
        some = targets[start : start + _AT_ONCE]
        try:
            _call(client, verb, some)
        except RejectedError as wrong:
            if len(some) == 1:
                failed[some[0]] = Outcome("rejected", some[0], wrong.user, wrong.code or "lock")
            else:
                for one in some:
                    failed |= _turn(client, verb, [one])
        except TransientError as wrong:
            failed |= dict.fromkeys(some, Outcome("again", why=wrong.user, retry_after=wrong.retry_after))
    return failed


def _call(client: Client, verb: str, targets: Sequence[str]) -> None:
    # `detailObjStrategy` 1: the lines of the order with it.
    data = {"dataObjectApiName": ORDERS, "dataIds": list(targets), "detailObjStrategy": 1}
    client.call(f"/cgi/crm/v2/object/{verb}", {"data": data}, safe=True, write=True)


def stands(client: Client) -> Finding:
    """Whether orders can be locked there: the object knows locks."""
    try:
        described = describe(client, ORDERS)
    except HoldfastError as wrong:
        return Finding("todo", _WHAT, wrong.user)
    if FIELD in described.fields:
        return Finding("fine", _WHAT)
    return Finding(
        "todo",
        _WHAT,
        Text(
            "Sales orders have no lock status here: set `hold` of this system to “flag”.",
            "该企业的销售订单没有锁定状态：请将该系统的 `hold` 设为“flag”。",
        ),
    )
