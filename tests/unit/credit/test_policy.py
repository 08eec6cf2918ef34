"""The policy document: the shipped one, what an admin may write, and every message about what he may not."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connector.errors import ConfigError
from connector.policy import Policy, default_policy, default_text, load, load_file, read, recalled


def test_the_shipped_document_and_the_defaults_are_the_same() -> None:
    assert default_policy() == Policy()


def settings(table: type[BaseModel], name: str = "") -> set[str]:
    found = set()
    for key, field in table.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= settings(inner, f"{name}{key}.")
        else:
            found.add(f"{name}{key}")
    return found


def written(table: dict[str, Any], name: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in table.items():
        found |= written(value, f"{name}{key}.") if isinstance(value, dict) else {f"{name}{key}"}
    return found


def test_the_shipped_document_shows_every_setting() -> None:
    # `segment` repeats the others; the document shows one as a comment.
    assert written(tomllib.loads(default_text())) == settings(Policy) - {"segment"}
    assert "# [segment." in default_text()


def test_every_comment_of_the_shipped_document_speaks_both_languages() -> None:
    for line in default_text().splitlines():
        _, mark, comment = line.partition("# ")
        if mark and not line.startswith("#") and "=" in line and "tolerance_percent" not in line:
            chinese = any("\u4e00" <= c <= "\u9fff" for c in comment)
            assert chinese or comment.startswith('"active"'), line


def test_numbers_are_decimals_and_what_is_left_out_is_the_default() -> None:
    policy = load("[hold.limit_exceeded]\ntolerance_percent = 2.5")
    assert policy.hold.limit_exceeded.tolerance_percent == Decimal("2.5")
    assert policy.hold.limit_exceeded.on
    assert policy.ageing.edges_days == (30, 60, 90)


def test_edges_by_basis() -> None:
    ageing = load("[ageing]\nedges_days = [7, 14]\nbasis = 'issue'").ageing
    assert ageing.edges() == (30, 60, 90, 180, 365)
    assert ageing.edges("due") == (7, 14)
    assert ageing.edges("statutory") is None


def test_no_horizon_is_said_by_a_word() -> None:
    assert load('[exposure]\norder_horizon_days = "none"').exposure.order_horizon_days is None
    assert load("[exposure]\norder_horizon_days = 0").exposure.order_horizon_days == 0


@pytest.mark.parametrize(
    ("text", "field", "en", "zh"),
    [
        ("[ageing]\nedges_dais = [30]", "ageing.edges_dais", 'There is no such setting. Is "edges_days" meant?', "是否应为“edges_days”？"),
        ("[wanring]", "wanring", 'There is no such setting. Is "warning" meant?', "是否应为“warning”？"),
        ("[data]\nqqq = 1", "data.qqq", "There is no such setting. Known here: stale_after_hours.", "此处可用：stale_after_hours。"),
        ("[ageing]\nbasis = 'duo'", "ageing.basis", '"duo" is not possible here. One of: due, issue, statutory.', "可选值：due, issue, statutory。"),
        ("[ageing]\nedges_days = [30, 20]", "ageing.edges_days",
         "[30, 20] is not possible here. One to twelve whole numbers, each greater than the one before, the first at least 1.",
         "应为 1 至 12 个整数，逐个递增，第一个至少为 1。"),
        ("[ageing]\nedges_days = [30, 30]", "ageing.edges_days",
         "[30, 30] is not possible here. One to twelve whole numbers, each greater than the one before, the first at least 1.",
         "应为 1 至 12 个整数，逐个递增，第一个至少为 1。"),
        ("[ageing]\nedges_days = []", "ageing.edges_days",
         "[] is not possible here. One to twelve whole numbers, each greater than the one before, the first at least 1.",
         "应为 1 至 12 个整数，逐个递增，第一个至少为 1。"),
        ("[ageing]\nedges_days = 30", "ageing.edges_days", "30 is not possible here. It must be a list, as [30, 60, 90].", "应为列表，例如 [30, 60, 90]。"),
        ("[ageing]\nedges_days = ['a']", "ageing.edges_days.1", '"a" is not possible here. It must be a whole number.', "应为整数。"),
        ("[hold.status]\non = 1", "hold.status.on", "1 is not possible here. It must be true or false.", "应为 true 或 false。"),
        ("[hold.used_share]\nabove_percent = 'x'", "hold.used_share.above_percent", '"x" is not possible here. It must be a number.', "应为数字。"),
        ("[hold.used_share]\nabove_percent = nan", "hold.used_share.above_percent", "NaN is not possible here. It must be a number.", "应为数字。"),
        ("[hold.oldest_overdue]\ngrace_days = -1", "hold.oldest_overdue.grace_days", "-1 is not possible here. It must be at least 0.", "不得小于 0。"),
        ("[hold.oldest_overdue]\ngrace_days = 40000", "hold.oldest_overdue.grace_days", "40000 is not possible here. It must be at most 36500.", "不得大于 36500。"),
        ("[hold.oldest_overdue]\ngrace_days = 1.5", "hold.oldest_overdue.grace_days", "1.5 is not possible here. It must be a whole number.", "应为整数。"),
        ("[warning]\nutilisation_percent = 80", "warning.utilisation_percent", "80 is not possible here. It must be a table.", "应为一个表（table）。"),
        ("[exposure]\norder_horizon_days = 'all'", "exposure.order_horizon_days", '"all" is not possible here. It must be a whole number.', "应为整数。"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_message(text: str, field: str, en: str, zh: str) -> None:
    policy, (problem,) = read(text)
    assert policy is None
    assert problem.field == field
    assert f"{problem.what.en} {problem.fix.en}" == en
    assert problem.fix.zh == zh


def test_steps_must_rise() -> None:
    _, (problem,) = read("[warning.oldest_overdue_days]\nyellow = 20\nred = 5")
    assert problem.field == "warning.oldest_overdue_days"
    assert problem.fix.en == "yellow ≤ orange ≤ red is needed."
    assert problem.fix.zh == "必须满足 yellow ≤ orange ≤ red。"


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load("[ageing]\nbasis = 'x'\nfoo = 1\n[hold.status]\non = 'yes'\n[nonsense]\n")
    lines = caught.value.user.en.splitlines()
    assert lines[0] == "The policy has mistakes."
    assert len(lines) == 5
    assert lines[1] == 'policy [ageing.basis]: "x" is not possible here. One of: due, issue, statutory.'
    assert caught.value.user.zh.splitlines()[0] == "信用政策有错误。"


def test_broken_toml_says_where() -> None:
    _, (problem,) = read("[ageing\nbasis = 'due'")
    assert problem.code == "bad_toml"
    assert "line 1" in problem.what.en


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text("[currency]\nmax_rate_age_days = 3\n", "utf-8")
    assert load(path) == load_file(path)
    assert load_file(path).currency.max_rate_age_days == 3
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        load_file(path)
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_file(tmp_path / "nowhere.toml")
    path.write_text("[x]\n", "utf-8")
    with pytest.raises(ConfigError, match=r"ours\.toml \[x\]"):
        load_file(path)


def test_a_policy_does_not_change_after_loading() -> None:
    with pytest.raises(ValueError, match="frozen"):
        default_policy().ageing.placement = "fifo"


SEGMENTS = """
[hold.oldest_overdue]
grace_days = 10
[segment.export.hold.oldest_overdue]
grace_days = 60
[segment.export.warning.utilisation_percent]
yellow = 70
"""


def test_a_segment_has_the_rules_of_the_document_but_for_what_it_says_itself() -> None:
    policy = load(SEGMENTS)
    assert policy.hold.oldest_overdue.grace_days == 10
    assert policy.of("retail") is policy
    assert policy.of(None) is policy
    export = policy.of("export")
    assert export.hold.oldest_overdue.grace_days == 60
    assert export.hold.oldest_overdue.on
    assert export.warning.utilisation_percent.yellow == 70
    assert export.warning.utilisation_percent.red == 100


def test_what_is_wrong_in_a_segment_is_said_once_and_where() -> None:
    policy, problems = read(
        "[hold.status]\non = 3\n[segment.export.hold.oldest_overdue]\ngrace_day = 3\n[segment.export.ageing]\nbasis = 'due'\n"
        "[segment.export.warning.utilisation_percent]\nyellow = 99\norange = 9\n"
    )
    assert policy is None
    assert [p.field for p in problems] == [
        "hold.status.on",
        "segment.export.ageing",
        "segment.export.hold.oldest_overdue.grace_day",
        "segment.export.warning.utilisation_percent",
    ]
    assert problems[2].fix.en == 'Is "grace_days" meant?'


def test_a_policy_that_was_kept_comes_back_with_its_segments() -> None:
    policy = load(SEGMENTS + "[segment.export.warning.oldest_overdue_days]\nyellow = 2.5\n")
    again = recalled(policy.model_dump_json())
    assert again.hold == policy.hold
    assert again.of("export").hold == policy.of("export").hold
    assert again.of("export").warning == policy.of("export").warning
    assert again.of("export").warning.oldest_overdue_days.yellow == Decimal("2.5")
    assert recalled(default_policy().model_dump_json()) == default_policy()
