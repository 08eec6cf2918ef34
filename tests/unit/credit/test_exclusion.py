"""Exclusions: what wins over what; circumstances that hold; terms by their days; how far a release reaches."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from connector.credit.circumstances import Circumstances, Missing, scope_of
from connector.credit.decide import Decision, OrderAmounts, Room, check_order, decide
from connector.credit.exclusion import Effect, Exclusion, Scope
from connector.credit.release import Release, ended_by, grown
from connector.credit.terms import usual_days
from connector.policy import Policy, default_policy, load
from connector.text import Text
from tests.unit.credit.test_decide import AS_OF, late, pos

DEFAULT = default_policy()
DAY = dt.timedelta(days=1)


def one(scope: Scope, effect: Effect, *rules: str, **more: object) -> Exclusion:
    return Exclusion(1, scope, effect, frozenset(rules), "a plan is agreed", "person:li.wei", **more)  # type: ignore[arg-type]


def judged(*exclusions: Exclusion, policy: Policy = DEFAULT, segment: str | None = None) -> Decision:
    """A customer 45 days late, over its limit."""
    position = pos(
        150, 100, undisputed_overdue_days=45, undisputed_overdue=Decimal(50), overdue=Decimal(50), overdue_days=45
    )
    about = Circumstances(exclusions=exclusions)
    return decide(position, (), policy.of(segment), about=about, segment=segment, whole=policy)


def rules(decision: Decision) -> tuple[list[str], list[str]]:
    return [r.rule for r in decision.reasons], [r.rule for r in decision.set_aside]


def test_one_marked_release_wins_over_everything() -> None:
    decision = judged(one("all", "release"))
    assert not decision.hold
    assert rules(decision) == ([], ["limit_exceeded", "oldest_overdue"])


def test_one_that_excludes_overrides_wider_scopes_only() -> None:
    assert rules(judged(one("customer", "exclude", "oldest_overdue"))) == (["limit_exceeded"], ["oldest_overdue"])
    assert rules(judged(one("customer", "exclude"))) == ([], ["limit_exceeded", "oldest_overdue"])
    # The rule stands for everybody: an exclusion for everybody is of the same scope.
    assert rules(judged(one("all", "exclude"))) == (["limit_exceeded", "oldest_overdue"], [])


def test_the_first_scope_that_has_the_rule_decides() -> None:
    policy = load("[segment.key.hold.oldest_overdue]\ngrace_days = 40\n")
    assert scope_of(policy, "key", "oldest_overdue") == "segment"
    assert scope_of(policy, "key", "limit_exceeded") == "all"
    assert scope_of(policy, None, "oldest_overdue") == "all"
    # Of the segment's own rule an exclusion of the segment takes nothing away; of the rule of all it does.
    decision = judged(one("segment", "exclude"), policy=policy, segment="key")
    assert rules(decision) == (["oldest_overdue"], ["limit_exceeded"])


def test_a_forced_hold_and_who_overrides_it() -> None:
    decision = judged(one("customer", "hold", valid_to=AS_OF), one("customer", "exclude"))
    (reason,) = decision.reasons
    assert reason.text.en == "all orders of this customer are held by hand (until 2026-11-23): a plan is agreed"
    assert reason.text.zh == "该客户全部订单人工冻结（至 2026-11-23）：a plan is agreed"
    order = OrderAmounts("O", None, Decimal(1))
    own = Room(exclusions=(one("order", "exclude"),))
    assert [r.rule for r in check_order(decision, order, DEFAULT, own).reasons] == []
    assert check_order(decision, order, DEFAULT).hold
    # A hold by hand on the very order is not lifted by anything that is wider.
    both = Room(manual="wait", exclusions=(one("order", "release"),))
    assert [r.rule for r in check_order(decision, order, DEFAULT, both).reasons] == ["manual"]


@pytest.mark.parametrize(("since", "until", "counts"), [(0, 0, True), (1, 5, False), (-5, -1, False), (None, 0, True)])
def test_both_days_count(since: int | None, until: int, counts: bool) -> None:
    start = None if since is None else AS_OF + since * DAY
    found = judged(one("customer", "exclude", valid_from=start, valid_to=AS_OF + until * DAY))
    assert found.hold is not counts


def test_what_cannot_be_decided_is_set_aside_by_name_only() -> None:
    from connector.credit.hold import stale_data

    stale = (stale_data("erp", None, 26),)
    for exclusion, held in ((one("customer", "exclude"), True), (one("customer", "exclude", "stale_data"), False)):
        about = Circumstances(exclusions=(exclusion,))
        assert decide(pos(0, 100), (), DEFAULT, stale=stale, about=about).hold is held


# --- circumstances ---
def held(about: Circumstances, *tables: str) -> list[tuple[str, str]]:
    decision = decide(pos(0, 100), (), load("\n".join(tables)), about=about)
    return [(r.text.en, r.text.zh) for r in decision.reasons]


def test_a_review_that_is_overdue() -> None:
    table = "[hold.review_overdue]\non = true\ngrace_days = 14"
    assert held(Circumstances(review_due_on=AS_OF - 14 * DAY), table) == []
    assert held(Circumstances(review_due_on=AS_OF - 15 * DAY), table) == [
        (
            "the review was due on 2026-11-08, 15 days ago; 14 are allowed",
            "定期复评应于 2026-11-08 完成，已逾期 15 天，超过允许的 14 天",
        )
    ]


def test_papers_that_are_missing_or_expired() -> None:
    licence, guarantee = Text("business licence", "营业执照"), Text("guarantee", "担保函")
    about = Circumstances(missing=(Missing(licence), Missing(guarantee, dt.date(2026, 10, 31))))
    assert held(about, "[hold.documents]\non = true") == [
        (
            "the credit file lacks: business licence, guarantee (expired on 2026-10-31)",
            "信用档案缺少：营业执照、担保函（2026-10-31 已过期）",
        )
    ]
    assert held(about) == []


def test_dunning_levels() -> None:
    assert held(Circumstances(dunning_level=2)) == []
    assert held(Circumstances(dunning_level=3)) == [
        ("dunning has reached level 3; orders are held from level 3", "催收已到第 3 级，达到第 3 级即冻结订单")
    ]
    off = ("[hold.dunning_level]\non = false", "[hold.stop_credit]\non = false")
    assert held(Circumstances(dunning_level=6), *off) == []


# --- terms, releases ---
def test_days_of_terms() -> None:
    assert usual_days("net:30") == 30
    assert usual_days("net:45") == 45
    month_end = usual_days("eom:30")
    assert month_end is not None
    assert 44 < month_end < 46
    assert usual_days("on delivery") is None


def test_how_far_a_release_reaches() -> None:
    given = Release("Li Wei", AS_OF, grown(Decimal(100), Decimal(5), "CNY"), "CNY", AS_OF + DAY, "net:30")

    def ends(
        total: str = "105.00", terms: str | None = "net:30", on: dt.date = AS_OF, level: str = "orange"
    ) -> list[str]:
        return [r.rule for r in ended_by(given, Decimal(total), "CNY", terms, on, level)]  # type: ignore[arg-type]

    assert ends() == []
    assert ends("105.004") == [], "rounded, as people see it"
    assert ends("105.01") == ["release_outgrown"]
    assert ends(terms="net:31") == ["release_terms"]
    assert ends(terms="net:10") == []
    assert ends(on=AS_OF + DAY) == []
    assert ends(on=AS_OF + 2 * DAY) == ["release_expired"]
    assert ends(level="red") == ["release_level"]
    assert grown(Decimal("33.33"), Decimal("2.5"), "CNY") == Decimal("34.16")


def test_an_order_with_a_release_passes_and_says_in_spite_of_what() -> None:
    decision = decide(late(45), (), DEFAULT)
    order = OrderAmounts("O", None, Decimal(10), own_total=Decimal(10), own_currency="CNY")
    given = Release("Li Wei", AS_OF, Decimal(10), "CNY", AS_OF, was_red=True)
    checked = check_order(decision, order, DEFAULT, Room(release=given))
    assert (checked.hold, checked.released) == (False, True)
    assert [r.rule for r in checked.reasons] == ["oldest_overdue"]
