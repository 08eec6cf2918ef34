"""`holdfast policy simulate`: one story whose every figure can be reckoned by hand, in both languages and all formats."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.cli.calling import call, shop

# One customer with a limit of 20,000. The first order's invoice of 5,000 is due on 02-09 and paid on 03-20, 39 days late.
# The second order, of 4,000, comes when it is 34 days late, leaves three days later, is never paid and written off on
# 06-30. The third, of 2,000, is paid before it is due. The fourth is cancelled.
BOOK = {
    "customers": "id,name,currency\nC1,Crane Works,CNY\n",
    "limits": "customer_id,kind,amount,currency\nC1,base,20000.00,CNY\n",
    "orders": """
        id,number,customer_id,ordered_on,ship_on,currency,amount,invoiced_amount,status
        O1,SO-1,C1,2026-01-05,2026-01-10,CNY,5000.00,5000.00,closed
        O2,SO-2,C1,2026-03-15,2026-03-18,CNY,4000.00,4000.00,closed
        O3,SO-3,C1,2026-04-01,2026-04-05,CNY,2000.00,2000.00,closed
        O4,SO-4,C1,2026-04-01,2026-04-05,CNY,90000.00,0.00,cancelled
        """,
    "documents": """
        id,customer_id,kind,number,issued_on,due_on,currency,amount,order_id
        I1,C1,invoice,INV-1,2026-01-10,2026-02-09,CNY,5000.00,O1
        I2,C1,invoice,INV-2,2026-03-18,2026-04-17,CNY,4000.00,O2
        I3,C1,invoice,INV-3,2026-04-05,2026-05-05,CNY,2000.00,O3
        """,
    "payments": """
        id,customer_id,received_on,currency,amount,kind
        P1,C1,2026-03-20,CNY,5000.00,receipt
        P3,C1,2026-05-01,CNY,2000.00,receipt
        W2,C1,2026-06-30,CNY,4000.00,write_off
        """,
    "applications": """
        from_id,to_id,amount,applied_on
        P1,I1,5000.00,2026-03-20
        P3,I3,2000.00,2026-05-01
        W2,I2,4000.00,2026-06-30
        """,
}
PATIENT = "[hold.oldest_overdue]\ngrace_days = 60\n"
WINDOW = ("--from", "2026-01-01", "--to", "2026-06-30")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    made = shop(folder, **BOOK)
    (folder / "patient.toml").write_text(PATIENT, encoding="utf-8")
    assert call("-c", made, "run").code == 0
    return made


def simulated(config: Path, *more: object, lang: str = "en") -> object:
    done = call("-c", config, "--lang", lang, "policy", "simulate", config.parent / "patient.toml", *WINDOW, *more)
    assert done.code == 0, done.err
    return done


def test_every_figure_of_a_story(config: Path) -> None:
    answer = call("-c", config, "policy", "simulate", config.parent / "patient.toml", *WINDOW, "--format", "json").json
    shipped, patient = (policy["total"] for policy in answer["policies"])
    same = {"orders": 3, "sales": 3, "sales_value": 11000, "work_calls": 2, "work_letters": 5, "work_final_demands": 1}
    assert {key: shipped[key] for key in same} == {key: patient[key] for key in same} == same
    told = ("orders_held", "held_value", "days_held", "value_days", "stopped", "stopped_value", "stopped_good")
    # Held on 03-15, 03-16 and 03-17; then it left.
    assert [shipped[key] for key in told] == [1, 4000, 3, 12000, 1, 4000, 0]
    assert [patient[key] for key in told] == [0, 0, 0, 0, 0, 0, 0]
    came = ("late_met", "late_missed", "lost_met", "lost_missed")
    assert [shipped[key] for key in came] == [4000, 5000, 4000, 0]
    assert [patient[key] for key in came] == [0, 9000, 0, 4000]
    # The customer: 31 days late on 03-12 and on 05-18; 61 days late on 06-17.
    assert (shipped["customers_held"], patient["customers_held"]) == (2, 1)
    # A hold to look at; its release takes two approvers, because more than 30 % of the open items was overdue (red).
    assert (shipped["work_holds"], shipped["work_releases"], shipped["work_reviews"]) == (1, 2, 2)
    assert (patient["work_holds"], patient["work_releases"], patient["work_reviews"]) == (0, 0, 2)
    held = answer["policies"][0]["held_orders"]
    assert [(one["order"], one["since"], one["days"], one["stopped"]) for one in held] == [
        ("O2", "2026-03-15", 3, True)
    ]
    assert held[0]["rules"] == ["oldest_overdue"]
    months = {m["month"]: (m["orders_held"], m["late_met"], m["late_missed"]) for m in answer["policies"][0]["months"]}
    assert months["2026-01"] == (0, 0, 5000)
    assert months["2026-03"] == (1, 4000, 0)
    assert len(answer["assumptions"]) == 6


def test_the_table_says_it_in_words_in_both_languages(config: Path) -> None:
    english = simulated(config)
    assert "2026-01-01 to 2026-06-30: 1 customers, 3 orders; amounts in CNY" in english.out
    assert "overdue missed: late amounts of sales let through" in english.out
    assert "Cancelled orders are left out: nobody knows until when they were open." in english.out
    chinese = simulated(config, lang="zh")
    assert "放行销售中后来逾期的金额" in chinese.out
    assert "已取消订单不计入，因其取消日期未知" in chinese.out
    assert "订单按实际情况执行" in chinese.out


def test_a_window_counts_only_what_lies_in_it(config: Path) -> None:
    done = call(
        "-c", config, "policy", "simulate", "active", "--from", "2026-04-01", "--to", "2026-04-30", "--format", "json"
    ).json
    total = done["policies"][1]["total"]
    assert (total["orders"], total["sales"], total["sales_value"], total["orders_held"]) == (1, 1, 2000, 0)
    assert done["policies"][0]["total"] == total


def test_csv_xlsx_and_pictures(config: Path, tmp_path: Path) -> None:
    csv = simulated(config, "--format", "csv")
    assert "orders it would have held,1,0,-1" in csv.out
    simulated(config, "--out", tmp_path / "found.xlsx")
    assert (tmp_path / "found.xlsx").stat().st_size > 4000
    pytest.importorskip("pygal", reason="pictures need the extra charts")
    simulated(config, "--pictures", tmp_path / "pictures")
    for name in ("held", "missed", "work"):
        root = Xml.parse(tmp_path / "pictures" / f"simulation-{name}.svg").getroot()
        assert root.attrib["role"] == "img"
        assert not [node for node in root.iter() if node.tag.endswith("script")]


def test_wrong_days_and_policies_are_told(config: Path) -> None:
    done = call("-c", config, "policy", "simulate", "active", "--from", "2026-04-02", "--to", "2026-04-01")
    assert (done.code, "--from is after --to." in done.err) == (2, True)
    done = call("-c", config, "policy", "simulate", "nowhere", "--from", "2026-04-02")
    assert (done.code, "“nowhere” is no policy" in done.err) == (2, True)


def test_a_book_without_orders_is_judged_by_its_invoices(tmp_path: Path) -> None:
    """The second invoice is made out when the first is 40 days late: the customer is held on that day."""
    config = shop(
        tmp_path,
        customers=BOOK["customers"],
        documents="""
            id,customer_id,kind,issued_on,due_on,currency,amount
            A,C1,invoice,2026-01-01,2026-01-31,CNY,1000.00
            B,C1,invoice,2026-03-12,2026-04-11,CNY,700.00
            """,
    )
    assert call("-c", config, "run").code == 0
    done = call(
        "-c", config, "policy", "simulate", "shipped", "--from", "2026-01-01", "--to", "2026-03-31", "--format", "json"
    )
    total = done.json["policies"][1]["total"]
    assert (total["sales"], total["stopped"], total["stopped_value"]) == (2, 1, 700)
    # Neither was ever paid, and both are long due by now.
    assert (total["late_met"], total["late_missed"]) == (700, 1000)
