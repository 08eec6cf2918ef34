"""The suite itself under test: a good adapter has every property, and each planted bug is caught by the property that
claims to catch it. A property that catches nothing would be decoration."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connector.adapter import Connection, Finding, Need, Outcome, Page, Record, Write
from connector.errors import HoldfastError, ProtocolError, TransientError
from connector.hook import Callback, Delivery, Event, Known, Refused, Subscription
from connector.hook_signing import stamp_and_body_signed
from connector.http import Fixed, Limits, Renewed, Throttle, Token
from connector.text import Text
from tests.conformance.properties import BY_NAME, PROPERTIES, details, marks
from tests.conformance.reference import MAPPING, SIZE, WORLD, Client, adapter, make, write_folder
from tests.conformance.stage import Cast, staged

log = logging.getLogger("tests.planted")


def cast(at: Path, client: type[Client] = Client, mapping: str = MAPPING, **changed: Any) -> Cast:
    return Cast(adapter(client, **changed), make, WORLD, mapping, write_folder(at))


# --- the good one ----------------------------------------------------------------------------------------------------
GOOD = [
    pytest.param(p.name, d, id=f"{p.name}{f':{d}' if d else ''}")
    for p in PROPERTIES
    for d in details(p, Cast(adapter(), make, WORLD, MAPPING))
]


@pytest.mark.parametrize(("prop", "detail"), GOOD)
def test_the_good_adapter_has_every_property(prop: str, detail: str, tmp_path: Path) -> None:
    with staged(cast(tmp_path), tmp_path) as stage:
        BY_NAME[prop].holds(stage, detail)


# --- the bugs --------------------------------------------------------------------------------------------------------
class DropsTheLastPage(Client):
    """Stops when a page is not full, and forgets to hand it over."""

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        for page in super().customers(cursor, wanted):
            yield replace(page, records=()) if page.last else page


class SkipsARowBetweenPages(Client):
    """Off by one at each page."""

    def fetch(self, since: str | None, after: tuple[str, str] | None, fields: str) -> list[Record]:
        found = super().fetch(since, after, fields)
        return found[1:] if after and len(found) == SIZE else found


class NeverSaysWhichPageIsTheLast(Client):
    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        for page in super().customers(cursor, wanted):
            yield replace(page, last=False)


class PagesByOffset(Client):
    """Row numbers over a list that moves."""

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        state = dict(cursor or {"offset": 0, "mark": ""})
        if "offset" not in state:
            yield from super().customers({"mark": state["mark"]}, wanted)
            return
        while True:
            found = self.rows(offset=str(state["offset"]))
            state["mark"] = max([state["mark"], *(str(r.data["modified"]) for r in found)])
            state["offset"] += len(found)
            if len(found) < SIZE:
                yield Page(found, {"mark": state["mark"]}, full=True, last=True)
                return
            yield Page(found, dict(state), full=True, last=False)


class IgnoresTheCursor(Client):
    """Reads everything each time, and calls it changes."""

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        for page in super().customers(None, wanted):
            yield replace(page, full=cursor is None)


class StartsOverWhenInterrupted(Client):
    """Cursors are only good at the end."""

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        for page in super().customers(cursor, wanted):
            yield page if page.last else replace(page, cursor=None)


class ForgetsTies(Client):
    """Next page: changed later than the last row, without its id."""

    def fetch(self, since: str | None, after: tuple[str, str] | None, fields: str) -> list[Record]:
        return super().fetch(since, (after[0], "~") if after else None, fields)


class LosesWhatHappensMeanwhile(Client):
    """Takes everything at the beginning, hands it out page by page, and notes the time at the end."""

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        pages = list(super().customers(cursor, wanted))
        for page in pages:
            yield replace(page, cursor={"mark": "2026-11-23T20:00:00+00:00"}) if page.last else page


class NeverAsksWhatIsGone(Client):
    def keys(self) -> Iterator[Sequence[str]]:
        yield [r.key for r in self.rows(since="2020")]


class CallsChangesEverything(Client):
    """A read of changes that says it was full: the core would sweep all others away."""

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        for page in super().customers(cursor, wanted):
            yield replace(page, full=True)


class SkipsNewOnes(Client):
    def rows(self, **query: str) -> list[Record]:
        return [r for r in super().rows(**query) if r.key < "T800"]


class FloatMoney(Client):
    def rows(self, **query: str) -> list[Record]:
        return [Record(r.key, {**r.data, "balance": float(r.data["balance"])}) for r in super().rows(**query)]


class StumblesOverAnUnknownField(Client):
    def known(self, wanted: Sequence[str]) -> str:
        return ",".join({"id": "id", "name": "name", "country": "country"}[w] for w in wanted)


class EndsTheListInTrouble(Client):
    """Whatever goes wrong, there is simply nothing more."""

    def rows(self, **query: str) -> list[Record]:
        try:
            return super().rows(**query)
        except HoldfastError:
            return []


class EndsTheListAtTheFirstTrouble(EndsTheListInTrouble):
    """The same, without even trying again."""

    def opened(self, connection: Connection) -> Any:
        return connection.http(connection.settings.base_url, auth=Renewed(self.token), attempts=1)


class TakesAPageForAnEmptyList(Client):
    def get(self, path: str, **query: str) -> Any:
        try:
            return super().get(path, **query)
        except ProtocolError:
            return []


class ComesBackAtOnce(Client):
    """Its own loop around the client, faster than asked."""

    def opened(self, connection: Connection) -> Any:
        http = super().opened(connection)
        once = connection.http(connection.settings.base_url, auth=http.auth, attempts=1, throttle=nullcontext())

        class Hasty:
            def call(self, *args: Any, **options: Any) -> Any:
                for _ in range(9):
                    try:
                        return once.call(*args, **options)
                    except TransientError:
                        connection.clock.sleep(2.0)
                return once.call(*args, **options)

        return Hasty()


class HasLimitsOfItsOwn(Client):
    """A throttle per client that knows nothing of the product's limit."""

    def opened(self, connection: Connection) -> Any:
        http = super().opened(connection)
        return connection.http(connection.settings.base_url, auth=http.auth, throttle=Throttle(Limits(in_flight=50)))


class KeepsADeadToken(Client):
    def opened(self, connection: Connection) -> Any:
        token: list[Token] = []

        def once() -> Mapping[str, str]:
            if not token:
                token.append(self.token())
            return token[0].headers

        return connection.http(connection.settings.base_url, auth=Fixed(once))


class HammersAtTheDoor(Client):
    def token(self) -> Token:
        for _ in range(9):
            try:
                return super().token()
            except HoldfastError:
                pass
        return super().token()


class ChecksNothing(Client):
    def check(self, needs: Sequence[Need]) -> list[Finding]:
        return [Finding("fine", Text("All is well", "一切正常"))]


class FindsFaultWithWhatIsFine(Client):
    def check(self, needs: Sequence[Need]) -> list[Finding]:
        fix = Text("Add it.", "请添加。")
        return [*super().check(needs), Finding("wrong", Text("No field x", "没有字段 x"), fix)]


class MakesItAgainAndAgain(Client):
    """Creates every field without looking."""

    def provision(self, needs: Sequence[Need], dry: bool) -> list[Finding]:
        for need in needs:
            self.post("/fields", {"name": need.name}, safe=True)
        return [Finding("made", Text(f"Field {n.name}", f"字段 {n.name}")) for n in needs]


class AnswersInItsOwnOrder(Client):
    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        return sorted(super().send(writes), key=lambda o: o.state)


class SwallowsPartialFailure(Client):
    """The call went through, so all of it did."""

    def outcome(self, answer: Mapping[str, str]) -> Outcome:
        return Outcome("done", answer.get("id", "T001"))


class GivesUpTheWholeBatch(Client):
    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        outcomes = super().send(writes)
        bad = [o for o in outcomes if o.state != "done"]
        return [bad[0]] * len(outcomes) if bad else outcomes


class SaysDoneAndDoesNothing(Client):
    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        return [Outcome("done", w.target) for w in writes]


class ReadsBackWhatItWrote(Client):
    """Never looks at the system: a hold that was taken off by hand would go unseen."""

    def current(self, targets: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        return {t: {"held": False} for t in targets}


class RetriesATask(Client):
    """Calls creating a task safe."""

    def send_tasks(self, writes: Sequence[Write]) -> list[Outcome]:
        return [self.outcome(self.post("/tasks", {**w.values, "customer": w.target}, safe=True).json()) for w in writes]


class FindsByTheBeginningOfTheKey(Client):
    def find(self, keys: Sequence[str]) -> dict[str, str]:
        found = {}
        for key in keys:
            for whole in (f"overdue:{n}:2026-11" for n in (1, 2, 3)):
                if whole.startswith(key[:-1]):
                    found.update((key, task) for task in super().find([whole]).values())
        return found


class OneCallForEachWrite(Client):
    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        return [super(OneCallForEachWrite, self).send([w])[0] for w in writes]


class WritesMoreThanAsked(Client):
    """Sends the whole record back, with what it thinks is there."""

    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        return super().send([replace(w, values={**w.values, "country": ""}) for w in writes])


class LeavesATraceWhenReading(Client):
    def keys(self) -> Iterator[Sequence[str]]:
        self.post("/fields", {"name": "last_read_at"}, safe=True)
        return super().keys()


class LogsItsToken(Client):
    def get(self, path: str, **query: str) -> Any:
        log.debug("GET %s with %s", path, self.http.auth.headers())
        return super().get(path, **query)


class QuotesItsSecret(Client):
    def check(self, needs: Sequence[Need]) -> list[Finding]:
        secret = self.connection.secret("client_secret")
        return [*super().check(needs), Finding("fine", Text(f"Signed in with {secret}", f"已用 {secret} 登录"))]


class PutsItsTokenIntoTheAddress(Client):
    def get(self, path: str, **query: str) -> Any:
        return super().get(path, **query, token=self.http.auth.headers()["authorization"])


class NamesAnotherRecord(Client):
    def event(self, key: str, number: str) -> Event:
        return replace(super().event(key, number), key="T001")


class NumbersEachCallAnew(Client):
    """The same call once more is another event: it would be heeded twice."""

    def event(self, key: str, number: str) -> Event:
        return replace(super().event(key, number), id=uuid.uuid4().hex)


class HoldsEverybody(Client):
    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        everybody = [Write(w.key, f"T{n:03d}", w.values) for w in writes for n in range(1, 5)]
        return super().send(everybody)[: len(writes)]


class TrustsWhoeverCalls(Client):
    def proved(self, delivery: Delivery, known: Known) -> Refused | None:
        return None


class TakesCallsOfAnyTime(Client):
    def proved(self, delivery: Delivery, known: Known) -> Refused | None:
        return stamp_and_body_signed(delivery, known, header="tally-signature", tolerance=dt.timedelta(days=999))


class OnlySaysItRenews(Client):
    def renew(self, callback: Callback, one: Subscription) -> Subscription | None:
        return one


class NeverEndsASubscription(Client):
    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        pass


@dataclass(frozen=True)
class Bug:
    """A broken client, or the good one with something else changed, and the property that must catch it."""

    caught_by: str
    client: type[Client] = Client
    detail: str = "customers"
    name: str = ""
    changed: Callable[[], dict[str, Any]] = dict

    @property
    def id(self) -> str:
        return f"{self.name or self.client.__name__}-{self.caught_by}"


WRONG_PATH = MAPPING.replace('name = "name"', 'name = "title"')

BUGS = [
    Bug("paging", DropsTheLastPage),
    Bug("paging", SkipsARowBetweenPages),
    Bug("paging", NeverSaysWhichPageIsTheLast),
    Bug("moving", PagesByOffset),
    Bug("moving", LosesWhatHappensMeanwhile),
    Bug("resume", StartsOverWhenInterrupted),
    Bug("change", IgnoresTheCursor),
    Bug("change", CallsChangesEverything),
    Bug("change-added", SkipsNewOnes),
    Bug("change-removed", NeverAsksWhatIsGone),
    Bug("change-ties", ForgetsTies),
    Bug("exact", FloatMoney),
    Bug("unknown-field", StumblesOverAnUnknownField),
    Bug("mapping", name="MapsAFieldThatIsNotThere", changed=lambda: {"mapping": WRONG_PATH}),
    Bug("trouble", EndsTheListAtTheFirstTrouble, "500"),
    Bug("trouble-lasting", EndsTheListInTrouble, "503"),
    Bug("trouble-lasting", EndsTheListInTrouble, "reset"),
    Bug("trouble-lasting", TakesAPageForAnEmptyList, "html"),
    Bug("trouble-weather", EndsTheListAtTheFirstTrouble, ""),
    Bug("throttling", ComesBackAtOnce, ""),
    Bug("throttling-bare", ComesBackAtOnce, ""),
    Bug("throttling-limits", HasLimitsOfItsOwn, ""),
    Bug("tokens", KeepsADeadToken, ""),
    Bug("connect", FindsFaultWithWhatIsFine, ""),
    Bug("connect-refused", HammersAtTheDoor, ""),
    Bug("connect-refused", ChecksNothing, ""),
    Bug("connect-nobody", ChecksNothing, ""),
    Bug("provision", MakesItAgainAndAgain, ""),
    Bug("push", SaysDoneAndDoesNothing, "customer_fields"),
    Bug("push", ReadsBackWhatItWrote, "hold"),
    Bug("push-refused", AnswersInItsOwnOrder, "customer_fields"),
    Bug("push-refused", SwallowsPartialFailure, "customer_fields"),
    Bug("push-partial", SwallowsPartialFailure, "customer_fields"),
    Bug("push-partial", GivesUpTheWholeBatch, "hold"),
    Bug("push-lost", RetriesATask, "task"),
    Bug("push-find", FindsByTheBeginningOfTheKey, "task"),
    Bug("restraint", OneCallForEachWrite, "customer_fields"),
    Bug("restraint", WritesMoreThanAsked, "customer_fields"),
    Bug("restraint-reading", LeavesATraceWhenReading, ""),
    Bug("secrecy", LogsItsToken, ""),
    Bug("secrecy", QuotesItsSecret, ""),
    Bug("secrecy", PutsItsTokenIntoTheAddress, ""),
    Bug("hold", SaysDoneAndDoesNothing, "row_hold"),
    Bug("hold", HoldsEverybody, "row_hold"),
    Bug("hold", name="SaysNothingOfHowItHolds", detail="hold", changed=lambda: {"blocks": ()}),
    Bug("hook", NamesAnotherRecord, ""),
    Bug("hook", NumbersEachCallAnew, ""),
    Bug("hook", name="DoesNotCall", detail="", changed=lambda: {"hook": None}),
    Bug("hook-forged", TrustsWhoeverCalls, ""),
    Bug("hook-late", TakesCallsOfAnyTime, ""),
    Bug("hook-renewal", OnlySaysItRenews, ""),
    Bug("hook-renewal", NeverEndsASubscription, ""),
    Bug("folder", name="NoEvidence", detail="", changed=lambda: {"evidence": ()}),
    Bug(
        "folder", name="ExemptFromSomethingUnknown", detail="", changed=lambda: {"exemptions": {"speed": "It is slow."}}
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda b: b.id)
def test_each_planted_bug_is_caught(bug: Bug, tmp_path: Path) -> None:
    changed = bug.changed()
    changed.pop("attempts", None)
    with (
        staged(cast(tmp_path, bug.client, **changed), tmp_path) as stage,
        pytest.raises((AssertionError, HoldfastError, KeyError)),
    ):
        BY_NAME[bug.caught_by].holds(stage, bug.detail)


def test_every_property_catches_something() -> None:
    assert {b.caught_by for b in BUGS} == set(BY_NAME)


@pytest.mark.parametrize("missing", ["README.md", "samples/customers.json"])
def test_a_folder_without_its_guide_or_samples_is_caught(missing: str, tmp_path: Path) -> None:
    made = cast(tmp_path)
    assert made.folder is not None
    (made.folder / missing).unlink()
    with staged(made, tmp_path) as stage, pytest.raises(AssertionError):
        BY_NAME["folder"].holds(stage, "")


def test_a_property_does_not_hold_of_nothing(tmp_path: Path) -> None:
    """An empty system would otherwise have every property of reading."""
    for prop in ("paging", "resume", "moving", "change", "exact"):
        with staged(cast(tmp_path / prop), tmp_path / prop) as stage:
            for row in stage.sandbox.shelf.all("customer"):
                stage.sandbox.shelf.drop("customer", row["id"])
            with pytest.raises(AssertionError):
                BY_NAME[prop].holds(stage, "customers")


def test_an_exemption_is_expected_to_fail_strictly(tmp_path: Path) -> None:
    honest = cast(tmp_path, exemptions={"tokens": "Its key does not expire.", "trouble:html": "It answers with pages."})
    (mark,) = marks(honest, BY_NAME["tokens"], "")
    assert mark.name == "xfail"
    assert mark.kwargs == {"reason": "Its key does not expire.", "strict": True}
    assert len(marks(honest, BY_NAME["trouble"], "html")) == 1
    assert marks(honest, BY_NAME["trouble"], "500") == []
    assert marks(honest, BY_NAME["paging"], "customers") == []
