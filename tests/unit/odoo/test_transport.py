"""Both doors: what each answer means to us, when a call is repeated, and what a person reads."""

from __future__ import annotations

import pytest

from connector.errors import ConfigError, ProtocolError, RejectedError, TransientError

from .conftest import Office, Open


def test_reads_through_either_door(either: Office) -> None:
    assert len(either.rows("customers")) == 20
    assert {c.path for c in either.sandbox.calls} & {"/jsonrpc", "/json/2/res.partner/search_read"}


def test_asks_the_server_which_door_it_has(open_office: Open) -> None:
    old = open_office(version=17, login="connector")
    assert old.client().version == (17, "17.0")
    assert len(old.rows("customers")) == 20
    assert {c.path for c in old.sandbox.calls} == {"/web/version", "/jsonrpc"}


def test_an_old_odoo_needs_a_user_name(open_office: Open) -> None:
    with pytest.raises(ConfigError) as wrong:
        open_office(version=17).client().uid  # noqa: B018
    assert wrong.value.user.en == "Odoo 17 signs in with a user name: set “login” in the system's settings."
    assert wrong.value.user.zh == "Odoo 17 登录需要用户名：请在系统设置中填写“login”。"


@pytest.mark.parametrize("transport", ["json2", "jsonrpc"])
def test_a_wrong_key_stops_and_is_not_shown(open_office: Open, transport: str) -> None:
    office = open_office(transport=transport, login="connector")
    office.secrets["api_key"] = "wrong-key-0815"
    with pytest.raises(ConfigError) as wrong:
        office.rows("customers")
    assert "wrong-key-0815" not in f"{wrong.value.user.en} {wrong.value.user.zh} {wrong.value.log}"
    assert "sign-in" in wrong.value.user.en


def test_a_wrong_database_is_named_as_a_setting(open_office: Open) -> None:
    with pytest.raises(ConfigError) as wrong:
        open_office(database="elsewhere").rows("customers")
    assert "“database”" in wrong.value.user.en
    assert "“database”" in wrong.value.user.zh


def test_a_wrong_database_over_the_old_door(open_office: Open) -> None:
    with pytest.raises(ConfigError, match="database"):
        open_office(database="elsewhere", transport="jsonrpc", login="connector").rows("customers")


def test_our_own_bad_input_is_not_sent_again(either: Office) -> None:
    """Odoo answers 500 to an unknown field: repeating it would only be noise."""
    client = either.client()
    _ = client.company
    before = len(either.sandbox.calls)
    with pytest.raises(RejectedError) as wrong:
        client.call("res.partner", "search_read", safe=True, domain=[["nofield", "=", 1]], fields=["name"])
    assert "Invalid field res.partner.nofield" in wrong.value.user.en
    assert len(either.sandbox.calls) == before + 1


def test_a_missing_right_names_what_is_not_permitted(either: Office) -> None:
    with pytest.raises(ConfigError) as wrong:
        either.client().call("base.automation", "search_read", safe=True, domain=[], fields=["name"])
    assert wrong.value.user.en.startswith("Odoo does not permit base.automation.search_read to this user:")


def test_a_missing_app_is_told_as_such(either: Office) -> None:
    with pytest.raises(ConfigError) as wrong:
        either.client().call("hr.employee", "search_read", safe=True, domain=[], fields=["name"])
    assert "Is the app installed" in wrong.value.user.en
    assert "是否已安装相应的应用" in wrong.value.user.zh


def test_a_method_that_answers_nothing(either: Office) -> None:
    """/jsonrpc leaves `result` out; JSON-2 says null."""
    move = either.sandbox.shelf.all("account.move")[0]["id"]
    assert either.client().call("account.move", "action_toggle_block_payment", safe=False, ids=[move]) is None
    assert either.row("account.move", move)["payment_state"] == "blocked"


@pytest.mark.parametrize("fault", ["429", "429-bare", "503", "500", "reset", "late", "cut"])
def test_trouble_on_the_way_is_waited_out(either: Office, fault: str) -> None:
    client = either.client()
    _ = client.company
    either.sandbox.faults.plan(fault, times=2)  # type: ignore[arg-type]
    assert len(either.rows("customers", client=client)) == 20
    assert either.sandbox.faults.happened == [fault, fault]


def test_a_page_of_html_is_no_empty_list(either: Office) -> None:
    client = either.client()
    _ = client.company
    either.sandbox.faults.plan("html", times=9)
    with pytest.raises((ProtocolError, TransientError)):
        either.rows("customers", client=client)


def test_an_unknown_company_is_named_with_the_nearest(open_office: Open) -> None:
    with pytest.raises(ConfigError) as wrong:
        open_office(company="Holdfast Tradng").rows("customers")
    assert "Did you mean “Holdfast Trading”?" in wrong.value.user.en
