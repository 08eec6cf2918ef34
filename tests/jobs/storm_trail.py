"""What must be true when the storm is over: the history and the audit trail, read line by line, explain every order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Connection, text

from connector.sandbox import Sandbox
from connector.store import audit, order_credit, outbox
from connector.store.order_credit import Happened
from tests.jobs.storm_proof import EXEMPT
from tests.jobs.storm_said import THROUGH, Name, Said, State, rows, said, states, used

HELD = frozenset({"held", "requested", "refused", "expired"})
# What may happen to an order in a state, and the states that follow; "" is one that was never checked.
NEXT: Mapping[str, Mapping[str, frozenset[str]]] = {
    "passed": {"passed": frozenset({"", "released"})},
    "held": {"held": frozenset({"", "passed"})},
    "auto_released": {"passed": HELD},
    "requested": {"requested": HELD},
    "approved": {"requested": HELD},
    "released": {"released": HELD},
    "refused": {"refused": HELD},
    "expired": {"expired": frozenset({"released"})},
    "manual": {
        "held": frozenset({"", "passed", "released", "held"}),
        **{state: frozenset({state}) for state in ("requested", "refused", "expired")},
    },
    "taken_over": {state: frozenset({state}) for state in (*HELD, *THROUGH)},
    "lifted": {state: frozenset({state}) for state in ("held", "requested", "refused", "expired")},
    "changed": {state: frozenset({state}) for state in (*HELD, *THROUGH)},
}
# These two end and begin: the state that stood there counts no more.
ENDS, BEGINS = "ended", "reopened"


def prove(tx: Connection, box: Sandbox) -> Counter[str]:
    """Raises AssertionError where something is not explained; says how much was looked at."""
    assert audit.verify(tx) == []
    seen: Counter[str] = Counter()
    history, of = order_credit.history(tx), states(tx, also_ended=True)
    names = {
        key: f"{order.system}/{order.ref}" for key, order in order_credit.orders(tx, {h.order for h in history}).items()
    }
    by_order: dict[int, list[Happened]] = defaultdict(list)
    for line in history:
        by_order[line.order].append(line)
    first, told = _told(tx)
    for state_name, state in of.items():
        name = "/".join(state_name)
        lines = by_order.pop(state.key, [])
        _explained(name, lines, state, first.get(name))
        _in_the_trail(name, lines, told.pop(name, []), first.get(name))
        seen["orders"] += 1
        seen["lines"] += len(lines)
    assert not by_order, f"lines of orders without a state: {[names[key] for key in by_order]}"
    assert not told, f"entries of orders without a state: {sorted(told)}"
    now = said(tx)
    _all_stand(tx, now, of)
    _why_they_wait(now, of, seen)
    _never_too_much(tx, history, seen)
    _flags(tx, box, now, of, seen)
    _tasks(tx, box, seen)
    _reservations(tx, seen)
    return seen


def _told(tx: Connection) -> tuple[dict[str, str], dict[str, list[tuple[str, str]]]]:
    """Of the audit trail: the state of each order that a night met first, and what was told of it since."""
    first: dict[str, str] = {}
    told: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in audit.in_order(tx, audit.MAIN):
        entry = line.entry
        if entry.action == "order.first_check":
            for state, refs in entry.after.items():
                for ref in refs:
                    assert ref not in first, f"{ref} was met for the first time twice"
                    first[ref] = state
        elif entry.subject.startswith("order:") and entry.action != "order.denied":
            told[entry.subject.removeprefix("order:")].append(
                (entry.action.removeprefix("order."), entry.after["state"])
            )
    return first, told


def _explained(name: str, lines: Sequence[Happened], state: State, first: str | None) -> None:
    """Each line follows from the one before, and the last one is the state that is kept."""
    # What a night meets and lets pass has no line of its own, only its name in the trail.
    now, ended, by_hand = ("passed" if first == "passed" else ""), False, False
    what = [(line.what, line.state, line.actor) for line in lines]
    # What was decided of the same order in the other system goes on.
    over = dict((lines[0].body or {}).get("taken_over") or {}) if lines else {}
    now, by_hand = over.get("state", now), bool(over.get("by_hand"))
    for line in lines:
        where = f"{name}: {line.what} → {line.state} after {now or 'nothing'}{' (ended)' if ended else ''} in {what}"
        if line.what == ENDS:
            assert not ended, where
            ended = True
            assert line.state == now, where
            continue
        if line.what == BEGINS:
            assert ended or (over and line is lines[0]), where
        else:
            follows = NEXT[line.what].get(line.state)
            assert follows is not None, where
            assert line.what == "manual" or not ended, where
            assert ("" if ended and line.what == "manual" else now) in follows or (ended and line.what == "manual"), (
                where
            )
        ended = False
        now = line.state
        by_hand = line.what == "manual" or (by_hand and line.what not in ("lifted", "released"))
        assert not (by_hand and now in THROUGH), f"{name} passes in spite of a hold by hand: {what}"
    assert (now, ended) == (state.state, state.ended), f"{name} is {state}, the trail ends with {now} {ended}: {what}"
    assert by_hand == state.manual, f"{name}: held by hand {by_hand} by the trail, {state.manual} by its state"


def _in_the_trail(name: str, lines: Sequence[Happened], told: Sequence[tuple[str, str]], first: str | None) -> None:
    """Every line but the end of an order stands in the audit trail, in the same order; of the first of a night its name."""
    kept = [line for line in lines if line.what != ENDS]
    if first == "held":
        assert (kept[0].what, kept[0].actor) == ("held", "job:evaluate"), f"{name}: {kept}"
        kept = kept[1:]
    assert [(line.what, line.state) for line in kept] == list(told), (
        f"{name}: {kept} in the history, {told} in the trail"
    )


def _all_stand(tx: Connection, now: Said, of: Mapping[Name, State]) -> None:
    """Every order that is open has a state, no order that is not open has one that goes on."""
    competing = {(o.kind, o.ref) for o in now.competing()}
    assert competing <= set(of), f"never checked: {sorted(competing - set(of))}"
    going = {name for name, state in of.items() if not state.ended}
    assert going == competing, f"gone on: {sorted(going - competing)}; ended: {sorted(competing - going)}"


def _why_they_wait(now: Said, of: Mapping[Name, State], seen: Counter[str]) -> None:
    """What has passed fits; what waits for a limit alone would not fit beside what has passed."""
    for node in now.limits:
        if node not in EXEMPT and (passed := used(now, of, node, ("passed",))):
            assert now.owes(node) + passed <= now.limits[node], node
    for order in now.competing():
        state = of[order.kind, order.ref]
        seen[state.state] += 1
        if state.state not in HELD:
            continue
        assert state.rules, f"{order} is held for no reason"
        if state.manual or state.rules - {"limit_exceeded", "group_limit_exceeded"}:
            continue
        nodes = list(now.chain(order.customer))
        over = [n for n in nodes if now.owes(n) + used(now, of, n, THROUGH) + order.amount > now.limits[n]]
        assert over, f"{order} waits and would fit: {state}"
        seen["would not fit"] += 1


def _never_too_much(tx: Connection, history: Sequence[Happened], seen: Counter[str]) -> None:
    """Line by line: what had passed by the history was never more than the limit of that moment."""
    customer = {row.ref: row.customer for kind in ("books", "crm") for row in rows(tx, f"kind = '{kind}'")}
    refs = {key: order.ref for key, order in order_credit.orders(tx, {h.order for h in history}).items()}
    asked = text("SELECT line, node, most, owed FROM storm_proof ORDER BY line")
    proofs: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for line, node, most, owed in tx.execute(asked):
        proofs[line].append((node, most, owed))
    running: dict[int, Decimal] = {}
    for happened in history:
        if happened.state == "passed" and happened.what != ENDS:
            running[happened.order] = Decimal((happened.body or {}).get("total", "0"))
        else:
            running.pop(happened.order, None)
        for node, most, owed in proofs.get(happened.id, ()):
            if node in ("G", "H"):
                continue  # who belongs to it changes
            passed = sum((v for k, v in running.items() if customer[refs[k]] == node), Decimal(0))
            assert owed + passed <= most, f"{node}: {owed} owed, {passed} passed of {most} at line {happened.id}"
            seen["proofs"] += 1


def _flags(tx: Connection, box: Sandbox, now: Said, of: Mapping[Name, State], seen: Counter[str]) -> None:
    """The CRM's flags are the states: of the ledger's order where the same order stands there."""
    standing = {(o.number, o.customer): of[o.kind, o.ref] for o in now.competing()}
    there = {thing["id"]: thing for thing in box.shelf.all("Sales_Orders")}
    for order in rows(tx, "kind = 'crm'"):
        state = standing.get((order.number, order.customer)) if order.status == "open" else None
        wanted = state is not None and state.state in HELD
        found = bool(there[order.ref].get("Credit_Hold"))
        assert found == wanted, f"{order}: the CRM says {'held' if found else 'free'}, the state is {state}"
        seen["flags"] += wanted


def _tasks(tx: Connection, box: Sandbox, seen: Counter[str]) -> None:
    """Every task that was delivered is there, once, and no other."""
    keys = Counter(thing["Credit_Task_Key"] for thing in box.shelf.all("Tasks"))
    twice = [key for key, count in keys.items() if count > 1]
    assert not twice, f"tasks that were made twice: {twice}"
    delivered = [row.key for row in outbox.listing(tx, states=("done",), system="crm") if row.kind == "task"]
    assert len(delivered) == len(set(delivered)), "a task was delivered twice"
    assert set(keys) == set(delivered), f"{set(keys) ^ set(delivered)}"
    seen["tasks"] += len(keys)


def _reservations(tx: Connection, seen: Counter[str]) -> None:
    """Each reservation stands in the trail, with its answer; each that was given back, too."""
    told, back = set[int](), set[int]()
    for line in audit.in_order(tx, audit.MAIN):
        entry = line.entry
        if entry.action == "order.asked" and (made := entry.after.get("reservation")):
            assert made["id"] not in told, f"told twice: {entry}"
            told.add(made["id"])
        elif entry.action == "reservation.return":
            back.add(entry.after["reservation"])
    kept = {row[0]: row[1] for row in tx.execute(text("SELECT id, ended FROM reservation"))}
    assert set(kept) == told
    assert {number for number, ended in kept.items() if ended == "returned"} == back
    seen["given back"] += len(back)
