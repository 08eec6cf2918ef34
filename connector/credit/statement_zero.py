"""Zeros that a total proves: where a section's lines add up to its total exactly, the lines left blank in it are zero.

Only a proposal: a blank is not known until a person says that it is nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from connector.credit.statement_header import tight
from connector.credit.statement_labels import ITEMS
from connector.credit.statement_numbers import Printed

_SECTIONS = ("current_assets", "non_current_assets", "current_liabilities", "non_current_liabilities", "equity")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An item that would be zero, in the closing column or the one beside it, and the total that proves it."""

    item: str
    label: str
    cell: str
    total: str
    opening: bool


@dataclass(slots=True)
class Section:
    """The lines since the last total of one block."""

    sums: list[Decimal] = field(default_factory=lambda: [Decimal(0), Decimal(0)])
    blank: list[list[tuple[str, str, str]]] = field(default_factory=lambda: [[], []])
    proposals: list[Proposal] = field(default_factory=list)

    def line(self, label: str, item: str | None, now: Printed, past: Printed, cell: str) -> None:
        """Takes one line of the block into account."""
        words = tight(label)
        total = item is not None and ITEMS[item].total
        for column, figure in enumerate((now, past)):
            if total:
                if item in _SECTIONS and figure.amount is not None and figure.amount == self.sums[column]:
                    self.proposals += [
                        Proposal(name, its, where, label.strip(), bool(column))
                        for name, its, where in self.blank[column]
                    ]
                self.sums[column], self.blank[column] = Decimal(0), []
            elif words.startswith("其中"):
                continue
            elif figure.amount is not None:
                self.sums[column] += -figure.amount if re.match("减:", words) else figure.amount
            elif item is not None and figure.problem is None:
                self.blank[column].append((item, label.strip(), cell))
