"""What salespeople see: the views and related fields that provisioning makes, mends, and takes away again."""

from __future__ import annotations

import xml.etree.ElementTree as Trees
from collections import Counter
from typing import Any

from adapters.odoo import setup, views

from .conftest import Office, Open


def kept(office: Office, model: str) -> dict[str, Any]:
    [row] = [r for r in office.sandbox.shelf.all("ir.ui.view") if r["name"] == views.name_of(model)]
    return row


def tree(office: Office, model: str) -> Trees.Element:
    return Trees.fromstring(kept(office, model)["arch_db"])


def fields(office: Office, model: str) -> list[str]:
    return [f.attrib["name"] for f in tree(office, model).iter("field")]


def test_a_contact_shows_level_figures_and_why_it_is_held(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    own = {n.name for n in office.needs() if n.object == "res.partner"}
    assert set(fields(office, "res.partner")) == own, "a field that is written is not shown"
    alert = tree(office, "res.partner").find(".//div[@role='alert']")
    assert alert is not None
    assert alert.attrib["invisible"] == "not x_credit_hold"
    assert "x_credit_hold_reason" in [f.attrib["name"] for f in alert.iter("field")]
    [level] = [f for f in tree(office, "res.partner").iter("field") if f.attrib["name"] == "x_credit_level"]
    assert level.attrib["decoration-danger"] == "x_credit_level in ('Stop',)"
    assert level.attrib["decoration-success"] == "x_credit_level in ('Good',)"


def test_an_order_shows_its_customers_figures_by_related_fields(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    related = {r["name"]: r for r in office.sandbox.shelf.all("ir.model.fields") if r.get("related")}
    assert related["x_credit_customer_available"]["related"] == (
        "partner_invoice_id.commercial_partner_id.x_credit_available"
    )
    assert related["x_credit_customer_reason"]["ttype"] == "text", "another type than what it shows"
    assert not any(r["store"] for r in related.values()), "a stored copy would lag behind"
    shown = fields(office, "sale.order")
    assert set(related) <= set(shown)
    alerts = [a.attrib["invisible"] for a in tree(office, "sale.order").iter("div") if a.attrib.get("role") == "alert"]
    assert alerts == ["not x_credit_hold", "not x_credit_customer_hold or x_credit_hold or x_credit_released"]


def test_only_the_request_for_a_release_may_be_written_by_people(open_office: Open) -> None:
    office = open_office(role="crm")
    needs = [*office.needs(), *office.mapping.needs_to_read("release_request", "sale.order")]
    list(views.provision(office.client().as_administrator() or office.client(), needs, setup.TYPES, True))
    arch = Trees.fromstring("<data>" + views.order_view(views.fields_of(needs, "sale.order"), {}) + "</data>")
    editable = [f.attrib["name"] for f in arch.iter("field") if f.attrib.get("readonly") == "0"]
    assert editable == ["x_credit_release_request"]


def test_a_view_that_somebody_changed_or_switched_off_is_mended(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    before = kept(office, "sale.order")["arch_db"]
    office.change("ir.ui.view", kept(office, "sale.order")["id"], arch_db="<data/>")
    office.change("ir.ui.view", kept(office, "res.partner")["id"], active=False)
    assert Counter(f.state for f in office.provision())["made"] == 2
    assert kept(office, "sale.order")["arch_db"] == before
    assert kept(office, "res.partner")["active"] is True
    assert {f.state for f in office.provision()} == {"fine"}


def test_a_view_kept_with_other_spaces_and_quotes_is_the_same() -> None:
    ours = views.partner_view(views.Fields({"hold": "x_credit_hold", "limit": "x_credit_limit"}))
    theirs = "<?xml version='1.0'?>\n<data>\n  " + ours.replace("/>", "></field>").replace("><", ">\n  <") + "\n</data>"
    assert views.same_view(theirs, ours)
    assert not views.same_view(theirs.replace("x_credit_limit", "x_other"), ours)
    assert not views.same_view("<data", ours)


def test_in_chinese_where_chinese_is_in_use(open_office: Open) -> None:
    office = open_office(role="crm", language="zh")
    office.provision()
    assert kept(office, "res.partner")["_translations"]["zh_CN"] == {
        "Credit": "信用",
        "This customer is on credit hold.": "该客户已被信用冻结。",
    }
    assert {f.state for f in office.provision()} == {"fine"}


def test_names_of_an_administrators_own_choice_stand_below() -> None:
    found = views.fields_of([], "res.partner")
    assert (found.words, found.rest, found.levels) == ({}, (), None)
    arch = views.partner_view(views.Fields({}, ("x_studio_limit", 'x_"<odd>')))
    assert [f.attrib["name"] for f in Trees.fromstring(f"<data>{arch}</data>").iter("field")] == [
        "x_studio_limit",
        'x_"<odd>',
    ]


def test_removing_takes_views_and_related_fields_and_nothing_else(open_office: Open) -> None:
    office = open_office(role="crm")
    office.provision()
    admin = office.client().as_administrator()
    assert admin is not None
    own = {r["name"] for r in office.sandbox.shelf.all("ir.model.fields") if not r.get("related")}
    assert {f.state for f in views.remove(admin, True)} == {"would"}
    assert {f.state for f in views.remove(admin, False)} == {"made"}
    assert not [r for r in office.sandbox.shelf.all("ir.ui.view") if r["name"].startswith("holdfast.")]
    assert {r["name"] for r in office.sandbox.shelf.all("ir.model.fields")} == own
    assert {f.state for f in views.remove(admin, False)} == {"fine"}
    assert "made" in {f.state for f in office.provision()}, "it cannot be made again"
