"""What the night concludes where it needs more than one figure: tranches that wait for payment, parents in a ring."""

from __future__ import annotations

import datetime as dt

from connector.policy import default_policy
from connector.store import customers, decisions
from jobs.frame import frame
from jobs.judge import judge
from tests.jobs.test_night import BOOK, NOW, Night, night  # noqa: F401 - a fixture

TRANCHES = (
    "customer_id,kind,amount,currency,valid_from,condition\n"
    "C3,stage,3000,CNY,2026-11-01,\n"
    "C3,stage,2000,CNY,2026-11-10,paid>=80%\n"
)
PAID = "id,customer_id,received_on,currency,amount\nP1,C1,2026-10-01,CNY,7000.00\nP3,C3,2026-11-19,CNY,{amount}\n"
APPLIED = "from_id,to_id,amount,applied_on\nP1,I1,7000.00,2026-10-01\nP3,I3,{amount},2026-11-19\n"


def _limit(night: Night) -> object:  # noqa: F811
    return night.account("Crane")["Credit_Limit"]


def _pay(night: Night, amount: str) -> None:  # noqa: F811
    night.write("payments", PAID.format(amount=amount))
    night.write("applications", APPLIED.format(amount=amount))


def test_a_tranche_is_released_by_what_was_paid_of_the_one_before(night: Night) -> None:  # noqa: F811
    """Of the 700 invoiced since the first tranche 559.99 are paid: no; 560.00 are 80 %: yes, and it stays so."""
    night.write("limits", TRANCHES)
    night.run()
    assert _limit(night) == 3000
    _pay(night, "559.99")
    night.run()
    assert _limit(night) == 3000
    _pay(night, "560.00")
    night.run()
    assert _limit(night) == 5000
    night.write("documents", BOOK["documents"] + "I8,C3,invoice,2026-11-19,2026-12-19,CNY,900.00\n")
    night.clock.at = NOW + dt.timedelta(days=1)
    night.run()
    assert _limit(night) == 5000, "a release is an event that stays"
    with night.store.reading() as tx:
        crane = next(row for row in customers.customers(tx) if row.ref == "C3")
        assert crane.debtor is not None
        kept = decisions.history(tx, crane.debtor)
        assert sorted(kept[0].body["released"].values()) == ["2026-11-20", "2026-11-20"]


def test_invoices_from_before_the_first_tranche_do_not_count(night: Night) -> None:  # noqa: F811
    """A late old invoice is no part of what was invoiced under the first tranche."""
    night.write("limits", TRANCHES)
    night.write("documents", BOOK["documents"] + "I7,C3,invoice,2026-10-01,2026-12-31,CNY,90000.00\n")
    _pay(night, "560.00")
    night.run()
    assert _limit(night) == 5000


def test_a_ring_of_parents_is_told_and_everybody_is_judged(night: Night) -> None:  # noqa: F811
    night.write(
        "customers",
        "id,name,currency,terms,parent_id\n"
        "C1,Dragon Ltd,CNY,net:30,C2\nC2,Phoenix Ltd,CNY,net:30,C1\nC3,Crane Ltd,CNY,net:30,C1\n",
    )
    done = night.run()
    assert [(p.code, p.where) for p in done["evaluate"].problems] == [("parent_ring", "books/C2")]
    told = done["evaluate"].problems[0]
    assert "Phoenix Ltd (C2)" in told.what.en
    assert "Phoenix Ltd" in told.what.zh
    assert done["evaluate"].counts["evaluated"] == 3
    night.write("customers", BOOK["customers"])
    assert night.run()["evaluate"].problems == []


def test_a_part_of_the_book_is_judged_as_the_whole_is(night: Night) -> None:  # noqa: F811
    """A group is judged together whoever of it was asked for, and a frame of few customers changes no figure."""
    night.write(
        "customers",
        "id,name,currency,terms,parent_id\n"
        "C1,Dragon Ltd,CNY,net:30,\nC2,Phoenix Ltd,CNY,net:30,C1\nC3,Crane Ltd,CNY,net:30,\n",
    )
    night.run()
    with night.store.reading() as tx:
        base = frame(tx, night.config, default_policy(), night.clock, NOW.date())
        whole = {j.debtor: (j.decision, j.orders) for j in judge(tx, base)}
        dragon, phoenix, crane = (row.debtor for row in customers.customers(tx, systems=["books"]))
        assert dragon is not None
        assert crane is not None
        for asked, expected in (([dragon], {dragon, phoenix}), ([crane], {crane})):
            few = frame(tx, night.config, default_policy(), night.clock, NOW.date(), debtors=())
            part = {j.debtor: (j.decision, j.orders) for j in judge(tx, few, asked)}
            assert set(part) == expected
            assert part == {debtor: whole[debtor] for debtor in expected}
            assert set(few.members) == expected


def test_another_time_zone_maps_kept_records_again(night: Night) -> None:  # noqa: F811
    """A moment late in the evening is another day elsewhere: what was read before is read again, then rests."""
    night.run()
    assert not night.run()["pull books"].counts["remapped"]
    business = night.config.business.model_copy(update={"time_zone": "America/New_York"})
    night.config = night.config.model_copy(update={"business": business})
    done = night.run()
    assert not any(r.failed for r in done.values())
    assert done["pull books"].counts["remapped"] > 0
    assert done["pull crm"].counts["remapped"] > 0
    assert not night.run()["pull books"].counts["remapped"]
