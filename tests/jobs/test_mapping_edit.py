"""One line of a mapping changed by a form: every shipped mapping, and what a form must leave alone."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.errors import ConfigError
from jobs.mapping_edit import Pair, pairs, with_pair

SHIPPED = sorted(
    f.name.removesuffix(".toml") for f in resources.files("mappings").iterdir() if f.name.endswith(".toml")
)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_line_of_a_shipped_mapping_can_be_written_as_it_is(name: str) -> None:
    text = mappings.shipped(name)
    found = pairs(text)
    assert len(found) > 3
    for pair in found:
        if pair.origin:
            assert tomllib.loads(with_pair(text, pair)) == tomllib.loads(text), pair


@pytest.mark.parametrize("name", SHIPPED)
def test_a_line_is_changed_put_in_and_taken_out(name: str) -> None:
    text = mappings.shipped(name)
    table = next(pair.table for pair in pairs(text) if pair.half == "read")
    new = with_pair(text, Pair("read", table, "phone", 'odd "path"', "text", "none"))
    fields = tomllib.loads(new)["read"][table]["fields"]
    assert fields["phone"] | {"convert": "text", "default": "none", "from": 'odd "path"'} == fields["phone"]
    again = with_pair(new, Pair("read", table, "phone", "plain.path"))
    assert tomllib.loads(again)["read"][table]["fields"]["phone"] in ("plain.path", {"from": "plain.path"})
    gone = with_pair(again, Pair("read", table, "phone", ""))
    assert "phone" not in tomllib.loads(gone)["read"][table]["fields"]
    others = [p for p in pairs(text) if (p.table, p.name) != (table, "phone")]
    assert [p for p in pairs(gone) if (p.table, p.name) != (table, "phone")] == others


TEXT = """adapter = "files"
[read.customer]
stream = "customers"
[read.customer.fields]
id = "id"   # the number
name = { from = "Name", values = { "a # b" = "c" } }  # kept
segment = [
  "several", "lines",
]

# the next one
[read.limit]
stream = "limits"
fields = { customer_id = "customer" }
"""


def test_what_stands_around_a_line_stays() -> None:
    new = with_pair(TEXT, Pair("read", "customer", "id", "No"))
    assert new == TEXT.replace('id = "id"   # the number', 'id = "No"  # the number')
    new = with_pair(TEXT, Pair("read", "customer", "name", "Title"))
    assert 'name = { from = "Title", values = { "a # b" = "c" } }  # kept\n' in new
    new = with_pair(TEXT, Pair("read", "customer", "phone", "Tel"))
    assert ']\nphone = "Tel"\n\n# the next one\n' in new


@pytest.mark.parametrize(
    "pair",
    [
        Pair("read", "customer", "segment", "x"),
        Pair("read", "limit", "customer_id", "x"),
        Pair("read", "nowhere", "id", "x"),
        Pair("read", "customer", "id", "x" * 301),
        Pair("read", "customer", "id", "x\ny = 1"),
        Pair("write", "customer", "id", "x"),
    ],
)
def test_what_a_form_cannot_change_is_refused(pair: Pair) -> None:
    with pytest.raises(ConfigError):
        with_pair(TEXT, pair)


def test_a_form_writes_what_the_loader_takes() -> None:
    adapter = adapters.load("zoho_crm")
    text = with_pair(mappings.shipped("zoho_crm"), Pair("read", "customer", "tax_id", "Tax_ID", "tax_id"))
    mapping, problems = mappings.load(text, name="draft", adapter=adapter)
    assert problems == []
    assert mapping is not None
    assert "Tax_ID" in mapping.wanted("accounts")
