"""A trial: two mappings over the same records, in numbers that can be counted by eye."""

from __future__ import annotations

from typing import Any

from connector import mapping as mappings
from connector.adapter import Record
from connector.mapping import Context, Mapping
from connector.mapping_trial import Change, Count, Trial, trial, unasked

CONTEXT = Context(base="CNY")
HEAD = 'adapter = "files"\n[read.document]\nstream = "documents"\n[read.document.fields]\n'
FIELDS = {
    "id": '"id"',
    "customer_id": '"customer"',
    "kind": '{ value = "invoice" }',
    "issued_on": '"day"',
    "currency": '"currency"',
    "amount": '"amount"',
}


def mapping(**other: str) -> Mapping:
    text = HEAD + "".join(f"{k} = {v}\n" for k, v in {**FIELDS, **other}.items())
    made, problems = mappings.load(text, name="m.toml")
    assert problems == []
    assert made is not None
    return made


def bill(serial: int, **other: Any) -> Record:
    said = {"id": f"D{serial}", "customer": "C1", "day": "2026-01-31", "currency": "USD", "amount": "10.50"}
    return Record(f"D{serial}", {**said, **other})


def tried(new: Mapping, *records: Record, old: Mapping | None = None, samples_most: int = 5) -> Trial:
    return trial(old, new, "documents", records, context=CONTEXT, samples_most=samples_most)


def test_nothing_differs_between_a_mapping_and_itself() -> None:
    made = tried(mapping(), bill(1), bill(2), old=mapping())
    assert not made.differs
    assert made.facts == {"document": Count(before=2, after=2)}
    assert (made.records, made.samples, made.problems) == (2, [], [])


def test_money_is_shown_with_its_decimals_base_amounts_in_the_ledger_s_currency() -> None:
    new = mapping(amount='"gross"', base_amount='"base"')
    made = tried(new, bill(1, gross="11.5", base="80"), old=mapping())
    assert made.samples == [
        Change("D1", "document", "D1", "amount", "10.50", "11.50"),
        Change("D1", "document", "D1", "base_amount", "", "80.00"),
    ]
    assert made.facts == {"document": Count(before=1, after=1, changed=1)}


def test_a_field_that_changes_everywhere_leaves_room_for_the_others() -> None:
    records = [bill(n, number=f"N{n}", due="2026-03-01" if n == 4 else "") for n in range(1, 6)]
    made = tried(mapping(number='"number"', due_on='"due"'), *records, old=mapping())
    assert made.facts["document"].changed == 5
    assert [(s.ref, s.field) for s in made.samples] == [("D1", "number"), ("D2", "number"), ("D4", "due_on")]


def test_another_name_is_one_fact_gone_and_one_new() -> None:
    made = tried(mapping(id='{ from = "id", prefix = "INV-" }'), bill(1), old=mapping())
    assert made.facts == {"document": Count(before=1, after=1, new=1, gone=1)}
    assert {(s.field, s.before, s.after) for s in made.samples} == {("", "D1", ""), ("", "", "INV-D1")}


def test_problems_of_a_kind_are_told_once_and_old_ones_not_at_all() -> None:
    records = [bill(n, day="yesterday" if n == 1 else "2026-01-31", due="soon") for n in range(1, 5)]
    made = tried(mapping(due_on='"due"'), *records, old=mapping())
    assert (made.problems_before, made.problems_after) == (1, 5)
    assert [(p.code, p.field) for p in made.problems] == [(made.problems[0].code, "due")]
    assert made.facts == {"document": Count(before=3, after=3)}, "what cannot be read keeps its last good word"


def test_where_the_present_mapping_cannot_be_read_everything_is_new() -> None:
    made = tried(mapping(), bill(1), bill(2), samples_most=1)
    assert made.facts == {"document": Count(after=2, new=2)}
    assert len(made.samples) == 1


def test_members_that_were_never_asked_for_are_named() -> None:
    old, new = mapping(), mapping(number='"ref.text"')
    assert unasked(old, new, "documents", [bill(1).data]) == ["ref"]
    assert unasked(old, new, "documents", [bill(1, ref=None).data]) == []
    assert unasked(old, old, "documents", [bill(1).data]) == []
