"""Customers, limits, people, terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import ADAPTER
from adapters.odoo.partners import terms_word
from connector.errors import ConfigError
from connector.model import Customer, Limit, Person

from .conftest import Open


def test_customers_are_those_who_can_owe(open_office: Open) -> None:
    office = open_office()
    staff = next(r for r in office.sandbox.shelf.all("res.partner") if not r["partner_share"])
    archived = office.add("res.partner", name="Closed Ltd", is_company=True, parent_id=False, commercial_partner_id=900,
                          active=False, partner_share=True, customer_rank=1, company_id=False, id=900)  # fmt: skip
    child = office.add("res.partner", name="Branch Ltd", is_company=True, parent_id=101, commercial_partner_id=901,
                       active=True, partner_share=True, customer_rank=1, company_id=False, id=901)  # fmt: skip
    elsewhere = office.add("res.partner", name="Other Co", is_company=True, parent_id=False, commercial_partner_id=902,
                           active=True, partner_share=True, customer_rank=1, company_id=2, id=902)  # fmt: skip
    found = {f.id: f for f in office.facts("customers") if isinstance(f, Customer)}
    assert str(staff["id"]) not in found
    assert "1" not in found  # our own company
    assert str(elsewhere["id"]) not in found  # another company's
    assert found[str(archived["id"])].status == "inactive"
    assert found[str(child["id"])].parent_id == "101"
    assert found["101"].currency == "CNY"


def test_a_condition_of_ones_own_narrows_the_customers(open_office: Open) -> None:
    office = open_office(customer_domain=[["country_id.code", "=", "CN"]])
    found = [f for f in office.facts("customers") if isinstance(f, Customer)]
    assert found
    assert {f.country for f in found} == {"CN"}


def test_the_erps_number_is_read_as_crm(open_office: Open) -> None:
    crm = open_office(role="crm")
    numbers = [f.external_id for f in crm.facts("customers") if isinstance(f, Customer)]
    assert sum(n is not None for n in numbers) > len(numbers) // 3
    assert None in numbers
    crm.settings["customer_no_field"] = ""
    assert {f.external_id for f in crm.facts("customers") if isinstance(f, Customer)} == {None}


def test_as_erp_it_is_the_number_by_which_people_know_the_customer(open_office: Open) -> None:
    erp = open_office()
    numbers = {f.external_id for f in erp.facts("customers") if isinstance(f, Customer)}
    assert numbers == {row["ref"] or None for row in erp.rows("customers").values()}
    assert len(numbers) > 10


def test_a_number_field_that_is_not_there_is_named(open_office: Open) -> None:
    with pytest.raises(ConfigError) as wrong:
        open_office(role="crm", customer_no_field="x_kingdee_no").rows("customers")
    assert "has no field “x_kingdee_no”" in wrong.value.user.en


def test_a_limit_of_zero_is_no_limit(open_office: Open) -> None:
    office = open_office()
    limits = [f for f in office.facts("limits") if isinstance(f, Limit)]
    held = [r for r in office.sandbox.shelf.all("res.partner") if r.get("credit_limit")]
    assert len(limits) == len(held) > 3
    assert {(f.kind, f.currency) for f in limits} == {("base", "CNY")}
    office.change("res.partner", int(limits[0].customer_id), credit_limit=Decimal("0.0"))
    stream = ADAPTER.stream("limits")
    assert stream.keys is not None
    assert stream.sweep == "always"
    there = {k for keys in stream.keys(office.client()) for k in keys}
    assert {f.customer_id for f in limits} - there == {limits[0].customer_id}


def test_another_default_limit_reads_all_limits_anew(open_office: Open) -> None:
    """A limit that equals the company's default follows it although no partner is written."""
    office = open_office()
    cursor = office.pages("limits")[-1].cursor
    assert not office.pages("limits", cursor)[-1].full
    office.sandbox.shelf.put("~meta", "credit_limit", Decimal("7500.0"))
    assert office.pages("limits", cursor)[-1].full


TERMS: list[tuple[dict[str, Any], str | None]] = [
    ({"nb_days": 30, "delay_type": "days_after"}, "net:30"),
    ({"nb_days": 0, "delay_type": "days_after"}, "net:0"),
    ({"nb_days": 10, "delay_type": "days_after_end_of_month"}, "eom:10"),
    ({"nb_days": 10, "delay_type": "days_after_end_of_next_month"}, None),
    ({"nb_days": 90, "delay_type": "days_end_of_month_on_the"}, None),
    ({"days": 45, "months": 0, "end_month": False, "days_after": 0}, "net:45"),
    ({"days": 0, "months": 2, "end_month": False, "days_after": 0}, "months:2"),
    ({"days": 0, "months": 0, "end_month": True, "days_after": 15}, "eom:15"),
    ({"days": 5, "months": 1, "end_month": False, "days_after": 0}, None),
]


@pytest.mark.parametrize(("line", "word"), TERMS)
def test_payment_terms_in_our_words(line: dict[str, Any], word: str | None) -> None:
    assert terms_word(line) == word


def test_terms_of_several_parts_have_no_word(open_office: Open) -> None:
    office = open_office()
    term = office.row("res.partner", 101)["property_payment_term_id"]
    assert office.rows("customers")["101"]["_terms"]
    office.add("account.payment.term.line", payment_id=term, nb_days=60, delay_type="days_after", value="percent")
    assert office.rows("customers")["101"]["_terms"] is None


def test_people_are_staff_also_those_who_left(open_office: Open) -> None:
    people = [f for f in open_office().facts("people") if isinstance(f, Person)]
    assert [p.active for p in people].count(False) == 1
    assert all(p.email for p in people)


def test_a_field_that_is_not_there_is_named_with_the_nearest(open_office: Open) -> None:
    office = open_office()
    with pytest.raises(ConfigError) as wrong:
        list(ADAPTER.stream("customers").read(office.client(), None, ["vatt"]))
    assert wrong.value.user.en == (
        "The mapping reads “vatt”, but res.partner has no field “vatt” that this user may see. Did you mean “vat”?"
    )
    assert wrong.value.user.zh == "映射读取“vatt”，但 res.partner 没有该用户可见的字段“vatt”。是否应为 “vat”？"
