"""People of the configuration: who acts now, and what is told where nobody is meant."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from connector.config import Config, parse
from connector.config_people import acting, named
from connector.errors import ConfigError

GOOD = """
[[people]]
id = "li.wei"
name = "李伟"
roles = ["credit_controller"]
email = "Li.Wei@example.com"
ids = { books = "7" }
approve_up_to = 200000
[[people]]
id = "wang.fang"
roles = ["approver", "admin"]
[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""


def config(text: str = GOOD) -> Config:
    made, problems = parse(text, "config.toml", Path())
    assert made is not None, problems
    return made


@pytest.mark.parametrize("name", ["li.wei", "LI.WEI", "李伟", "li.wei@EXAMPLE.com", "person:li.wei"])
def test_a_person_is_known_by_id_name_and_address(name: str) -> None:
    person = acting(config().people, name)
    assert (person.actor, person.roles, person.alone) == ("person:li.wei", {"credit_controller"}, False)
    assert person.approve_up_to == Decimal(200_000)
    assert person.is_user("books", "7")
    assert person.is_user("anywhere", "li.wei@example.COM")
    assert not person.is_user("crm", "7"), "a number is of one system"


def test_nobody_of_that_name() -> None:
    with pytest.raises(ConfigError) as wrong:
        acting(config().people, "li.wie")
    assert wrong.value.user.en == "Nobody who works here is called “li.wie”. Entered: “li.wei”."
    assert wrong.value.user.zh == "没有名为“li.wie”的人员。已登记：“li.wei”。"


def test_the_user_of_the_machine_must_be_one_of_the_people(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "wang.fang")
    assert acting(config().people).id == "wang.fang"
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "build")
    with pytest.raises(ConfigError, match=r"--as NAME or HOLDFAST_USER\. Entered: li\.wei, wang\.fang"):
        acting(config().people)


def test_where_nobody_is_configured_one_does_everything() -> None:
    person = acting((), "anna")
    assert (person.actor, person.alone) == ("person:anna", True)
    assert {"approver", "credit_controller", "admin"} <= person.roles


def test_two_of_one_name_are_nobody() -> None:
    people = config(GOOD.replace('id = "wang.fang"', 'id = "wang.fang"\nname = "李伟"')).people
    assert named(people, "李伟") is None
    assert named(people, "wang.fang") is not None


@pytest.mark.parametrize(
    ("text", "field", "en", "zh"),
    [
        (GOOD.replace("wang.fang", "li.wei"), "people.id", "Two people have the id “li.wei”.", "有两个人的 id 都是“li.wei”。"),
        (GOOD.replace("books = ", "boks = "), "people.li.wei.ids.boks", "There is no system “boks”. Did you mean “books”?", "是否应为 “books”？"),
        (GOOD.replace('"approver", "admin"]', '"approver"]\nids = { books = "7" }'), "people.wang.fang.ids.books", "nobody could tell who owns an order", "无法区分订单归属"),
        (GOOD.replace('"admin"', '"boss"'), "people.1.roles.1", "one of viewer, sales", "可选值"),
        (GOOD.replace("200000", "0.5"), "people.0.approve_up_to", "a whole number is wanted", "应为整数"),
        (GOOD + '[limits]\nmaster = "bokks"\n', "limits.master", "Did you mean “books”?", "没有可存放额度的系统“bokks”"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text: str, field: str, en: str, zh: str) -> None:
    made, problems = parse(text, "config.toml", Path())
    assert made is None
    assert any(
        p.field == field and en in f"{p.what.en} {p.fix.en}" and zh in f"{p.what.zh}{p.fix.zh}" for p in problems
    ), [(p.field, str(p)) for p in problems]


def test_where_limits_are_kept() -> None:
    assert config().limits.master is None
    assert config(GOOD + '[limits]\nmaster = "here"\n').limits.master == "here"
    assert config(GOOD + '[limits]\nmaster = "books"\n').limits.master == "books"
