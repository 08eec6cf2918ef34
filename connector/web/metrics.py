"""Metrics for Prometheus: what the service has answered and refused, and what waits in the store, looked up when asked.

Several processes that answer on one address count in files of one folder (`share`), so that whichever is asked tells of
all. Each has a place among them, and one that takes the place of a dead one goes on from its numbers.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from connector.store.backlog import Backlog

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where the library looks for it


def share(folder: str, place: str) -> None:
    """From now on this process counts in a folder, at its place; to be called before there are any `Metrics`."""
    os.environ[_FOLDER] = folder
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


class Metrics:
    """The counters of one process, or its part of those of several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.all = self.registry  # what is told
        if os.environ.get(_FOLDER):
            self.all = CollectorRegistry()
            MultiProcessCollector(self.all)  # type: ignore[no-untyped-call]
        self.answers = Counter(
            "holdfast_answers", "Answers by route and status.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "holdfast_answer_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self.refusals = Counter("holdfast_refusals", "Requests refused, by reason.", ["reason"], registry=self.registry)
        self.checks = Counter("holdfast_order_checks", "Order checks by result.", ["result"], registry=self.registry)
        self.hooks = Counter(
            "holdfast_hooks", "Webhooks by system and what became of them.", ["system", "outcome"],
            registry=self.registry,
        )  # fmt: skip

    def answered(self, route: str, status: int, seconds: float) -> None:
        """One more answer. The counter of a route and a status is looked up once: that costs more than counting."""
        known = self._answered.get((route, status))
        if known is None:
            known = (self.answers.labels(route, str(status)), self.seconds.labels(route))
            self._answered[route, status] = known
        known[0].inc()
        known[1].observe(seconds)

    def watch(self, backlog: Callable[[], Backlog], now: Callable[[], dt.datetime]) -> None:
        """Adds what waits in the store; `backlog` is called at each scrape."""
        self.all.register(_Waiting(backlog, now))

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.all)


class _Waiting(Collector):
    def __init__(self, backlog: Callable[[], Backlog], now: Callable[[], dt.datetime]) -> None:
        self._backlog, self._now = backlog, now

    def describe(self) -> list[Metric]:
        return []  # nothing is looked up before the first scrape

    def collect(self) -> Iterator[Metric]:
        found, now = self._backlog(), self._now()
        writes = GaugeMetricFamily("holdfast_outbox_writes", "Writes that are not settled, by state.", labels=["state"])
        for state in ("owed", "claimed", "parked"):
            writes.add_metric([state], found.outbox.get(state, 0))
        yield writes
        oldest = (now - found.owed_since).total_seconds() if found.owed_since else 0
        yield GaugeMetricFamily("holdfast_outbox_oldest_seconds", "Age of the oldest write owed.", oldest)
        orders = GaugeMetricFamily("holdfast_orders", "Open orders by credit state.", labels=["state"])
        for state, count in sorted(found.orders.items()):
            orders.add_metric([state], count)
        yield orders
        unheeded = GaugeMetricFamily("holdfast_hooks_unheeded", "Events of webhooks to be heeded.", labels=["system"])
        for system, count in sorted(found.hooks.items()):
            unheeded.add_metric([system], count)
        yield unheeded
        waited = (now - found.hooks_since).total_seconds() if found.hooks_since else 0
        yield GaugeMetricFamily("holdfast_hooks_oldest_seconds", "Age of the oldest event to be heeded.", waited)
        left = GaugeMetricFamily("holdfast_hook_ends_seconds", "Time until a system calls no more.", labels=["system"])
        for system, until in sorted(found.promised.items()):
            left.add_metric([system], (until - now).total_seconds())
        yield left
        yield GaugeMetricFamily("holdfast_problems", "Problems that nobody has mended yet.", found.problems)
        ages = GaugeMetricFamily(
            "holdfast_job_last_success_seconds", "Time since a job last ended well.", labels=["job"]
        )
        for job, at in sorted(found.finished.items()):
            ages.add_metric([job], (now - at).total_seconds())
        yield ages
