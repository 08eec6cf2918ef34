"""`holdfast score`: what a credit controller reads when somebody asks why a customer is a B."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connector.credit.score import as_kept
from connector.store import scores
from connector.store.db import Store
from jobs.score import again
from tests.cli.calling import call, shop

DAY = ("--as-of", "2026-11-23")
BOOK = {
    # C001 has paid four invoices on terms and one 15 days late; C002 is new; C003 stands on a court's list.
    "customers": """
        id,name,currency,first_sold_on
        C001,华东机械（上海）有限公司,CNY,2022-03-01
        C002,Seven & Sons,CNY,2026-10-01
        C003,Court Co.,CNY,2020-01-01
        """,
    "limits": """
        customer_id,kind,amount,currency
        C001,base,100000.00,CNY
        """,
    "documents": """
        id,customer_id,kind,issued_on,due_on,currency,amount
        D1,C001,invoice,2026-01-01,2026-01-31,CNY,10000.00
        D2,C001,invoice,2026-03-01,2026-03-31,CNY,10000.00
        D3,C001,invoice,2026-05-01,2026-05-31,CNY,10000.00
        D4,C001,invoice,2026-07-01,2026-07-31,CNY,10000.00
        D5,C001,invoice,2026-09-01,2026-10-01,CNY,10000.00
        D6,C001,invoice,2026-11-01,2026-12-01,CNY,50000.00
        E1,C002,invoice,2026-11-01,2026-12-01,CNY,700.00
        """,
    "payments": """
        id,customer_id,received_on,currency,amount
        P1,C001,2026-01-31,CNY,10000.00
        P2,C001,2026-03-31,CNY,10000.00
        P3,C001,2026-05-31,CNY,10000.00
        P4,C001,2026-07-31,CNY,10000.00
        P5,C001,2026-10-16,CNY,10000.00
        """,
    "applications": """
        from_id,to_id,amount,applied_on
        P1,D1,10000.00,2026-01-31
        P2,D2,10000.00,2026-03-31
        P3,D3,10000.00,2026-05-31
        P4,D4,10000.00,2026-07-31
        P5,D5,10000.00,2026-10-16
        """,
    "financials": """
        customer_id,period_end_on,months,currency,unit,item,amount
        C001,2025-12-31,12,CNY,10000,current_assets,800
        C001,2025-12-31,12,CNY,10000,current_liabilities,500
        C001,2025-12-31,12,CNY,10000,total_assets,2000
        C001,2025-12-31,12,CNY,10000,total_liabilities,1200
        """,
    "events": """
        id,customer_id,on,kind,source,value
        X1,C003,2025-02-01,court_dishonest,zxgk_manual,(2025)沪01执1号
        X2,C001,2026-09-01,bureau_rating,creditsafe,A
        """,
}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = shop(tmp_path_factory.mktemp("scored"), **BOOK)
    assert call("-c", config, "run").code == 0
    return config


def row_of(out: str, name: str) -> list[str]:
    [line] = [line for line in out.splitlines() if line.startswith(name)]
    return line.split()


def test_every_criterion_says_what_it_rests_on_and_what_it_gives(scored: Path) -> None:
    done = call("-c", scored, "score", "C001", *DAY, "--format", "json")
    assert (done.code, done.err) == (0, "")
    answer = done.json
    parts = {part["input"]: part for part in answer["parts"]}
    # (4 × 10,000 × 80 + 10,000 × 70) ÷ 50,000
    assert (parts["payment_index"]["value"], parts["payment_index"]["points"]) == ("78.0000", "100")
    assert parts["payment_index"]["source"] == ["payments", "5", "2024-11-23", "2026-11-23"]
    # 15 days in the last 90, 0 in the 12 months before.
    assert (parts["slowdown_days"]["value"], parts["slowdown_days"]["points"]) == ("15.0000", "15")
    assert (parts["overdue_percent"]["value"], parts["overdue_percent"]["points"]) == ("0.0000", "100")
    assert (parts["years_as_customer"]["value"], parts["years_as_customer"]["points"]) == ("4.0000", "80")
    assert (parts["utilisation_percent"]["value"], parts["utilisation_percent"]["points"]) == ("50.0000", "100")
    assert (parts["current_ratio"]["value"], parts["current_ratio"]["points"]) == ("1.6000", "100")
    assert (parts["debt_ratio_percent"]["value"], parts["debt_ratio_percent"]["points"]) == ("60.0000", "60")
    assert parts["debt_ratio_percent"]["source"] == ["statement", "2025-12-31"]
    assert parts["altman_zone"]["missing"] == ["retained_earnings", "ebit", "equity"]
    assert parts["altman_zone"]["rule"] == "reweight"
    assert (parts["bureau_rating"]["value"], parts["bureau_rating"]["points"]) == ("A", "80")
    # 30 × 100 + 10 × 15 + 15 × 100 + 10 × 80 + 5 × 100 + 5 × 100 + 5 × 60 + 10 × 80 over a weight of 90
    assert (answer["score"], answer["grade"], answer["coverage"]) == ("83.89", "A", "0.90")


def test_the_table_for_people(scored: Path) -> None:
    out = call("-c", scored, "score", "C001", *DAY).out
    lines = out.splitlines()
    assert lines[0] == "C001  华东机械（上海）有限公司"
    assert lines[1] == "A · 83.89 · 90 % of the weight known · as of 2026-11-23"
    assert row_of(out, "payment index")[2:8] == ["78", "≥", "78", "100", "30", "33.33"]
    assert "5 payments and overdue items, 2024-11-23 to 2026-11-23" in out
    assert "statement of 2025-12-31" in out
    assert "creditsafe of 2026-09-01" in out
    assert "not known: retained earnings, EBIT, total equity; left out" in out
    assert row_of(out, "Score  ")[-2:] == ["90", "83.89"]


def test_chinese_throughout(scored: Path) -> None:
    out = call("-c", scored, "score", "C001", *DAY, lang="zh").out
    assert "A · 83.89 · 已知权重 90 % · 截至 2026-11-23" in out
    for word in ("付款指数", "付款放缓", "逾期率", "合作年限", "额度使用率", "流动比率", "资产负债率", "征信评级", "权重", "来源", "不计入", "缺少：留存收益、息税前利润、所有者权益合计"):  # fmt: skip
        assert word in out, word
    for word in ("index", "statement", "weight", "score", "left out"):
        assert word not in out.casefold()


def test_no_score_is_not_a_bad_score(scored: Path) -> None:
    out = call("-c", scored, "score", "C002", *DAY).out
    assert "no grade · no score · 25 % of the weight known" in out
    assert "No score, which is not a bad score: only 25 % of the weight is known, 40 % is asked for." in out
    assert "no limit to compare with" in out
    zh = call("-c", scored, "score", "C002", *DAY, lang="zh").out
    assert "不予评分（并非低分）：仅 25 % 的权重有数据，要求至少 40 %。" in zh


def test_a_cap_needs_no_score(scored: Path) -> None:
    done = call("-c", scored, "score", "C003", *DAY)
    assert "D · no score" in done.out
    assert "The grade is kept at D by: courts" in done.out


def test_everybody_the_lowest_first(scored: Path) -> None:
    done = call("-c", scored, "score", *DAY)
    assert done.code == 0
    rows = [line.split()[0] for line in done.out.splitlines() if line.startswith("C00")]
    assert rows == ["C001", "C002", "C003"]
    assert "By grade: A 1  D 1  – 1" in done.out
    answer = call("-c", scored, "score", *DAY, "--format", "json").json
    assert answer["as_of"] == "2026-11-23"
    assert [(one["customer_id"], one["score"], one["grade"]) for one in answer["scores"]] == [
        ("C001", "83.89", "A"),
        ("C002", None, None),
        ("C003", None, "D"),
    ]
    csv = call("-c", scored, "score", *DAY, "--format", "csv").out.splitlines()
    assert csv[0] == "customer_id,name,score,grade,coverage,capped,system"
    assert csv[2] == "C002,Seven & Sons,,,0.25,,books"


def test_of_an_earlier_day(scored: Path) -> None:
    answer = call("-c", scored, "score", "C001", "--as-of", "2026-04-30", "--format", "json").json
    parts = {part["input"]: part for part in answer["parts"]}
    assert parts["payment_index"]["value"] is None
    assert parts["payment_index"]["flags"] == ["few_payments"]
    assert parts["bureau_rating"]["flags"] == ["no_event"]


CARD = """
name = "ours"
intercept = 3
bands = [["A", 620], ["B", 560], ["D", 0]]
[[variable]]
input = "payment_index"
coefficient = 1
below = -1
bins = [[60, 0], [78, 1]]
"""


def test_a_statistical_scorecard_beside_the_configuration(tmp_path: Path) -> None:
    config = shop(tmp_path, **BOOK)
    (tmp_path / "ours.toml").write_text(CARD, "utf-8")
    (tmp_path / "policy.toml").write_text('[score]\nmodel = "ours.toml"\n', "utf-8")
    config.write_text('policy = "policy.toml"\n' + config.read_text("utf-8"), "utf-8")
    assert call("-c", config, "run").code == 0
    out = call("-c", config, "score", "C001", *DAY).out
    # 487.12 + 28.85 × (3 + 1); 1 ÷ (1 + e⁴)
    assert "B · 602.54 · 100 % of the weight known" in out
    assert "probability of default 1.8000 %" in out or "probability of default 1.80" in out
    (tmp_path / "ours.toml").unlink()
    gone = call("-c", config, "score", "C001", *DAY)
    assert gone.code == 2
    assert "ours.toml cannot be read" in gone.err


def test_scoring_may_be_switched_off(tmp_path: Path) -> None:
    config = shop(tmp_path, **BOOK)
    (tmp_path / "policy.toml").write_text("[score]\non = false\n", "utf-8")
    config.write_text('policy = "policy.toml"\n' + config.read_text("utf-8"), "utf-8")
    assert call("-c", config, "run").code == 0
    done = call("-c", config, "score", "C001", *DAY)
    assert (done.code, "Scoring is switched off in the policy." in done.out) == (0, True)


def test_the_scorecard_is_judged_by_what_came_after(scored: Path) -> None:
    # On 2026-08-01 C001 was a good payer; of the others nothing is known. On 2026-10-16 it paid 15 days late.
    asked = ("score", "--quality", "--as-of", "2026-11-01", "--months", "3")
    found = call("-c", scored, *asked, "--bad-days", "15", "--format", "json").json
    assert (found["scored_on"], found["until"]) == ("2026-08-01", "2026-11-01")
    assert [(b["grade"], b["customers"], b["bad"]) for b in found["bands"]] == [
        ("A", 1, 1),
        ("B", 0, 0),
        ("C", 0, 0),
        ("D", 0, 0),
    ]
    assert (found["auc"], found["iv"], found["unknown"]) == (None, None, 2)
    assert call("-c", scored, *asked, "--bad-days", "16", "--format", "json").json["bands"][0]["bad"] == 0
    out = call("-c", scored, *asked).out
    assert "All or none of them turned bad" in out
    assert "PSI 0.0000 of the grades between the two days: stable" in out
    zh = call("-c", scored, *asked, lang="zh").out
    assert "“变差”指 2026-08-01 之后有发票逾期至少 30 天付款" in zh


def test_positions_and_explanations_show_score_and_grade(scored: Path) -> None:
    [one, *_] = call("-c", scored, "report", "positions", *DAY, "--format", "json").json["positions"]
    assert (one["customer_id"], one["score"], one["grade"]) == ("C001", "83.89", "A")
    head, row, *_ = call("-c", scored, "report", "positions", *DAY, "--format", "csv").out.splitlines()
    found = dict(zip(head.split(","), row.split(","), strict=True))
    assert (found["score"], found["grade"]) == ("83.89", "A")
    assert "grade A (83.89)" in call("-c", scored, "explain", "C001", *DAY).out
    assert "等级 A (83.89)" in call("-c", scored, "explain", "C001", *DAY, lang="zh").out
    assert "grade D" in call("-c", scored, "explain", "C003", *DAY).out
    assert "grade" not in call("-c", scored, "explain", "C002", *DAY).out


def test_the_course_of_a_score_is_kept_by_the_run(tmp_path: Path) -> None:
    # Runs are of today: a rating that is old by then would not count.
    today = dt.datetime.now(dt.UTC).date()
    month_ago, last_week = (f"{today - dt.timedelta(days=n)}" for n in (30, 7))
    book = {**BOOK, "events": BOOK["events"].replace("2026-09-01", month_ago)}
    config = shop(tmp_path, **book)
    (tmp_path / "policy.toml").write_text("[score]\nmin_coverage_percent = 10\n", "utf-8")
    config.write_text('policy = "policy.toml"\n' + config.read_text("utf-8"), "utf-8")
    assert call("-c", config, "run").code == 0
    first = call("-c", config, "score", "C001", "--history", "--format", "json").json["scores"]
    assert len(first) == 1
    assert call("-c", config, "evaluate", "--full").code == 0
    assert call("-c", config, "score", "C001", "--history", "--format", "json").json["scores"] == first

    worse = f"{book['events'].rstrip()}\n        X3,C001,{last_week},bureau_rating,creditsafe,BB"
    shop(tmp_path, **{**book, "events": worse})
    config.write_text('policy = "policy.toml"\n' + config.read_text("utf-8"), "utf-8")
    assert call("-c", config, "run").code == 0
    newer, older = call("-c", config, "score", "C001", "--history", "--format", "json").json["scores"]
    assert older == first[0]
    ratings = [{p["input"]: p for p in one["parts"]}["bureau_rating"] for one in (newer, older)]
    assert [(p["value"], p["points"]) for p in ratings] == [("BB", "45"), ("A", "80")]
    out = call("-c", config, "score", "C001", "--history").out
    assert "bureau rating 80 → 45" in out
    assert "征信评级 80 → 45" in call("-c", config, "score", "C001", "--history", lang="zh").out

    # Another scorecard: everybody is scored anew without anything having changed in the book.
    (tmp_path / "ours.toml").write_text(CARD, "utf-8")
    (tmp_path / "policy.toml").write_text('[score]\nmodel = "ours.toml"\n', "utf-8")
    assert call("-c", config, "evaluate").code == 0
    (tmp_path / "ours.toml").write_text(CARD.replace("[78, 1]", "[78, 2]"), "utf-8")
    assert call("-c", config, "evaluate").code == 0
    last, before, *_ = call("-c", config, "score", "C001", "--history", "--format", "json").json["scores"]
    assert last["version"] != before["version"]
    assert "another scorecard" in call("-c", config, "score", "C001", "--history").out

    store = Store.open(f"sqlite:///{tmp_path / 'holdfast.db'}")
    with store.reading() as tx:
        kept = [row for debtor in scores.latest(tx) for row in scores.history(tx, debtor)]
        assert len({row.version for row in kept}) == 3
        assert [row for row in kept if as_kept(again(tx, row)) != row.body] == []
    store.close()


def test_a_policy_whose_scorecard_has_mistakes_is_not_put_in_force(tmp_path: Path) -> None:
    config = shop(tmp_path, **BOOK)
    policy = tmp_path / "new.toml"
    policy.write_text('[segment.export.score]\nmodel = "ours.toml"\n', "utf-8")
    (tmp_path / "ours.toml").write_text(CARD.replace("coefficient", "coeficient"), "utf-8")
    for command in ("check", "activate"):
        done = call("-c", config, "policy", command, policy)
        assert done.code == 2, command
        assert 'ours.toml [variable.1.coeficient]: There is no such setting. Is "coefficient" meant?' in done.err
        assert "评分卡有错误。" in call("-c", config, "policy", command, policy, lang="zh").err
    (tmp_path / "ours.toml").write_text(CARD, "utf-8")
    assert call("-c", config, "policy", "check", policy).code == 0
    assert call("-c", config, "policy", "activate", policy).code == 0
