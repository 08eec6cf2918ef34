"""Authority: inclusive bounds, ways side by side, and nobody alone on what is his own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.credit.authority import Person, Request, able, may, needed, settled
from connector.policy import Policy, load

MATRIX = """
[[approval.row]]
matter = "limit"
up_to_amount = 100000
up_to_percent = 50
up_to_level = "yellow"
up_to_band = "B"
role = "credit_controller"
[[approval.row]]
matter = "limit"
up_to_amount = 1000000
role = "approver"
[[approval.row]]
matter = "limit"
role = "approver"
people = 2
[[approval.row]]
matter = "release"
up_to_amount = 10
role = "approver"
"""
POLICY: Policy = load(MATRIX)
LI = Person("li", "Li", frozenset({"credit_controller"}))
WANG = Person("wang", "Wang", frozenset({"approver"}), ids=(("crm", "5"),), email="wang@x.cn")
ZHAO = Person("zhao", "Zhao", frozenset({"approver"}))
SUN = Person("sun", "Sun", frozenset({"approver"}))
ADMIN = Person("admin", "Admin", frozenset({"admin", "viewer", "auditor", "sales"}))


def request(amount: int | str | None = 100_000, **more: Any) -> Request:
    given = {"percent": Decimal(50), "band": "B", "level": "yellow", "requested_by": "job:limit"} | more
    return Request("limit", None if amount is None else Decimal(amount), **given)


@pytest.mark.parametrize(
    ("asked", "role", "people"),
    [
        (request(), "credit_controller", 1),
        (request("100000.01"), "approver", 1),
        (request(percent=Decimal("50.01")), "approver", 1),
        (request(level="orange"), "approver", 1),
        (request(level="green", band="A"), "credit_controller", 1),
        (request(band="C"), "approver", 1),
        (request(1_000_000), "approver", 1),
        (request("1000000.01"), "approver", 2),
        # What is not known is inside no bound.
        (request(percent=None), "approver", 1),
        (request(band=None), "approver", 1),
        (request(band="Z"), "approver", 1),
        (request(None), "approver", 2),
    ],
)
def test_the_first_row_that_covers_it_says_whom_it_needs(asked: Request, role: str, people: int) -> None:
    need = needed(POLICY, asked)
    assert need is not None
    assert (need.role, need.people) == (role, people)


def test_whoever_may_do_more_may_do_less() -> None:
    assert may(POLICY, LI, request()) is None
    assert may(POLICY, WANG, request()) is None
    assert settled(POLICY, request(), [LI])
    assert settled(POLICY, request(), [WANG])
    assert able(POLICY, [ADMIN, LI, ZHAO, WANG], request("100000.01")) == [ZHAO, WANG]


def refused(person: Person, asked: Request, *already: Person) -> tuple[str, str]:
    why = may(POLICY, person, asked, already)
    assert why is not None
    return why.en, why.zh


def test_without_the_role() -> None:
    en, zh = refused(LI, request(200_000))
    assert en == "This needs one approver; Li is a credit controller."
    assert zh == "须由一名审批人批准；Li 的角色为信用专员。"
    assert (
        refused(ADMIN, request())[1] == "须由一名信用专员批准；Admin 的角色为查看人员、销售人员、系统管理员、审计人员。"
    )
    assert not settled(POLICY, request(200_000), [LI, ADMIN])


def test_two_different_people_above_a_level() -> None:
    large = request(2_000_000)
    assert may(POLICY, WANG, large) is None
    assert not settled(POLICY, large, [WANG])
    assert not settled(POLICY, large, [WANG, WANG])
    assert refused(WANG, large, WANG) == (
        "Wang has approved it already: a second person is wanted.",
        "Wang 已批准过，还需另一人批准。",
    )
    assert may(POLICY, ZHAO, large, [WANG]) is None
    assert settled(POLICY, large, [WANG, ZHAO])


def test_never_the_requester_nor_as_one_of_two() -> None:
    mine = request(500_000, requested_by="person:wang")
    assert refused(WANG, mine) == (
        "Wang asked for it: somebody else has to approve it.",
        "该申请由 Wang 提出，须由他人批准。",
    )
    assert not settled(POLICY, mine, [WANG])
    assert settled(POLICY, mine, [ZHAO])
    large = request(2_000_000, requested_by="person:wang")
    assert refused(WANG, large)[0] == "Wang asked for it: somebody else has to approve it."
    assert not settled(POLICY, large, [WANG, ZHAO])
    assert settled(POLICY, large, [SUN, ZHAO])


def test_that_another_asks_again_does_not_make_an_approver_of_who_asked_first() -> None:
    asked = request(500_000, requested_by="person:zhao", also_asked=("person:wang", "person:zhao"))
    assert may(POLICY, WANG, asked) is not None
    assert not settled(POLICY, asked, [WANG])
    assert able(POLICY, [WANG, ZHAO, SUN], asked) == [SUN]


@pytest.mark.parametrize("owner", [("crm", "5"), ("elsewhere", "WANG@x.cn")])
def test_never_the_salesperson_in_charge(owner: tuple[str, str]) -> None:
    asked = request(500_000, owners=(owner,))
    assert refused(WANG, asked)[0] == "Wang is the salesperson in charge: somebody else has to approve it."
    assert not settled(POLICY, asked, [WANG])
    assert able(POLICY, [WANG, ZHAO], asked) == [ZHAO]


def test_a_bound_of_a_persons_own() -> None:
    bounded = Person("qian", "Qian", frozenset({"approver"}), approve_up_to=Decimal(300_000))
    assert may(POLICY, bounded, request(300_000)) is None
    why = may(POLICY, bounded, request("300000.01"))
    assert why is not None
    assert why.en == "Qian may approve up to 300,000; this is 300,000.01."
    assert why.zh == "Qian 的审批权限为 300,000 以内，本项为 300,000.01。"


def test_what_no_row_covers_nobody_may_approve() -> None:
    asked = Request("release", Decimal(11))
    assert needed(POLICY, asked) is None
    why = may(POLICY, WANG, asked)
    assert why is not None
    assert why.en == "No row of the approval matrix covers this release: nobody may approve it."
    assert not settled(POLICY, asked, [WANG, ZHAO])
    assert may(POLICY, Person("me", alone=True), asked) is None, "nobody is configured: one does everything"
    assert settled(POLICY, asked, [Person("me", alone=True)])


def test_rows_of_people_who_do_not_decide_on_credit_are_a_mistake() -> None:
    with pytest.raises(Exception, match="Only a credit_controller or an approver decides on credit"):
        load('[[approval.row]]\nmatter = "release"\nrole = "sales"\n')
    assert load('[[approval.row]]\nmatter = "policy"\nrole = "admin"\n').approval.rows("policy")[0].people == 1


def test_whoever_sells_under_another_address_than_his_own_is_known_by_it() -> None:
    """In the CRM Wang signs in as w.fang@crm.example: an order of that user is his own."""
    wang = Person("wang", "Wang", frozenset({"approver"}), ids=(("crm", "w.fang@crm.example"),), email="wang@x.cn")
    assert wang.is_user("crm", "w.fang@crm.example")
    assert wang.is_user("books", "WANG@x.cn")
    assert not wang.is_user("books", "w.fang@crm.example")
    refusal = may(POLICY, wang, request(owners=(("crm", "w.fang@crm.example"),)))
    assert refusal is not None
    assert refusal.en == "Wang is the salesperson in charge: somebody else has to approve it."
