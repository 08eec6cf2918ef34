"""Labels of statement lines: the normal form, the look-up, and the laws of both."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.credit.statement_labels import ITEMS, item_named, item_of, labels, normal_form, passed_over

ORDINALS = ("", "一、", "（二）", "3.", "4、", "（5）", "其中：", "减：", "加：", "  ", "☆", "△")
TAILS = ("", "（亏损以“-”号填列）", "（损失以“－”号填列）", "：", "*", "　", "（附注五、1）")


@pytest.mark.parametrize(
    ("printed", "item"),
    [
        ("  存　货", "inventories"),
        ("应收帐款", "receivables"),
        ("其它应收款", "other_receivables"),
        ("减：营业成本", "cost"),
        ("其中：利息费用（收入以“-”号填列）", "interest_expense"),
        ("三、利润总额（亏损总额以“－”号填列）", "profit_before_tax"),
        ("五、现金及现金等价物净增加额", "net_change_in_cash"),
        ("销售商品、提供劳务收到的现金", "cash_from_sales"),
        ("所有者权益(或股东权益)合计", "equity"),
        ("Creditors: amounts falling due within one year", "current_liabilities"),
        ("Shareholders’ funds", "equity"),
        ("Property, plant and equipment", "fixed_assets"),
        ("TOTAL NON-CURRENT ASSETS", "non_current_assets"),
        ("Inventories (note 12)", "inventories"),
        ("营业总成本", None),
        ("减值准备", None),
        ("Net current assets", None),
        ("应收货款", None),
    ],
)
def test_a_label_means_its_item_or_none(printed: str, item: str | None) -> None:
    assert item_of(printed) == item


def test_impairment_is_no_deduction() -> None:
    """减 and 加 are taken off only with a colon."""
    assert normal_form("减值准备") == "减值准备"
    assert normal_form("加：其他收益") == "其他收益"


def test_no_label_belongs_to_two_items() -> None:
    owner: dict[str, str] = {}
    for item in ITEMS.values():
        for label in (*item.zh, *item.en):
            assert owner.setdefault(normal_form(label), item.name) == item.name, label
    assert len(owner) > 180


def test_known_lines_are_passed_over_and_items_are_not() -> None:
    assert passed_over("减：累计折旧")
    assert passed_over("（一）持续经营净利润（净亏损以“-”号填列）")
    assert passed_over("其中：")
    assert not passed_over("应收货款")
    assert not any(passed_over(label) for item in ITEMS.values() for label in item.zh)


def test_a_system_may_name_items_by_taxonomy() -> None:
    assert item_named("ifrs-full:CurrentAssets") == "current_assets"
    assert item_named("us-gaap:InventoryNet") == "inventories"
    assert item_named("total_assets") == "total_assets"
    assert item_named("资产总额") == "total_assets"
    assert item_named("nonsense") is None


def test_labels_of_one_system_come_first() -> None:
    assert item_of("应收货款", {normal_form("应收货款"): "receivables"}) == "receivables"


@given(st.text(max_size=40))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    once = normal_form(text)
    assert normal_form(once) == once
    assert not any(c.isspace() for c in once)


@given(
    st.sampled_from([label for item in ITEMS.values() for label in item.zh]),
    st.sampled_from(ORDINALS),
    st.sampled_from(TAILS),
    st.sampled_from(["", " ", "\u3000", "\u200b"]),
)
def test_decoration_never_changes_what_a_label_means(label: str, front: str, tail: str, gap: str) -> None:
    decorated = front + gap.join(label) + tail
    assert item_of(decorated) == item_of(label)
    assert item_of(unicodedata.normalize("NFD", decorated)) == item_of(label)


@given(st.sampled_from(sorted(labels())), st.characters(categories=["Lo", "Ll"]))
def test_a_label_with_one_letter_more_is_another_label(form: str, letter: str) -> None:
    """Nothing is guessed: a longer word means an item only if it is a label itself."""
    longer = normal_form(form + letter)
    assert item_of(form + letter) == labels().get(longer)
