"""Stories of a policy that is to change: tried on today's customers, run over the past, put in force, and taken back."""

from __future__ import annotations

from pathlib import Path

from tests.cli.calling import call, shop
from tests.cli.test_policy_simulate import BOOK, PATIENT, WINDOW

# On 2 March 2026 Crane Works owes 1,000 since 20 days; Heron Ltd owes nothing that is due.
TODAY = "2026-03-02"
LEDGER = {
    "customers": "id,name,currency\nC1,Crane Works,CNY\nC2,Heron Ltd,CNY\n",
    "documents": """
        id,customer_id,kind,issued_on,due_on,currency,amount
        A,C1,invoice,2026-01-11,2026-02-10,CNY,1000.00
        B,C2,invoice,2026-02-20,2026-04-20,CNY,400.00
        """,
}


def words(text: str) -> str:
    """A table without the blanks between its columns."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_finance_wants_to_be_stricter_and_sees_first_whom_it_would_meet(tmp_path: Path) -> None:
    """Fourteen days of grace instead of thirty: Crane Works would be held today, nobody else changes."""
    config, new = shop(tmp_path, **LEDGER), tmp_path / "strict.toml"
    assert call("-c", config, "run").code == 0
    new.write_text("[hold.oldest_overdue]\ngrace_days = 14\n", encoding="utf-8")
    english = words(call("-c", config, "policy", "try", new, "--as-of", TODAY).out)
    assert "customers held 0 1 1" in english
    assert "1 customers change: 1 newly held, 0 freed, 0 warned more, 0 warned less." in english
    assert (
        "C1 Crane Works free, red held, red "
        "the oldest undisputed item is 20 days overdue, 14 are allowed; CNY 1,000.00 is overdue in all" in english
    )
    assert "Heron" not in english
    chinese = words(call("-c", config, "--lang", "zh", "policy", "try", new, "--as-of", TODAY, lang="zh").out)
    assert "1 个客户有变化：新冻结 1，解除冻结 0，预警升级 0，预警降级 0。" in chinese
    assert (
        "C1 Crane Works 放行，红色 冻结，红色 最早的无争议未清项已逾期 20 天，超过允许的 14 天；逾期合计 CNY 1,000.00"
        in chinese
    )


def test_what_more_patience_would_have_cost(tmp_path: Path) -> None:
    """With sixty days of grace the order of 15 March would have left: 4,000 that were never paid."""
    config, patient = shop(tmp_path, **BOOK), tmp_path / "patient.toml"
    assert call("-c", config, "run").code == 0
    patient.write_text(PATIENT, encoding="utf-8")
    english = words(call("-c", config, "policy", "simulate", patient, *WINDOW).out)
    for line in (
        "orders it would have held 1 0 -1",
        "value of these orders 4,000 0 -4,000",
        "overdue missed: late amounts of sales let through 5,000 9,000 4,000",
        "losses met: written off of stopped sales 4,000 0 -4,000",
        "losses missed: written off of sales let through 0 4,000 4,000",
        "work: approvals of releases 2 0 -2",
    ):
        assert line in english, line
    chinese = words(call("-c", config, "--lang", "zh", "policy", "simulate", patient, *WINDOW, lang="zh").out)
    for line in (
        "将被冻结的订单数 1 0 -1",
        "放行销售中后来逾期的金额 5,000 9,000 4,000",
        "放行销售中后来核销的金额 0 4,000 4,000",
        "工作量：解冻审批 2 0 -2",
    ):
        assert line in chinese, line


def test_a_policy_is_taken_back_and_nothing_is_forgotten(tmp_path: Path) -> None:
    """Put in force in the morning, taken back at noon: both stand in the journal and in the audit trail."""
    config, new = shop(tmp_path, **LEDGER), tmp_path / "strict.toml"
    new.write_text("[hold.oldest_overdue]\ngrace_days = 14\n", encoding="utf-8")
    said = words(call("-c", config, "policy", "activate", new, "--as", "li.wei", "--note", "board meeting").out)
    assert "In force: version 1 in the database, of li.wei" in said
    assert "hold.oldest_overdue.grace_days 30 14" in said
    assert "In force from the next run on." in said
    back = words(
        call(
            "-c", config, "--lang", "zh", "policy", "activate", "--file", "--as", "li.wei", "--note", "撤回", lang="zh"
        ).out
    )
    assert "使用中：随产品提供的信用政策" in back
    assert "hold.oldest_overdue.grace_days 14 30" in back
    assert "自下次运行起生效。" in back
    history = call("-c", config, "policy", "history", "--format", "json").json
    assert [(one["version"], one["note"]) for one in history["activations"]] == [(None, "撤回"), (1, "board meeting")]
    assert [one["version"] for one in history["versions"]] == [1]
    trail = call("-c", config, "audit", "list", "--action", "policy.activate", "--format", "json").json["audit"]
    assert [one["why"] for one in trail] == ["撤回", "board meeting"]
    assert call("-c", config, "audit", "verify").code == 0
