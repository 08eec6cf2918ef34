"""Goals P11 and P12: a replay of two years against the nightly job once a day, and decisions for 100,000 customers.

The book of trade: orders over two years, delivered and invoiced some days later, paid as each customer pays; the same
customers, limits, groups and currencies as in the other goals' book. The nights are those of days evenly spread, each of a
ledger that knows what was known by then.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any

from connector.cli.bench_book import _DAYS, Book, Story, _day, _rates
from connector.cli.bench_memory import _peak, child
from connector.cli.bench_row import Row
from connector.clock import FixedClock
from connector.errors import HoldfastError
from connector.model import Application, Document, Fact, Order, Payment
from connector.money import from_minor
from connector.store import links
from connector.store.db import Store
from connector.text import Text

if TYPE_CHECKING:
    from connector.cli.bench_scene import Scene
    from connector.store.contest import Places
    from jobs.progress import Progress

# So many nights are measured, in the middle of as many equal parts of the two years.
_NIGHTS = 6


@dataclass(frozen=True)
class Trade(Book):
    """A book whose documents are the invoices of orders; `documents` is the number of orders.

    It tells what became known after `since` and by `through` (None: by the last day).
    """

    since: dt.date = dt.date.min
    through: dt.date | None = None

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(_TELL)

    def tells(self, day: int) -> bool:
        """Whether it tells what happened on a day."""
        return self.since.toordinal() < day <= (self.through or self.as_of).toordinal()

    def facts(self, stream: str) -> Iterator[Fact]:
        """Every fact of one stream."""
        if stream == "rates":
            yield from (rate for rate in _rates(self) if self.tells(rate.on.toordinal()))
            return
        tell = _TELL[stream]
        for place in range(self.customers):
            yield from tell(Deal(self, place))


class Deal(Story):
    """One customer's orders, each with its invoice and payment."""

    book: Trade

    @cached_property
    def deals(self) -> list[dict[str, int]]:
        draw, made = self.rng.random, []
        for number in range(1, self.book.shares[self.place] + 1):
            day = self.last - int(draw() * _DAYS)
            ship = day + 2 + int(draw() * 25)
            amount = 1_000 + int(self.scale * (0.2 + 1.6 * draw()))
            low, high = self.late
            paid = ship + self.terms + low + int(draw() * (high - low))
            lost = self.trouble and draw() < 0.1
            made.append({"n": number, "day": day, "ship": ship, "amount": amount, "paid": paid, "lost": int(lost)})
        return made

    def orders(self) -> Iterator[Fact]:
        for deal in self.deals:
            done = self.book.tells(deal["ship"])
            if not done and not self.book.tells(deal["day"]):
                continue
            yield Order(
                id=f"{self.id}-O{deal['n']}",
                number=f"S{deal['n']:05d}",
                customer_id=self.id,
                ordered_on=_day(deal["day"]),
                ship_on=_day(deal["ship"]),
                currency=self.currency,
                amount=deal["amount"],
                invoiced_amount=deal["amount"] if done else 0,
                delivered_amount=deal["amount"] if done else 0,
                status="closed" if done else "open",
            )

    def documents(self) -> Iterator[Fact]:
        for deal in self.deals:
            if self.book.tells(deal["ship"]):
                yield Document(
                    id=f"{self.id}-{deal['n']}",
                    number=f"I{deal['n']:05d}",
                    customer_id=self.id,
                    kind="invoice",
                    issued_on=_day(deal["ship"]),
                    due_on=_day(deal["ship"] + self.terms),
                    currency=self.currency,
                    amount=deal["amount"],
                    order_id=f"{self.id}-O{deal['n']}",
                )

    @property
    def _settled(self) -> Iterator[dict[str, int]]:
        return (deal for deal in self.deals if self.book.tells(max(deal["ship"], deal["paid"])))

    def payments(self) -> Iterator[Fact]:
        for deal in self._settled:
            yield Payment(
                id=f"{self.id}-P{deal['n']}",
                customer_id=self.id,
                received_on=_day(deal["paid"]),
                currency=self.currency,
                amount=deal["amount"],
                kind="write_off" if deal["lost"] else "receipt",
            )

    def applications(self) -> Iterator[Fact]:
        for deal in self._settled:
            yield Application(
                id=f"{self.id}-A{deal['n']}",
                from_id=f"{self.id}-P{deal['n']}",
                to_id=f"{self.id}-{deal['n']}",
                amount=from_minor(deal["amount"], self.currency),
                applied_on=_day(deal["paid"]),
            )

    @cached_property
    def bills(self) -> list[Any]:
        return []  # its documents are those of its orders

    def limits(self) -> Iterator[Fact]:
        from connector.model import Limit

        kind = self.draws[1]
        if kind < 0.1:
            return
        # About what it has outstanding on an ordinary day.
        year = sum(deal["amount"] for deal in self.deals) // 2
        wanted = int((year * (self.terms + 40) // 365 + self.scale) * (0.8 + 1.2 * self.draws[2]))
        yield Limit(
            id=f"L{self.id}",
            customer_id=self.id,
            kind="base",
            amount=max(100, wanted // 100 * 100),
            currency=self.currency,
        )


_TELL: dict[str, Callable[[Any], Iterator[Fact]]] = {
    "customers": Story.customer,
    "rates": Story.customer,  # told by `_rates`
    "limits": Deal.limits,
    "documents": Deal.documents,
    "instalments": lambda deal: iter(()),
    "payments": Deal.payments,
    "applications": Deal.applications,
    "orders": Deal.orders,
    "order_lines": lambda deal: iter(()),
}


def replay(places: Places, progress: Progress, customers: int, orders: int, seed: int) -> Row:
    """P11: two years of one policy, against the full nightly evaluation once a day; and of two policies side by side.

    What pulls and loading cost the nights is not counted, nor what they would write into other systems.
    """
    from connector.cli.bench_scene import scene_of

    book = Trade(customers, orders, seed)
    nights = _nights(book, places, progress)
    scene = scene_of(book, places, "trade", progress)
    scene.store.close()
    first = book.as_of - dt.timedelta(days=_DAYS)
    order = {"url": scene.url, "customers": customers, "orders": orders, "seed": seed, "first": first.isoformat()}
    with child("from connector.cli.bench_replay import run; run()") as process:
        import simplejson

        told, _ = process.communicate(simplejson.dumps(order))
    if process.returncode:
        raise HoldfastError(Text("The replay in a child process failed.", "子进程中的回放失败。"))
    answer = simplejson.loads(told.splitlines()[-1])
    night = sum(nights.values()) / len(nights)
    other = night * (_DAYS + 1)
    return Row(
        "P11",
        Text(
            "replay of 24 months, one policy, against the full night once a day",
            "24 个月、单套政策的回放，对比逐日夜间全量评估",
        ),
        20,
        at_most=False,
        ours=answer["one"],
        other=other,
        figure=other / answer["one"],
        why=Text(
            "a night {night:.2f} s ({least:.2f} to {most:.2f} on {count} days evenly spread); two policies side by side: "
            "{two:.1f} s, {times:.0f} times; peak {peak:.0f} MB; {drawn:,} conclusions of one policy",
            "一夜 {night:.2f} 秒（均匀抽取 {count} 天，{least:.2f} 至 {most:.2f} 秒）；两套政策并列：{two:.1f} 秒，{times:.0f} 倍；"
            "内存峰值 {peak:.0f} MB；单套政策结论 {drawn:,} 个",
        ).fill(
            night=night,
            least=min(nights.values()),
            most=max(nights.values()),
            count=len(nights),
            two=answer["two"],
            times=2 * other / answer["two"],
            peak=answer["peak"],
            drawn=answer["drawn"],
        ),
        detail={**answer, "nights": nights, "customers": customers, "orders": orders},
    )


def _nights(book: Trade, places: Places, progress: Progress) -> dict[str, float]:
    """CPU seconds of the full night on some days, by day: the ledger as it was known, judged the evening before, too."""
    from connector.cli.bench_scene import Scene

    url = places.url("nights")
    scene = Scene(Store.open(url), book, places, url)
    found, known = {}, dt.date.min
    try:
        for part in range(_NIGHTS):
            day = book.as_of - dt.timedelta(days=_DAYS - _DAYS * (2 * part + 1) // (2 * _NIGHTS))
            for on in (day - dt.timedelta(days=1), day):
                scene.clock = FixedClock(dt.datetime.combine(on, dt.time(4), dt.UTC))
                _grow(scene, replace(book, since=known, through=on), first=known == dt.date.min)
                known = on
                found[day.isoformat()] = round(scene.spent(lambda: scene.evaluate(full=True))[0], 4)
            progress("nights", part + 1, _NIGHTS)
    finally:
        scene.store.close()
    return found


def _grow(scene: Scene, book: Trade, first: bool) -> None:
    """What became known of the book meanwhile, as pulls bring it."""
    from connector.cli.bench_scene import kept, save

    for stream in (*book.streams, "promises", "financials", "events"):
        if stream in book.streams and (first or stream not in ("customers", "limits")):
            for page in book.pages(stream, 2_000):
                save(scene, stream, kept(page), full=False)
        save(scene, stream, (), full=False, last=True)
    if first:
        with scene.store.writing() as tx:
            links.ensure_debtors(tx, list(scene.refs))


def run() -> None:
    """In the child: the replay of one policy and of two, CPU seconds and the peak of memory."""
    import sys

    import simplejson

    from connector.cli.bench_scene import Scene
    from connector.policy import default_policy, load
    from connector.store import contest
    from jobs.simulate import simulate

    order = simplejson.loads(sys.stdin.read())
    scene = Scene(
        Store.open(order["url"]),
        Trade(order["customers"], order["orders"], order["seed"]),
        contest.Nowhere(),
        order["url"],
    )
    first = dt.date.fromisoformat(order["first"])
    other = load("[hold.oldest_overdue]\ngrace_days = 10\n\n[hold.limit_exceeded]\ntolerance_percent = 10\n")
    answer: dict[str, Any] = {}
    for name, policies in (("one", [default_policy()]), ("two", [default_policy(), other])):
        began = time.process_time()
        with scene.store.reading() as tx:
            found = simulate(tx, scene.config, policies, scene.clock, first, scene.book.as_of)
        answer[name] = time.process_time() - began
        answer.setdefault("drawn", found.conclusions)
        answer["orders_held"] = [int(o.total["orders_held"]) for o in found.outcomes]
    answer["peak"] = _peak()
    print(simplejson.dumps(answer))


# --- decisions alone -------------------------------------------------------------------------------------------------
def decisions(count: int = 100_000) -> Row:
    """P12: `decide` for so many customers, from their sums; nothing of the database."""
    from connector.cli.bench_memory import child as process_of

    with process_of(f"from connector.cli.bench_replay import run_decisions; run_decisions({count})") as process:
        told, _ = process.communicate("")
    if process.returncode:
        raise HoldfastError(Text("The decisions in a child process failed.", "子进程中的评估失败。"))
    import simplejson

    answer = simplejson.loads(told.splitlines()[-1])
    return Row(
        "P12",
        Text("position and decision of {count:,} customers", "{count:,} 个客户的状况与结论").fill(count=count),
        12,
        ours=answer["seconds"],
        figure=answer["seconds"],
        why=Text(
            "{each:.1f} µs a customer, of which decide {decide:.1f}; peak {peak:.0f} MB with all of them kept",
            "每个客户 {each:.1f} µs，其中结论 {decide:.1f}；全部保留时内存峰值 {peak:.0f} MB",
        ).fill(each=answer["seconds"] * 1e6 / count, decide=answer["decide"] * 1e6 / count, peak=answer["peak"]),
        detail=answer,
    )


def run_decisions(count: int) -> None:
    """In the child: the figures of P12."""
    import simplejson

    from connector.credit.decide import decide
    from connector.credit.limit import effective
    from connector.credit.position import position
    from connector.credit.rates import Rates
    from connector.credit.totals import Totals
    from connector.model import Limit
    from connector.policy import default_policy

    rng, as_of, policy = Random(7), dt.date(2026, 11, 23), default_policy()  # noqa: S311 - repeatable, not secret
    rates = Rates([], "CNY", 35)
    rows = []
    for key in range(count):
        current, late, old = rng.randrange(5_000_000), rng.randrange(800_000), rng.randrange(300_000)
        late, old = (late if rng.random() < 0.3 else 0), (old if rng.random() < 0.1 else 0)
        overdue = late + old
        oldest = as_of - dt.timedelta(days=45 if old else 12) if overdue else None
        total = current + overdue
        ordered = Decimal(rng.randrange(1_000_000)) if rng.random() < 0.3 else Decimal(0)
        totals = Totals(
            key, "CNY", (current, late, old, 0, 0), 0, 0, 0, 0, total, overdue, oldest, overdue, oldest,
            ordered_not_delivered=ordered,
        )  # fmt: skip
        limit = Limit(id=str(key), customer_id=str(key), kind="base", amount=total + rng.randrange(-500_000, 3_000_000))
        rows.append((totals, limit))
    began = time.process_time()
    places = [
        position(t.customer, "CNY", [t], effective([lim], as_of, currency="CNY"), rates, as_of, policy)
        for t, lim in rows
    ]
    middle = time.process_time()
    made = [decide(place, (), policy) for place in places]
    ended = time.process_time()
    print(
        simplejson.dumps(
            {
                "seconds": ended - began,
                "decide": ended - middle,
                "peak": _peak(),
                "held": sum(d.hold for d in made),
            }
        )
    )
