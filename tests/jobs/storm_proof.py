"""What is proved in the storm: in each transaction that judged, before it ends, with plain sums over what was said.

The sums are read in the very moment of the judging (inside `marks.undisturbed`), the states at the end of the
transaction, which has the customer's lock: whatever has passed by then must fit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from connector.clock import Clock
from connector.store import marks, order_credit, reservations
from connector.store.db import Store
from connector.store.order_credit import Happened, Standing
from connector.store.reservations import Reservation
from jobs.judge import Judged
from tests.jobs.storm_said import THROUGH, Name, Said, State, reserved, said, states, used

# Whose rules persons set aside: there a limit binds nobody.
EXEMPT = frozenset({"E"})
# What an order that takes credit anew has gone through: it must fit beside all that were let through before.
ANEW = frozenset({"passed", "auto_released", "reopened", "lifted"})


class Broken(AssertionError):
    """Something that must always be true is not."""


class Watch:
    """Watches every transaction of this process. `seen` counts what was proved, so that nothing is proved on nothing."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.seen: dict[str, int] = {"judged": 0, "let through": 0, "near": 0, "reserved": 0}
        self._judged: dict[int, tuple[dict[int, str], Said]] = {}
        self._passes: dict[int, set[Name]] = {}
        self._lines: dict[int, list[Happened]] = {}
        self._kept: set[int] = set()
        self._reserving: dict[int, set[int]] = {}

    def begin(self) -> None:
        """From now on nothing ends unproved."""
        writing, undisturbed = Store.writing, marks.undisturbed
        append, keep, reserve = order_credit.append, order_credit.keep, reservations.keep

        @contextlib.contextmanager
        def watched(store: Store, **how: Any) -> Iterator[Connection]:
            with writing(store, **how) as tx:
                key = id(tx.connection.driver_connection)
                self._judged.pop(key, None)
                self._lines.pop(key, None)
                self._kept.discard(key)
                self._reserving.pop(key, None)
                yield tx
                judged, lines = self._judged.pop(key, None), self._lines.pop(key, [])
                reserving = self._reserving.pop(key, set())
                # A check that only warns judges and records nothing.
                if judged is not None and key in self._kept:
                    self.prove(tx, *judged, lines)
                elif judged is not None and reserving:
                    self.prove_reserved(tx, judged[1], reserving, self._passes[key])
                elif lines:
                    raise Broken(f"lines without judging: {lines}")

        def judging(tx: Connection, read: Callable[[], Any], *, still: bool = False) -> Any:
            found, now = undisturbed(tx, lambda: (read(), said(tx)), still=still)
            refs = {j.debtor: j.members[0].ref for j in _judged(found)}
            key = id(tx.connection.driver_connection)
            before = self._judged.get(key, ({}, now))[0]
            self._judged[key] = ({**before, **refs}, now)
            self._passes[key] = {(r.system, r.ref) for j in _judged(found) for r, one in j.orders if not one.hold}
            return found

        def appending(tx: Connection, lines: Sequence[Happened]) -> None:
            append(tx, lines)
            self._lines.setdefault(id(tx.connection.driver_connection), []).extend(lines)

        def keeping(tx: Connection, new: Sequence[Standing], changed: Sequence[Standing]) -> None:
            keep(tx, new, changed)
            self._kept.add(id(tx.connection.driver_connection))

        def reserving_(tx: Connection, made: Sequence[Reservation]) -> list[int]:
            mine = self._reserving.setdefault(id(tx.connection.driver_connection), set())
            mine.update(one.customer for one in made)
            return reserve(tx, made)

        Store.writing = watched  # type: ignore[method-assign, assignment]
        marks.undisturbed = judging  # type: ignore[assignment]
        order_credit.append = appending
        order_credit.keep = keeping
        reservations.keep = reserving_

    def prove(self, tx: Connection, refs: dict[int, str], now: Said, lines: Sequence[Happened]) -> None:
        """Raises Broken where more has passed than fits."""
        of = states(tx)
        keys = {found.key: name for name, found in of.items()}
        competing = {(o.kind, o.ref): o for o in now.competing()}
        last = int(tx.execute(text("SELECT coalesce(max(id), 0) FROM order_event")).scalar_one())
        promised = reserved(tx, self.clock.now())
        for debtor, ref in refs.items():
            if ref in EXEMPT:
                continue
            self.seen["judged"] += 1
            anew = [(n, line) for n, line in enumerate(lines) if line.debtor == debtor and _anew(line)]
            for node in now.chain(ref):
                most, owed = now.limits[node], now.owes(node)
                passed = used(now, of, node, ("passed",))
                self.seen["near"] += passed > 0 and owed + passed > most * 3 // 4
                if passed and owed + passed > most:
                    raise Broken(f"{node}: {owed} owed and {passed} passed of {most}; {_told(now, of, node)}; {lines}")
                for n, line in anew:
                    # Somebody may have said more of it since it was looked up: then it is not among these.
                    if keys.get(line.order) in competing:
                        self.seen["let through"] += 1
                        # What a person releases beyond the limit afterwards does not undo that this one fitted.
                        later = {one.order for one in lines[n + 1 :] if one.what == "released"}
                        then = {name: found for name, found in of.items() if found.key not in later}
                        self.fits(now, node, used(now, then, node, THROUGH), promised, line)
                if anew:
                    tx.execute(
                        text("INSERT INTO storm_proof VALUES (:line, :node, :most, :owed)"),
                        {"line": last, "node": node, "most": most, "owed": owed},
                    )

    def prove_reserved(self, tx: Connection, now: Said, reserving: Collection[int], passes: Collection[Name]) -> None:
        """Raises Broken where credit was reserved that those orders have that passed in this judging."""
        promised = reserved(tx, self.clock.now())
        for key in reserving:
            ref = tx.execute(text("SELECT ref FROM customer WHERE id = :key"), {"key": key}).scalar_one()
            if ref in EXEMPT:
                continue
            self.seen["reserved"] += 1
            for node in now.chain(ref):
                members = now.members(node)
                mine = [o for o in now.competing() if o.customer in members and (o.kind, o.ref) in passes]
                self.fits(now, node, sum(o.amount for o in mine), promised, f"a reservation beside {mine}")

    def fits(self, now: Said, node: str, through: int, promised: Mapping[str, int], what: Any) -> None:
        """Raises Broken where what is owed, let through and reserved is more than the limit."""
        owed, kept = now.owes(node), sum(promised.get(ref, 0) for ref in now.members(node))
        if owed + through + kept > now.limits[node]:
            told = f"{owed} owed, {through} let through, {kept} reserved of {now.limits[node]}"
            raise Broken(f"{node}: {told}; {what}")


def _judged(found: Any) -> list[Judged]:
    """Who was judged; without those whose groups were others by then, of whom nothing is kept."""
    apart: Any = ()
    if isinstance(found, tuple):
        apart, found = (found[0] if isinstance(found[0], set) else ()), found[-1]
    if hasattr(found, "judged"):
        found = found.judged.values() if isinstance(found.judged, Mapping) else found.judged
    return [one for one in found if isinstance(one, Judged) and one.debtor not in apart]


def _anew(line: Happened) -> bool:
    return line.state == "passed" and line.what in ANEW


def _told(now: Said, of: Mapping[Name, State], node: str) -> str:
    members = now.members(node)
    return "; ".join(
        f"{o.kind}/{o.ref} {o.customer} {o.amount} {of[o.kind, o.ref].state if (o.kind, o.ref) in of else '-'}"
        for o in now.competing()
        if o.customer in members
    )
