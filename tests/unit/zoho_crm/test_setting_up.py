"""Checking and provisioning: what is proved, what is made, what is left to a person."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from connector.adapter import Finding, Need
from connector.sandbox import Request, Sandbox
from tests.unit.zoho_crm.world import ADAPTER, BASE, client, needs, organisation, sandbox


def provision(zoho: Any, wanted: list[Need], dry: bool = False) -> list[Finding]:
    assert ADAPTER.provision is not None
    return list(ADAPTER.provision(zoho, wanted, dry))


def states(findings: Any) -> Counter[str]:
    return Counter(f.state for f in findings)


def words(findings: Any) -> str:
    return "\n".join(f"{f.state} {f.what.en} {f.fix.en if f.fix else ''}" for f in findings)


def custom(box: Sandbox, module: str) -> set[str]:
    return {f["api_name"] for f in box.records.fields(module) if f["custom"]}  # type: ignore[attr-defined]


def test_a_fresh_organisation_lacks_our_fields_and_says_so() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        found = list(ADAPTER.check(client(box, BASE), needs()))
    missing = [f for f in found if f.state == "todo"]
    assert len(missing) == len(needs()) - 1, "the organisation has its own ERP number already"
    assert all(f.fix and "provision" in f.fix.en and "provision" in f.fix.zh for f in missing)
    assert not box.writes()


def test_after_provisioning_all_is_fine() -> None:
    with organisation(5) as (_, zoho):
        assert states(ADAPTER.check(zoho, needs())).keys() == {"fine"}


def test_five_fields_a_call_and_nothing_the_second_time() -> None:
    box = sandbox(5)
    asked: list[int] = []
    answer = box.answer

    def watched(request: Request) -> Any:
        if request.method == "POST" and request.path.endswith("/settings/fields"):
            asked.append(len(json.loads(request.body)["fields"]))
        return answer(request)

    box.answer = watched  # type: ignore[method-assign]
    with box.mounted(BASE):
        zoho = client(box, BASE)
        first = provision(zoho, needs())
        assert states(first)["made"] == len(needs()) - 1 + 1, (
            "one field is there; the locking of orders is made besides"
        )
        assert sorted(asked) == [1, 1, 2, 5, 5]
        again = provision(zoho, needs())
        assert states(again)["made"] == 0
        assert sorted(asked) == [1, 1, 2, 5, 5]
    assert {n.name for n in needs() if n.object == "Accounts"} <= custom(box, "Accounts")


def test_a_dry_run_makes_nothing() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        found = provision(client(box, BASE), needs(), dry=True)
    assert states(found)["would"] == len(needs()) - 1 + 1
    assert not box.writes()


def test_what_zoho_refuses_is_left_to_a_person_and_the_rest_is_made() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        box.faults.plan("partial", match="settings/fields", skip=1)  # the first call lists
        found = provision(zoho, [n for n in needs() if n.object == "Accounts"][:6])
    assert states(found)["made"] == 3
    refused = [f for f in found if f.state == "todo" and f.fix and "LIMIT_EXCEEDED" in f.fix.en]
    assert len(refused) == 2


def test_without_the_right_to_make_fields() -> None:
    box = sandbox(5, denied=["fields"])
    with box.mounted(BASE):
        found = list(ADAPTER.check(client(box, BASE), needs()))
    assert "ZohoCRM.settings.fields.READ" in words(f for f in found if f.state == "wrong")


@pytest.mark.parametrize(
    ("denied", "state", "scope"),
    [
        ("coql", "wrong", "ZohoCRM.coql.READ"),
        ("users", "wrong", "ZohoCRM.users.READ"),
        ("deleted", "wrong", "ZohoCRM.modules.ALL"),
        ("bulk", "todo", "ZohoCRM.bulk.ALL"),
    ],
)
def test_a_missing_scope_is_named(denied: str, state: str, scope: str) -> None:
    with organisation(5, {"denied": [denied]}) as (_, zoho):
        found = [f for f in ADAPTER.check(zoho, needs()) if f.state != "fine"]
        assert {f.state for f in found} == {state}
        assert all(f.fix and scope in f.fix.en and scope in f.fix.zh for f in found)


@pytest.mark.parametrize(("left", "state"), [(4000, "fine"), (999, "todo")])
def test_credits_that_run_low_are_told(left: int, state: str) -> None:
    with organisation(5, {"credits": left}) as (_, zoho):
        (found,) = [f for f in ADAPTER.check(zoho, needs()) if "credits" in f.what.en]
        assert (found.state, str(left) in found.what.zh) == (state, True)


def test_a_wrong_sign_in_is_one_finding() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        object.__setattr__(zoho.connection, "secret", lambda name: f"wrong-{name}")
        (found,) = ADAPTER.check(zoho, needs())
    assert found.state == "wrong"
    assert "invalid_client" in found.what.en


def test_an_edition_without_sales_orders() -> None:
    with organisation(5, {"no_orders": True}) as (_, zoho):
        (found,) = [f for f in ADAPTER.check(zoho, needs()) if f.state == "todo"]
        assert "Sales_Orders" in found.what.zh
        assert states(provision(zoho, needs()))["made"] == 0


def test_names_that_zoho_derives_otherwise_are_found_again() -> None:
    box = sandbox(5)
    need = Need("Accounts", "Credit_Remark", "信用备注", "text")
    with box.mounted(BASE):
        zoho = client(box, BASE)
        (made, *_) = provision(zoho, [need])
        assert made.state == "made"
        derived = zoho.names("Accounts", ["Credit_Remark"])["Credit_Remark"]
        assert derived in custom(box, "Accounts")
        assert derived != "Credit_Remark"
        assert states(provision(client(box, BASE), [need]))["made"] == 0


def test_a_second_field_of_the_same_name_gets_a_number() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        provision(zoho, [Need("Accounts", "Phone_2", "Phone", "text")])
        assert zoho.fields("Accounts").find("Phone_2") is None, "the label belongs to Zoho's own field"
        (first, *_) = provision(zoho, [Need("Accounts", "Tax", "Tax_ID!", "text")])
        assert first.state == "made"
        assert zoho.names("Accounts", ["Tax"]) == {"Tax": "Tax_ID1"}


def test_a_label_that_is_too_long() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        (found, *_) = provision(client(box, BASE), [Need("Accounts", "A", "A label of more than 25 letters", "text")])
    assert (found.state, box.writes()) == ("wrong", [])
    assert "25" in found.what.en


def test_a_pick_list_holds_ten_values_at_first() -> None:
    box = sandbox(5)
    need = Need("Accounts", "Credit_Code", "Credit Code", "choice", options=tuple(f"V{n}" for n in range(12)))
    with box.mounted(BASE):
        found = provision(client(box, BASE), [need])
    assert found[0].state == "made"
    assert "V10, V11" in found[1].what.en


def test_fields_that_are_there_but_wrong() -> None:
    box = sandbox(5)
    with box.mounted(BASE):
        found = words(
            ADAPTER.check(
                client(box, BASE),
                [
                    Need("Accounts", "Tax_ID", "Tax ID", "money"),
                    Need("Accounts", "ERP_Customer_No", "ERP Customer No", "text", unique=True),
                ],
            )
        )
    assert "wrong Accounts.Tax_ID is of type text, not currency." in found
    assert "wrong Accounts.ERP_Customer_No is not unique." in found
