"""Running sums for a replay: what one customer has open in one currency, changed line by line and never added up anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from heapq import heappop, heappush

from connector.credit.ageing import Placement
from connector.credit.replay_events import CLOSED, LATE, LIMIT, LOOK, WORTH, Happening
from connector.credit.replay_history import BANK_BILL, COMMERCIAL_BILL, DRAFT, PAYMENT, Family, Line
from connector.credit.totals import Totals


class Standing:
    """How every line of a family stands at the moment; a line is late from the day after its due day on."""

    __slots__ = ("disputed", "late", "value")

    def __init__(self, count: int) -> None:
        self.value = [0] * count
        self.disputed = [0] * count
        self.late = [False] * count


class Sums:
    """The figures of `Totals` for one customer and currency, kept up."""

    __slots__ = (
        "_clear",
        "_late",
        "_lines",
        "_state",
        "bank",
        "cash",
        "commercial",
        "currency",
        "customer",
        "dateless",
        "disputed",
        "drafts",
        "mine",
        "notes",
        "overdue",
        "receivables",
        "undisputed",
    )

    def __init__(self, customer: int, currency: str, lines: Sequence[Line], state: Standing) -> None:
        self.customer, self.currency = customer, currency
        self._lines, self._state = lines, state
        self.mine: set[int] = set()  # the lines that are open
        self.receivables = self.cash = self.notes = self.disputed = 0
        self.overdue = self.undisputed = self.dateless = 0
        self.commercial = self.bank = self.drafts = 0
        # Late lines by due day: all of them, and those not disputed as a whole. What is settled stays until it is met.
        self._late: list[tuple[int, int]] = []
        self._clear: list[tuple[int, int]] = []

    def change(self, at: int, value: int, disputed: int) -> None:
        """A line is worth something else from now on."""
        state = self._state
        self._add(at, -1)
        state.value[at], state.disputed[at] = value, disputed
        if value:
            self.mine.add(at)
        else:
            self.mine.discard(at)
        self._add(at, 1)

    def turn_late(self, at: int) -> None:
        """A line is past its due day from now on."""
        self._add(at, -1)
        self._state.late[at] = True
        self._add(at, 1)

    def _add(self, at: int, sign: int) -> None:
        line, value = self._lines[at], self._state.value[at]
        if not value:
            return
        sort = line.sort
        if sort > PAYMENT:
            if sort == COMMERCIAL_BILL:
                self.commercial += sign * value
            elif sort == BANK_BILL:
                self.bank += sign * value
            elif sort == DRAFT:
                self.drafts += sign * value
            return
        if value < 0:
            if sort == PAYMENT:
                self.cash -= sign * value
            else:
                self.notes -= sign * value
            return
        doubt = min(self._state.disputed[at], value)
        self.receivables += sign * value
        self.disputed += sign * doubt
        if not line.dated:
            self.dateless += sign
        if self._state.late[at]:
            self.overdue += sign * value
            self.undisputed += sign * (value - doubt)
            if sign > 0:
                heappush(self._late, (line.due, at))
                if value > doubt:
                    heappush(self._clear, (line.due, at))

    def _oldest(self) -> int | None:
        heap, value = self._late, self._state.value
        while heap and value[heap[0][1]] <= 0:
            heappop(heap)
        return heap[0][0] if heap else None

    def _oldest_undisputed(self) -> int | None:
        heap, value, disputed = self._clear, self._state.value, self._state.disputed
        while heap and value[heap[0][1]] <= max(disputed[heap[0][1]], 0):
            heappop(heap)
        return heap[0][0] if heap else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is open."""
        return not self.mine

    def totals(self, buckets: int, placement: Placement) -> Totals:
        """The row as the store would sum it, but that all debts stand in the first of so many buckets: no decision looks
        at the others."""
        if placement == "fifo":
            return self._netted(buckets)
        apart = placement == "separate"
        credit = 0 if apart else self.cash + self.notes
        oldest, undisputed = self._oldest(), self._oldest_undisputed()
        day = dt.date.fromordinal
        return Totals(
            self.customer,
            self.currency,
            (self.receivables - credit,) + (0,) * (buckets - 1),
            self.cash if apart else 0,
            self.notes if apart else 0,
            self.cash,
            self.notes,
            self.receivables,
            self.overdue,
            day(oldest) if oldest is not None else None,
            self.undisputed,
            day(undisputed) if undisputed is not None else None,
            self.disputed,
            self.commercial,
            self.bank,
            self.drafts,
            self.dateless,
        )

    def _netted(self, buckets: int) -> Totals:
        state, lines = self._state, self._lines
        credit = self.cash + self.notes
        aged = overdue = clear = 0
        oldest: int | None = None
        oldest_clear: int | None = None
        debts = [at for at in self.mine if lines[at].sort <= PAYMENT and state.value[at] > 0]
        for at in sorted(debts, key=lambda at: (lines[at].due, lines[at].issued, lines[at].ref)):
            used = min(credit, state.value[at])
            credit -= used
            rest = state.value[at] - used
            aged += rest
            if rest > 0 and state.late[at]:
                doubt = min(state.disputed[at], rest)
                overdue, clear = overdue + rest, clear + rest - doubt
                oldest = lines[at].due if oldest is None else oldest
                if rest > doubt and oldest_clear is None:
                    oldest_clear = lines[at].due
        day = dt.date.fromordinal
        return Totals(
            self.customer,
            self.currency,
            (aged,) + (0,) * (buckets - 1),
            min(self.cash, max(self.cash + self.notes - self.receivables, 0)),
            max(self.notes - self.receivables, 0),
            self.cash,
            self.notes,
            self.receivables,
            overdue,
            day(oldest) if oldest is not None else None,
            clear,
            day(oldest_clear) if oldest_clear is not None else None,
            self.disputed,
            self.commercial,
            self.bank,
            self.drafts,
            self.dateless,
        )


class Ledger:
    """How a family stands at a moment of its history: running sums, and the open orders of each debtor.

    `open_orders` has, by the debtor's place, the places of its open orders, each with that of its rest of now.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self.standing = Standing(len(family.lines))
        self.debtor_of = {m.customer: at for at, d in enumerate(family.debtors) for m in d.members}
        self.open_orders: list[dict[int, int]] = [{} for _ in family.debtors]
        self.sums: dict[int, list[Sums]] = {m.customer: [] for d in family.debtors for m in d.members}
        made: dict[tuple[int, str], Sums] = {}
        self._of_line: list[Sums] = []
        for line in family.lines:
            sums = made.get((line.customer, line.currency))
            if sums is None:
                sums = made[line.customer, line.currency] = Sums(
                    line.customer, line.currency, family.lines, self.standing
                )
                self.sums[line.customer].append(sums)
            self._of_line.append(sums)
        for own in self.sums.values():
            own.sort(key=lambda sums: sums.currency)

    def take(self, happening: Happening) -> int:
        """Lets one thing happen; gives the place of the debtor it happens to."""
        _, what, at, place = happening
        family = self.family
        if what == WORTH:
            worth = family.lines[at].worth[place]
            self._of_line[at].change(at, worth.value, worth.disputed)
            return self.debtor_of[family.lines[at].customer]
        if what == LATE:
            self._of_line[at].turn_late(at)
            return self.debtor_of[family.lines[at].customer]
        if what in (LOOK, LIMIT):
            return at
        debtor = self.debtor_of[family.orders[at].customer]
        if what == CLOSED:
            self.open_orders[debtor].pop(at, None)
        else:
            self.open_orders[debtor][at] = place
        return debtor
