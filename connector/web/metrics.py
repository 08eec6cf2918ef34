"""Metrics for Prometheus: what this process has answered and refused, and what waits in the store, looked up when asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from connector.store.backlog import Backlog

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "holdfast_answers", "Answers by route and status.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "holdfast_answer_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.refusals = Counter("holdfast_refusals", "Requests refused, by reason.", ["reason"], registry=self.registry)
        self.checks = Counter("holdfast_order_checks", "Order checks by result.", ["result"], registry=self.registry)
        self.hooks = Counter(
            "holdfast_hooks", "Webhooks by system and what became of them.", ["system", "outcome"],
            registry=self.registry,
        )  # fmt: skip

    def watch(self, backlog: Callable[[], Backlog], now: Callable[[], dt.datetime]) -> None:
        """Adds what waits in the store; `backlog` is called at each scrape."""
        self.registry.register(_Waiting(backlog, now))

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)


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
