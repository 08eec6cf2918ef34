"""The widget asks for the fields of the organisation that it is installed in, whatever Zoho has called them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.errors import ConfigError
from connector.mapping import Mapping
from jobs import plugins
from tests.unit.zoho_crm.world import ADAPTER, BASE, client, mapping, organisation, sandbox

[WIDGET] = plugins.chosen(ADAPTER, "widget")


def told(zoho: Any, own: Mapping | None = None) -> Any:
    """What the built widget is told, for a running organisation."""
    site = plugins.resolved(WIDGET, plugins.site(ADAPTER, own or mapping(), system="zoho"), lambda: zoho)
    built = plugins.build(WIDGET, site, Path(adapters.folder("zoho_crm")) / "plugin")
    found = re.search(r"window\.HOLDFAST = (.*);", built.files["app/settings.js"].decode(), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_every_field_that_it_shows_is_there() -> None:
    with organisation(5) as (_, zoho):
        modules = told(zoho)["modules"]
        for module, what in modules.items():
            there = zoho.fields(module).by_name
            assert what["fields"], module
            assert [f["name"] for f in what["fields"].values() if f["name"] not in there] == []


def test_a_name_that_zoho_derived_otherwise_is_the_one_it_reads() -> None:
    own, problems = mappings.load(
        mappings.shipped("zoho_crm").replace('label = "Credit Limit"', 'label = "信用额度"'),
        name="own.toml",
        adapter=ADAPTER,
    )
    assert own is not None, problems
    box = sandbox(5)
    with box.mounted(BASE):
        zoho = client(box, BASE)
        assert ADAPTER.provision is not None
        ADAPTER.provision(zoho, [n for c in ADAPTER.channels for n in own.needs(c.kind, c.object)], False)
        limit = told(zoho, own)["modules"]["Accounts"]["fields"]["limit"]
        assert zoho.fields("Accounts").by_name[limit["name"]].mark == "Credit_Limit"
        assert limit["name"] != "Credit_Limit"
        assert limit["label"] == "信用额度"


def test_before_the_fields_are_made_it_says_which_are_missing() -> None:
    box = sandbox(5)
    with box.mounted(BASE), pytest.raises(ConfigError, match="Credit_Status"):
        told(client(box, BASE))
