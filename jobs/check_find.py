"""Finding what order checks speak of: the customer by id or tax number, and an order that is in the store already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from connector.config import Config
from connector.errors import ConfigError, Missing
from connector.store import Connection, order_credit
from connector.store import asked as questions
from connector.store.asked import Whose
from connector.store.keys import system_names
from connector.store.order_credit import OrderAt
from jobs import check_words as say
from jobs.check_asked import Asked
from jobs.order_desk import the_order


class Finder:
    """Looks up the customers of some questions, all at once."""

    def __init__(self, tx: Connection, config: Config, asked: Sequence[Asked]) -> None:
        self.tx = tx
        self.ledgers = {s.name for s in config.with_role("erp")}
        self.names = system_names(tx)
        words = {one.customer for one in asked}
        words |= {word.partition("/")[2] for word in words if "/" in word}
        self.by_ref: Mapping[str, list[Whose]] = _by(questions.customers(tx, sorted(words)), "ref")
        self._by_tax_id: Mapping[str, list[Whose]] | None = None
        self._words = sorted({one.customer for one in asked})

    def whose(self, word: str) -> Whose:
        """The customer that is meant: the one of the system that is named, else the ledger's, else any other's, else that
        with this tax number. Raises ConfigError where there is none, or several that are not one debtor."""
        system, slash, ref = word.partition("/")
        named = [c for c in self.by_ref.get(ref, ()) if self.names[c.system] == system] if slash else []
        found = named or self._best(self.by_ref.get(word, ())) or self._best(self._taxed(word))
        if not found:
            raise Missing(say.NO_CUSTOMER.fill(word=word))
        if len(found) > 1 and len({c.debtor for c in found}) > 1:
            refs = ", ".join(f"{self.names[c.system]}/{c.ref}" for c in found[:8])
            raise ConfigError(say.SEVERAL_CUSTOMERS.fill(word=word, refs=refs))
        if found[0].debtor is None:
            raise ConfigError(say.NOT_LINKED.fill(ref=self.name_of(found[0])))
        return found[0]

    def name_of(self, whose: Whose) -> str:
        """A customer as SYSTEM/ID."""
        return f"{self.names[whose.system]}/{whose.ref}"

    def _best(self, found: Sequence[Whose]) -> list[Whose]:
        if len(found) < 2:
            return list(found)
        return [c for c in found if self.names[c.system] in self.ledgers] or list(found)

    def _taxed(self, word: str) -> Sequence[Whose]:
        if self._by_tax_id is None:
            missing = [w for w in self._words if w not in self.by_ref]
            self._by_tax_id = _by(questions.taxed(self.tx, missing), "tax_id")
        return self._by_tax_id.get(word, ())


def _by(found: Sequence[Whose], name: str) -> dict[str, list[Whose]]:
    by_word: dict[str, list[Whose]] = defaultdict(list)
    for one in found:
        by_word[getattr(one, name)].append(one)
    return by_word


def order_names(wanted: str) -> tuple[str, ...]:
    """The ids and numbers that may be meant."""
    _, slash, ref = wanted.partition("/")
    return (wanted, ref) if slash else (wanted,)


def orders_there(tx: Connection, several: Sequence[tuple[int, str]]) -> dict[tuple[int, str], OrderAt]:
    """Of orders, by debtor and name, those that are in the store. ConfigError is a matter of one: see `there`."""
    if not several:
        return {}
    debtors = sorted({debtor for debtor, _ in several})
    names = sorted({name for _, wanted in several for name in order_names(wanted)})
    known = {(debtor, name) for debtor, *words in questions.orders(tx, debtors, names) for name in words if name}
    found = {}
    for debtor, wanted in several:
        if any((debtor, name) in known for name in order_names(wanted)):
            order = there(tx, debtor, wanted)
            if order is not None:
                found[debtor, wanted] = order
    return found


def there(tx: Connection, debtor: int, wanted: str) -> OrderAt | None:
    """The order of a debtor that is meant; None where it has none of that name."""
    mine = [order for order in order_credit.find(tx, wanted) if order.debtor == debtor]
    if len(mine) < 2:
        return mine[0] if mine else None
    return the_order(tx, wanted)
