"""Requests: a release that somebody asks for in a field of the order, inside the system where he works.

The words in the field are the reason. They are heeded once: other words are another request, and so are the same ones after
the field was empty. What became of it stands on the order in the system's own field, and the asker is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector.clock import Clock
from connector.config import Config
from connector.config_people import named
from connector.connect import Connected
from connector.credit.authority import Person
from connector.errors import ConfigError, Problem
from connector.policy import Policy
from connector.store import customers, order_credit, release_requests
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.release_requests import Wanted
from connector.text import Text
from jobs import order as orders
from jobs.recipients import Directory
from jobs.run import Run, running

_WORDS_MOST = 1000


def heed_requests(
    store: Store, config: Config, policy: Policy, clock: Clock, *, systems: Sequence[Connected] = ()
) -> Run:
    """Makes requests of what people ask for inside their systems. Where nobody asks no run is kept."""
    with store.reading() as tx:
        if not release_requests.waits(tx):
            return Run("requests")
    with running(store, clock, "requests") as run:
        with store.reading() as tx:
            wanted = release_requests.waiting(tx)
            directory = Directory(config, customers.people(tx))
        for one in wanted:
            person = _asker(config, directory, one)
            try:
                if not _linked(store, one):
                    continue  # as soon as it is
                if not _asked_already(store, one, person):
                    why = one.reason.strip()[:_WORDS_MOST]
                    name = f"{one.system}/{one.ref}"
                    orders.request(store, config, policy, clock, name, person, why, systems=systems)
                    run.counts["asked"] += 1
            except ConfigError as wrong:
                run.problem(Problem("release_request", f"{one.system}/{one.ref}", wrong.user, CLEAR))
            with store.writing(concern=Concern()) as tx:
                release_requests.heed(tx, one)
    return run


def _asker(config: Config, directory: Directory, one: Wanted) -> Person:
    """Who asks: one of the people of config.toml, else whom the system names."""
    found = directory.user(one.system, one.by) if one.by else None
    if found is None:
        return Person(f"{one.system}/{one.by or '?'}", ids=((one.system, one.by),) if one.by else ())
    return named(config.people, found.key) or Person(found.key, found.name, email=found.address, ids=found.users)


def _linked(store: Store, one: Wanted) -> bool:
    """Whether the order is there, and its customer known to be one of the ledger's."""
    with store.reading() as tx:
        return any(order.debtor is not None for order in order_credit.find(tx, f"{one.system}/{one.ref}"))


def _asked_already(store: Store, one: Wanted, person: Person) -> bool:
    """Whether the request was made and only the note of it was lost."""
    with store.reading() as tx:
        keys = {order.key for order in order_credit.find(tx, f"{one.system}/{one.ref}")}
        twins = {twin.key for some in order_credit.twins(tx, keys).values() for twin in some}
        lines = order_credit.history(tx, orders=keys | twins)
    last = next((line for line in reversed(lines) if line.what != "changed"), None)
    said = one.reason.strip()[:_WORDS_MOST]
    return last is not None and (last.what, last.actor, last.why) == ("requested", person.actor, said)


CLEAR = Text(
    "Tell who asked; other words in the field are a new request.", "请告知申请人；在该栏填写其他内容即视为新的申请。"
)
