"""Reviews as a job and as decisions, on both databases."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from connector.config import Config, LimitSettings
from connector.config_people import PersonSettings
from connector.credit.authority import Person
from connector.credit.granting import Request, standing
from connector.errors import ConfigError
from connector.model import Customer, Event, Limit
from connector.policy import default_policy
from connector.store import audit, customers, decisions, limits, marks, papers, reviews
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.papers import PaperRow
from jobs import grant_ask, grant_matter, review_decide
from jobs.evaluate import evaluate
from jobs.papers import lacking_of
from jobs.review import review
from jobs.review_decide import Desk
from jobs.review_follow import follow
from jobs.timeline import timeline
from tests.jobs.ledger import CONFIG, Books
from tests.store.books import save
from tests.store.conftest import emptied
from tests.store.conftest import shared_store as shared_store
from tests.store.conftest import store as store

POLICY = default_policy()
PEOPLE = (
    PersonSettings(id="li.wei", name="李伟", roles=("credit_controller",)),
    PersonSettings(id="wang.fang", name="王芳", roles=("approver",)),
    PersonSettings(id="zhao.min", name="赵敏", roles=("sales",)),
)
ANSWERS = {"identity": "ok", "payment": "on time", "statements": "2025 on file", "overdue": "none", "security": "none"}


class Office(Books):
    """A ledger of two customers, evaluated and reviewed day by day."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.config: Config = CONFIG.model_copy(update={"people": PEOPLE})
        self.say("customers", Customer(id="C1", name="华东机械有限公司", currency="CNY"))
        self.say("limits", Limit(id="L1", customer_id="C1", kind="base", amount=50_000_000, currency="CNY"))

    def night(self, days: int = 1) -> None:
        """So many days go by; then everything is pulled, evaluated and planned."""
        self.clock.sleep(86_400 * days)
        self.pull()
        assert evaluate(self.store, self.config, POLICY, self.clock).failed is None
        assert review(self.store, self.config, POLICY, self.clock).failed is None

    def tell(self, event: Event) -> None:
        with self.store.writing() as tx:
            save(tx, "events", [event], now=self.clock.now(), ledger_currency="CNY")

    @property
    def desk(self) -> Desk:
        return Desk(self.store, self.config, POLICY, self.clock)

    def row(self, ref: str = "C1") -> CustomerRow:
        with self.store.reading() as tx:
            return next(r for r in customers.customers(tx) if r.ref == ref)

    def due(self) -> dict[str, tuple[dt.date, str]]:
        with self.store.reading() as tx:
            refs = {row.debtor: row.ref for row in customers.customers(tx)}
            return {refs[d]: (one.due_on, one.why) for d, one in reviews.open_reviews(tx).items()}

    def actions(self) -> list[str]:
        with self.store.reading() as tx:
            lines = [line.entry.action for line in reversed(audit.listing(tx))]
        return [action for action in lines if action.startswith("review.")]


def person(name: str) -> Person:
    return next(one for one in PEOPLE if one.id == name).person


@pytest.fixture
def office(store: Store) -> Office:
    return Office(store)


def test_who_has_a_limit_or_owes_is_planned_once(office: Office) -> None:
    office.night()
    assert office.today == dt.date(2026, 3, 3)
    assert office.due() == {"C1": (dt.date(2026, 6, 3), "class")}  # C2 has neither limit nor debts
    before = office.actions()
    office.night()
    assert office.due() == {"C1": (dt.date(2026, 6, 3), "class")}
    assert office.actions() == before == ["review.plan"]


def test_a_court_case_pulls_the_review_forward_and_its_end_does_not_push_it_back(office: Office) -> None:
    office.night()
    case = Event(id="E1", customer_id="C1", on=office.today + dt.timedelta(1), kind="court_executed", source="court")
    office.clock.sleep(86_400)
    office.tell(case)
    office.night()
    assert office.due()["C1"] == (dt.date(2026, 3, 9), "court")
    office.tell(replace(case, ended_on=office.today))
    office.night(2)
    assert office.due()["C1"] == (dt.date(2026, 3, 9), "court")
    assert office.actions() == ["review.plan", "review.pull_forward"]


def test_a_case_that_becomes_known_after_its_day_pulls_the_review_forward(office: Office) -> None:
    """The court listed it in January; we hear of it in March. What is years old is no news."""
    office.night(2)
    assert office.due()["C1"][1] == "class"
    old = Event(id="E0", customer_id="C1", on=dt.date(2021, 5, 1), kind="lawsuit", source="court")
    office.tell(old)
    office.night()
    assert office.due()["C1"][1] == "class"
    office.tell(replace(old, id="E1", on=dt.date(2026, 1, 15), kind="court_executed"))
    office.night()
    heard_on = office.today
    assert office.due()["C1"] == (heard_on + dt.timedelta(days=5), "court")
    office.night(3)
    assert office.due()["C1"] == (heard_on + dt.timedelta(days=5), "court"), "it is news once"


def test_who_asks_for_a_limit_is_reviewed_within_days(office: Office) -> None:
    office.night()
    office.clock.sleep(86_400)
    wanted = Request(
        kind="base", amount_minor=90_000_000, currency="CNY", requested_by="job:limit", valid_from=office.today
    )
    desk = grant_matter.Desk(office.config, POLICY, office.clock)
    with office.store.writing() as tx:
        grant_ask.ask(tx, desk, office.row(), wanted)
    office.night()
    assert office.due()["C1"] == (dt.date(2026, 6, 3), "class"), "what is proposed each night is no event"
    asked_on = office.today
    with office.store.writing() as tx:
        grant_ask.ask(tx, desk, office.row(), replace(wanted, requested_by="person:zhao.min", valid_from=asked_on))
    office.night()
    assert office.due()["C1"] == (asked_on + dt.timedelta(days=10), "limit_request")


def test_red_and_over_the_limit_is_reviewed_within_days(office: Office) -> None:
    office.night()
    office.invoice("I1", "C1", days=0, yuan=600_000)
    office.night()
    due_on, why = office.due()["C1"]
    assert (due_on, why) == (office.today + dt.timedelta(days=5), "level_red")


def test_from_the_beginning_to_the_decision(office: Office) -> None:
    office.night()
    desk, row = office.desk, office.row()
    with pytest.raises(ConfigError, match="neither a credit controller nor an approver"):
        review_decide.start(desk, row, person("zhao.min"))
    started = review_decide.start(desk, row, person("li.wei"))
    assert started.snapshot is not None
    assert started.snapshot["decision"]["limit"] == {"kind": "amount", "amount": "500000.00"}
    with pytest.raises(ConfigError, match=r"begun by li\.wei"):
        review_decide.start(desk, row, person("wang.fang"))
    with pytest.raises(ConfigError, match="Payment behaviour since the last review was looked at"):
        review_decide.conclude(desk, row, person("li.wei"), "keep", "all well", ANSWERS | {"payment": ""})
    with pytest.raises(ConfigError, match="no point weather"):
        review_decide.conclude(desk, row, person("li.wei"), "keep", "all well", ANSWERS | {"weather": "fine"})
    with pytest.raises(ConfigError, match="Say why"):
        review_decide.conclude(desk, row, person("li.wei"), "keep", " ", ANSWERS)
    with pytest.raises(ConfigError, match="the new limit"):
        review_decide.conclude(desk, row, person("li.wei"), "cut", "slow", ANSWERS)
    with pytest.raises(ConfigError, match=r"li\.wei began this review"):
        review_decide.conclude(desk, row, person("wang.fang"), "keep", "all well", ANSWERS)

    raised = Decimal(5_000_000)
    waiting = review_decide.conclude(desk, row, person("li.wei"), "raise", "grows fast", ANSWERS, raised)
    assert waiting.state == "proposed"  # beyond what a credit controller may decide alone
    with pytest.raises(ConfigError):
        review_decide.approve(desk, row, person("zhao.min"))
    back = review_decide.send_back(desk, row, person("wang.fang"), "show me the statements of 2025")
    assert (back.state, back.conclusion) == ("started", None)

    review_decide.conclude(desk, row, person("li.wei"), "keep", "as it is", ANSWERS)
    with office.store.reading() as tx:
        (one,) = reviews.history(tx, row.debtor or 0)
    if one.state == "proposed":
        one = review_decide.approve(desk, row, person("wang.fang"))
    assert (one.state, one.conclusion, one.done_on) == ("done", "keep", office.today)
    assert office.due() == {}
    office.night()
    # no grade: six months after the review that was finished the day before
    assert office.due()["C1"] == (dt.date(2026, 9, 3), "class")
    with office.store.reading() as tx:
        assert audit.verify(tx) == []


def limit_of(office: Office) -> tuple[str, Decimal | None]:
    desk = grant_matter.Desk(office.config, POLICY, office.clock)
    with office.store.reading() as tx:
        found = grant_matter.limit_of(tx, desk, office.row(), office.today)
    return found.kind, found.amount


def asked_for(office: Office) -> list[tuple[str, Decimal | None, str]]:
    with office.store.reading() as tx:
        found = limits.requests(tx, keys=[office.row().key])
    return [(one.request.requested_by, one.request.amount, standing(one.request, one.events).state) for one in found]


def test_a_review_that_cuts_the_limit_is_a_request_that_who_agrees_approves(office: Office) -> None:
    """李伟 cuts 500,000 to 300,000; 王芳 agrees to the review and, as an approver, to the limit with the same word."""
    office.config = office.config.model_copy(update={"limits": LimitSettings(master="here")})
    office.night()
    desk, row = office.desk, office.row()
    review_decide.start(desk, row, person("li.wei"))
    follows = follow(desk)
    cut = review_decide.conclude(desk, row, person("li.wei"), "cut", "slow", ANSWERS, Decimal(300_000), None, follows)
    assert (cut.state, limit_of(office)) == ("proposed", ("amount", Decimal(500_000)))
    assert review_decide.approve(desk, row, person("wang.fang"), follows).state == "done"
    assert asked_for(office) == [("person:li.wei", Decimal(300_000), "in_force")]
    assert limit_of(office) == ("amount", Decimal(300_000))


def test_a_review_is_no_way_around_the_matrix_of_limits(office: Office) -> None:
    """王芳 may decide on reviews alone, but five million want two approvers; and her own request somebody else's word."""
    office.config = office.config.model_copy(update={"limits": LimitSettings(master="here")})
    office.night()
    desk, row = office.desk, office.row()
    review_decide.start(desk, row, person("wang.fang"))
    more = Decimal(5_000_000)
    done = review_decide.conclude(desk, row, person("wang.fang"), "raise", "grows", ANSWERS, more, None, follow(desk))
    assert done.state == "done"
    assert asked_for(office) == [("person:wang.fang", more, "open")]
    assert limit_of(office) == ("amount", Decimal(500_000))


def test_papers_are_lacking_by_the_limit_and_come_into_the_file(office: Office, tmp_path: Path) -> None:
    office.night()
    row = office.row()
    with office.store.reading() as tx:
        found = lacking_of(tx, POLICY, office.today, [row])
    assert [one.paper for one in found[row.debtor or 0]] == ["licence", "contract"]
    scan = tmp_path / "licence.pdf"
    scan.write_bytes(b"%PDF-1.7 a licence")
    sha, size = papers.keep(tmp_path / "files", scan)
    assert papers.keep(tmp_path / "files", scan) == (sha, size)
    with office.store.writing() as tx:
        for kind in ("licence", "contract"):
            papers.add(
                tx,
                PaperRow(
                    debtor=row.debtor or 0,
                    kind=kind,  # type: ignore[arg-type]
                    dated_on=dt.date(2026, 1, 5),
                    source="customer",
                    added_by="li.wei",
                    added_at=office.clock.now(),
                    name="licence.pdf",
                    sha=sha,
                    size=size,
                ),
            )
    with office.store.reading() as tx:
        assert lacking_of(tx, POLICY, office.today, [row]) == {}
    assert papers.content(tmp_path / "files", sha) == scan.read_bytes()
    (kept,) = [p for p in (tmp_path / "files").rglob("*") if p.is_file()]
    kept.write_bytes(b"another")
    with pytest.raises(ConfigError, match="was changed"):
        papers.content(tmp_path / "files", sha)
    kept.unlink()
    with pytest.raises(ConfigError, match="is not in"):
        papers.content(tmp_path / "files", sha)


def test_the_file_is_one_time_line(office: Office) -> None:
    office.night()
    office.tell(
        Event(id="E1", customer_id="C1", on=office.today, kind="court_executed", source="court", value="(2026) 1")
    )
    office.night()
    row = office.row()
    started = review_decide.start(office.desk, row, person("li.wei"))
    with office.store.reading() as tx:
        lines = timeline(tx, row.debtor or 0, "Asia/Shanghai")
        latest = decisions.latest(tx, [row.debtor or 0])[row.debtor or 0]
    assert [line.on for line in lines] == sorted(line.on for line in lines)
    kinds = {line.kind for line in lines}
    assert {"event", "decision", "review"} <= kinds
    (planned,) = [line for line in lines if line.kind == "review"]
    assert planned.data == {"review": started.id, "sha256": started.snapshot_sha}
    (event,) = [line for line in lines if line.kind == "event"]
    assert (event.text.en, event.source) == ("enforcement by a court: (2026) 1", "court")
    assert latest.id in [line.data.get("decision") for line in lines]


def test_whoever_concludes_a_review_holds_its_customer_before_the_turn_of_those_who_touch(
    pg_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull writes customers and then takes the turn: taken the other way round, each would wait for the other."""
    emptied(pg_store)
    office = Office(pg_store)
    office.night()
    review_decide.start(office.desk, office.row(), person("li.wei"))
    taken: list[str] = []
    for module, name in ((limits, "lock"), (marks, "next_number")):
        own = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, own=own, name=name: (taken.append(name), own(*given))[1])
    cut = Decimal(400_000)
    review_decide.conclude(
        office.desk, office.row(), person("li.wei"), "cut", "slower", ANSWERS, cut, follow=follow(office.desk)
    )
    assert taken[0] == "lock"
    assert "next_number" not in taken, "it waits for somebody who agrees: nothing is touched yet"
    taken.clear()
    done = review_decide.approve(office.desk, office.row(), person("wang.fang"), follow(office.desk))
    assert (done.state, taken[0]) == ("done", "lock")
    assert "lock" not in taken[taken.index("next_number") :]
