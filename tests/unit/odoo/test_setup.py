"""Check and provision: what is made, what becomes a checklist, what a person reads."""

from __future__ import annotations

from collections import Counter

from adapters.odoo import ADAPTER, guard
from adapters.odoo.sandbox import BOT

from .conftest import Office, Open


def states(findings: list) -> Counter[str]:  # type: ignore[type-arg]
    return Counter(f.state for f in findings)


def rule(office: Office) -> dict:  # type: ignore[type-arg]
    return next(r for r in office.sandbox.shelf.all("base.automation") if r["name"] == guard.ORDERS)


def test_provision_makes_everything_once(open_office: Open) -> None:
    office = open_office(role="crm")
    assert states(office.check())["todo"] > 10
    dry = office.provision(dry=True)
    assert set(states(dry)) == {"would"}
    assert office.sandbox.writes() == []
    made = office.provision()
    assert set(states(made)) == {"made"}
    assert len(made) == len(dry)
    writes = len(office.sandbox.writes())
    assert set(states(office.provision())) == {"fine"}
    assert len(office.sandbox.writes()) == writes
    assert set(states(office.check())) == {"fine"}


def test_the_guard_names_both_flags_and_both_languages(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    assert rule(office)["filter_domain"] == (
        "[('state', '=', 'sale'), '|', ('x_credit_hold', '=', True), '&', ('x_credit_released', '=', False), '|', "
        "('partner_id.commercial_partner_id.x_credit_hold', '=', True), "
        "('partner_invoice_id.commercial_partner_id.x_credit_hold', '=', True)]"
    )
    code = next(r["code"] for r in office.sandbox.shelf.all("ir.actions.server") if r["name"] == guard.ORDERS)
    assert "Credit hold: order %s of %s cannot be confirmed." in code
    assert "信用冻结：订单 %s（%s）不能确认。" in code
    compile(code, "rule", "exec")


def test_a_guard_that_somebody_weakened_is_told_and_mended(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    office.change("base.automation", rule(office)["id"], active=False)
    action = next(r for r in office.sandbox.shelf.all("ir.actions.server") if r["name"] == guard.ORDERS)
    office.change("ir.actions.server", action["id"], code="pass")
    wrong = [f for f in office.check() if f.state == "wrong"]
    assert [f.fix.en for f in wrong if f.fix] == [
        "Somebody changed it (active, code). Run `holdfast provision` with an administrator's key to mend it."
    ]
    assert states(office.provision())["made"] == 1
    assert set(states(office.check())) == {"fine"}
    assert office.sandbox.shelf.count("base.automation") == 4


def test_the_flag_may_be_changed_by_the_bot_and_administrators(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    kept = next(r for r in office.sandbox.shelf.all("ir.actions.server") if r["name"] == guard.FLAG)
    assert f"env.uid in (1, {BOT}) or env.user.has_group('base.group_system')" in kept["code"]
    compile(kept["code"], "rule", "exec")
    flag = next(r for r in office.sandbox.shelf.all("base.automation") if r["name"] == guard.FLAG)
    names = {r["id"]: r["name"] for r in office.sandbox.shelf.all("ir.model.fields") if r["model"] == "res.partner"}
    assert [names[i] for i in flag["trigger_field_ids"]] == ["x_credit_hold"]
    assert not [f for f in open_office_without(office) if guard.FLAG in f.what.en]


def open_office_without(office: Office) -> list:  # type: ignore[type-arg]
    office.settings["protect_hold"] = False
    return office.check()


def test_without_an_administrator_it_is_a_checklist(open_office: Open) -> None:
    office = open_office(role="crm", admin=False)
    found = office.provision()
    assert set(states(found)) == {"todo"}
    assert office.sandbox.writes() == []
    assert found[-1].fix is not None
    assert "“admin_key”" in found[-1].fix.en
    by_hand = next(f for f in found if "res.partner.x_credit_hold " in f.what.en)
    assert by_hand.fix is not None
    assert "model res.partner, name x_credit_hold, type boolean" in by_hand.fix.en
    assert "模型 res.partner，名称 x_credit_hold，类型 boolean" in by_hand.fix.zh


def test_the_bots_key_cannot_see_the_guard_and_says_so(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    del office.secrets["admin_key"]
    todo = [f for f in office.check() if f.state == "todo"]
    assert [f.what.en for f in todo] == [
        f"Automation rule “{guard.ORDERS}” on sale.order",
        f"Automation rule “{guard.GROWTH}” on sale.order",
        f"Automation rule “{guard.FLAG}” on res.partner",
        f"Automation rule “{guard.ORDER_FLAG}” on sale.order",
    ]


def test_a_field_of_another_type_is_wrong_and_left_alone(open_office: Open) -> None:
    office = open_office(role="crm")
    office.book().add(
        "ir.model.fields", {"name": "x_credit_hold", "ttype": "char", "_model": "res.partner", "_choices": []}
    )
    found = [f for f in office.provision() if f.state == "wrong"]
    assert [f.fix.en for f in found if f.fix] == ["It is of type char, boolean is needed: rename one of the two."]


def test_missing_choices_are_added(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    row = next(r for r in office.sandbox.shelf.all("ir.model.fields") if r["name"] == "x_credit_level")
    office.change("ir.model.fields", row["id"], _choices=["Good", "Mine"])
    assert [f.fix.en for f in office.check() if f.fix] == ["It lacks the choices Watch, Warning, Stop."]
    office.provision()
    kept = next(r for r in office.sandbox.shelf.all("ir.model.fields") if r["name"] == "x_credit_level")
    assert kept["_choices"] == ["Good", "Mine", "Watch", "Warning", "Stop"]


def test_no_guard_where_none_is_wanted_or_no_flag_is_written(open_office: Open) -> None:
    office = open_office(guard=False)
    assert not [f for f in [*office.check(), *office.provision()] if "Automation" in f.what.en]
    assert office.sandbox.shelf.count("base.automation") == 0
    office.settings["guard"] = True
    assert not [
        f for f in ADAPTER.check(office.client(), []) if "Automation" in f.what.en or f.what.en.startswith("Write")
    ]
    office.provision()  # an ERP keeps orders, too
    assert office.sandbox.shelf.count("base.automation") == 4


def test_a_user_without_accounting_rights_is_told(open_office: Open) -> None:
    """Odoo would show such a user only a part of the receivables, without an error."""
    office = open_office()
    client = office.client()
    del client.fields("res.partner")["credit"]
    found = [f for f in ADAPTER.check(client, []) if f.state == "wrong"]
    assert len(found) == 1
    assert found[0].fix is not None
    assert "only a part of the items" in found[0].fix.en
    assert "只会显示部分分录" in found[0].fix.zh


def test_a_key_that_is_about_to_end_is_announced(open_office: Open) -> None:
    office = open_office()
    key = office.sandbox.shelf.all("res.users.apikeys")[0]["id"]
    office.change("res.users.apikeys", key, expiration_date="2026-12-01 00:00:00")
    todo = [f for f in office.check() if f.what.en == "API key"]
    assert [f.fix.en for f in todo if f.fix] == [
        "A key of this user ends on 2026-12-01: make a new one (Preferences, Account Security)."
    ]
    office.change("res.users.apikeys", key, expiration_date="2027-02-01 00:00:00")
    assert [f for f in office.check() if f.what.en == "API key"] == []


def test_labels_are_chinese_where_chinese_is_in_use(open_office: Open) -> None:
    office = open_office(role="crm", language="zh")
    office.provision()
    labels = {r["name"]: r["field_description"] for r in office.sandbox.shelf.all("ir.model.fields")}
    assert labels["x_credit_limit"] == "信用额度"
    assert labels["x_credit_hold"] == "信用冻结"
    choices = {r["value"]: r["name"] for r in office.sandbox.shelf.all("ir.model.fields.selection")}
    assert choices["Stop"] == "停止"
    assert choices["31-60"] == "31-60", "a band says the same in every language"
