"""Whatever a person writes into a mapping, loading it gives problems and never an exception; so does reading with it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connector import mapping as mappings
from connector.adapter import Record
from connector.converters import CONVERTERS
from connector.mapping import Context
from connector.mapping_field import shapes

WORDS = [
    "adapter",
    "read",
    "write",
    "customer",
    "document",
    "limit",
    "instalment",
    "customer_fields",
    "task",
    "hold",
    "fields",
    "stream",
    "fact",
    "each",
    "where",
    "unless",
    "id",
    "name",
    "kind",
    "amount",
    "currency",
    "issued_on",
    "due_on",
    "terms",
    "status",
    "percent",
    "customer_id",
    "document_id",
    "number",
    "from",
    "first",
    "value",
    "values",
    "default",
    "convert",
    "format",
    "prefix",
    "absolute",
    "negate",
    "band",
    "quiet",
    "field",
    "label",
    "type",
    "length",
    "options",
    "unique",
    "level",
    "overdue_days",
    "as_of",
    "money",
    "date",
    "boolean",
    "epoch_ms",
    "percent",
    "text",
    "integer",
    "lines",
    "^.id",
    "a.b",
    "%Y",
    "invoice",
    "base",
    "active",
    "true",
]

leaf = st.one_of(st.sampled_from(WORDS), st.text(max_size=5), st.integers(-5, 99), st.booleans())
tree = st.recursive(
    leaf,
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(st.sampled_from(WORDS), inside, max_size=4)),
    max_leaves=14,
)
fields = st.dictionaries(st.sampled_from(WORDS), tree, max_size=6)
documents = st.fixed_dictionaries(
    {},
    optional={
        "adapter": leaf,
        "read": st.one_of(
            tree,
            st.dictionaries(
                st.sampled_from(["customer", "limit", "document", "instalment", "x"]),
                st.one_of(tree, st.fixed_dictionaries({"stream": st.just("s"), "fields": fields}, optional={"each": leaf, "where": tree, "unless": tree})),
                max_size=3,
            ),
        ),
        "write": st.one_of(
            tree,
            st.dictionaries(
                st.sampled_from(["customer_fields", "task", "hold", "x"]),
                st.one_of(tree, st.fixed_dictionaries({"fields": fields})),
                max_size=3,
            ),
        ),
    },
)  # fmt: skip


path = st.sampled_from(["id", "name", "a.b", "lines.0", "amount", "^.id", "from", "status"])
spec = st.one_of(
    path,
    st.fixed_dictionaries(
        {"from": path},
        optional={
            "convert": st.sampled_from(list(CONVERTERS)),
            "default": st.sampled_from(["x", "active", "base", 5, True]),
            "prefix": st.just("P-"),
            "absolute": st.booleans(),
            "values": st.dictionaries(st.sampled_from(WORDS), st.sampled_from(["active", "base", "5"]), max_size=2),
            "format": st.just("%d.%m.%Y"),
        },
    ),
    st.fixed_dictionaries({"first": st.lists(path, min_size=1, max_size=3)}),
)


def plausible(fact: str) -> st.SearchStrategy[dict[str, Any]]:
    """Tables that may well be right: each field on its own from somewhere, with a modifier or two."""
    known = shapes(fact)
    return st.fixed_dictionaries(
        {"stream": st.just("s"), "fields": st.fixed_dictionaries(
            {name: path for name, shape in known.items() if shape.required},
            optional={name: spec for name, shape in known.items() if not shape.required and name not in ("a", "b")},
        )},
        optional={
            "each": st.sampled_from(["lines", "id"]),
            "where": st.dictionaries(path, st.lists(leaf, max_size=2), max_size=1),
        },
    )  # fmt: skip


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=True).replace("\x7f", "\\u007f")


@settings(max_examples=300, deadline=None)
@given(documents, st.dictionaries(st.sampled_from(WORDS), tree, max_size=8))
def test_any_document(document: dict[str, Any], record: dict[str, Any]) -> None:
    text = "\n".join(f"{key} = {toml(value)}" for key, value in document.items())
    mapping, problems = mappings.load(text, name="m.toml")
    assert (mapping is None) == bool(problems)
    for problem in problems:
        assert problem.what.zh
        assert problem.fix.zh
    if mapping is not None:
        for stream in mapping.streams():
            assert isinstance(mapping.wanted(stream), tuple)
            facts, wrong = mapping.read(stream, Record("1", record), context=Context())
            assert isinstance(facts, list)
            assert all(p.what.en for p in wrong)
            list(mapping.trace(stream, Record("1", record), context=Context()))
        for kind in mapping.writes:
            mapping.write(kind, {"level": "red", "overdue_days": 3, "as_of": None, "name": "x"})
            mapping.needs(kind, "Accounts")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["customer", "limit", "document", "order_line", "application"]).flatmap(
        lambda fact: st.tuples(st.just(fact), plausible(fact))
    ),
    st.dictionaries(st.sampled_from(WORDS), tree, max_size=8),
)
def test_any_plausible_mapping_with_any_record(table: tuple[str, dict[str, Any]], record: dict[str, Any]) -> None:
    mapping, problems = mappings.load(f"read = {{ {table[0]} = {toml(table[1])} }}", name="m.toml")
    assert (mapping is None) == bool(problems)
    if mapping is not None:
        facts, wrong = mapping.read("s", Record("1", record), context=Context())
        steps = list(mapping.trace("s", Record("1", record), context=Context()))
        if table[1].get("each") is None:
            assert any(s.problem for s in steps) == bool(wrong), "trying says what reading says"
        assert all(p.what.en and p.what.zh and p.where for p in wrong)
        assert all(type(f).__name__.lower() == table[0].replace("_", "") for f in facts)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    mapping, problems = mappings.load(text, name="m.toml")
    assert mapping is None
    assert problems


GOOD, PROBLEMS = mappings.load(
    'adapter = "any"\n[read.document]\nstream = "s"\n[read.document.fields]\nid = "id"\ncustomer_id = "a.b"\n'
    'kind = { from = "kind", values = { 1 = "invoice" } }\nissued_on = { first = ["date", "from"], convert = "date_in_zone" }\n'
    'currency = "currency"\namount = { from = "amount", absolute = true }\nterms = "terms"\n',
    name="m.toml",
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(WORDS), tree, max_size=8))
def test_any_record(record: dict[str, Any]) -> None:
    assert GOOD is not None, PROBLEMS
    facts, problems = GOOD.read("s", Record("1", record), context=Context())
    assert len(facts) == (0 if problems else 1)
