"""What stands above the figures of a sheet: its kind, unit, currency, scope and whose it is."""

from __future__ import annotations

import re
import unicodedata

from connector.credit.statement_labels import SheetKind
from connector.credit.statement_sheet import Cell

# What a sheet can be; `other` has figures that are not read (所有者权益变动表).
Kind = SheetKind | str

FACTORS = {"": 1, "千": 1_000, "万": 10_000, "百万": 1_000_000, "亿": 100_000_000}
_CURRENCIES = {
    "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "美元": "USD", "us$": "USD", "usd": "USD", "港元": "HKD", "港币": "HKD",
    "hk$": "HKD", "hkd": "HKD", "欧元": "EUR", "€": "EUR", "eur": "EUR", "日元": "JPY", "jpy": "JPY", "英镑": "GBP",
    "£": "GBP", "gbp": "GBP", "新台币": "TWD", "新加坡元": "SGD",
}  # fmt: skip
_MONEY = "|".join(re.escape(word) for word in sorted(_CURRENCIES, key=len, reverse=True))
# 编制单位 is whose statement it is, not its unit; 单位：元气森林有限公司 is a company, too.
_UNIT_ZH = re.compile(
    rf"(?<![编制报送填属表税计本])(?:金额|货币|计量|计价)?单位[:]?\(?(?:(?P<a>{_MONEY}))?(?P<f>百万|亿|万|千)?(?:(?P<b>{_MONEY})|元)"
    r"(?=$|[^\u4e00-\u9fff]|币种|至|列|整)"
)
_UNIT_ALONE = re.compile(
    rf"(?:^|\()(?P<a>{_MONEY})?(?P<f>百万|亿|万|千)?(?:元|(?P<b>美元|港元|港币|欧元|日元|英镑))(?:\)|$)"
)
_UNIT_EN = re.compile(rf"(?P<a>{_MONEY}|\$|¥)[ ]?(?P<f>'?000s?|thousands?|millions?|mn?|bn|billions?)?")
_UNIT_SAID = re.compile(rf"in(?P<a>{_MONEY})?(?P<f>thousands|millions)(?:of(?P<b>{_MONEY}|usdollars|renminbi))?")
_EN_FACTORS = {"": 1, "0": 1_000, "t": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_MONEY_TOLD = re.compile(rf"(?:币种|币别|货币|记账本位币|currency)[:]?(?P<a>{_MONEY})|(?P<b>人民币|renminbi)")


def plain(cell: Cell) -> str:
    """A text as the rules here compare it: one width, lower case, quotes alike, single blanks."""
    if not isinstance(cell, str):
        return ""
    text = unicodedata.normalize("NFKC", cell).casefold().replace("’", "'").replace("‘", "'")
    text = re.sub("[\u2010-\u2015\u2212]", "-", text)
    return " ".join(text.split())


def tight(cell: Cell) -> str:
    """The same without any blanks."""
    return plain(cell).replace(" ", "")


def kind_of(text: str) -> Kind | None:
    """What a title or the name of a sheet says it is; `text` is tight."""
    if re.search(r"(?:所有者|股东)权益变动|利润分配表|changesinequity", text) and "利润及利润分配" not in text:
        return "other"
    if "资产负债" in text and "资产负债率" not in text:
        return "balance"
    if "现金流量" in text:
        return "cash"
    if re.search(r"利润|损益", text):
        return "profit"
    if re.search(r"balancesheet|financialposition", text):
        return "balance"
    if "cashflow" in text:
        return "cash"
    if re.search(r"incomestatement|profitorloss|profitandloss|profit&loss|comprehensiveincome|statementofincome", text):
        return "profit"
    return None


def title_kind(text: str) -> Kind | None:
    """The same of a row inside a sheet, which is a title only where it names a statement."""
    if re.search(r"表(?:$|[(\d会:])|表[^\u4e00-\u9fff]|statement|sheet|account$", text) and len(text) < 80:
        return kind_of(text)
    return None


def unit_of(text: str, *, heading: bool = False) -> tuple[int, str | None] | None:
    """The unit factor and the currency that a text tells; `text` is tight. A bare 元 does not tell the currency.

    `heading`: the cell belongs to the header, where (万元) or £000 stand alone.
    """
    said = _UNIT_ZH.search(text)
    if said is None and heading:
        said = _UNIT_ALONE.search(text)
    if said is not None:
        word = said["a"] or said["b"]
        return FACTORS[said["f"] or ""], _CURRENCIES.get(word or "")
    english = _UNIT_EN.fullmatch(text.strip("()")) if heading or text[:1] in "£$€¥(" or "000" in text else None
    if english is not None:
        return _EN_FACTORS[(english["f"] or "").lstrip("'")[:1]], _CURRENCIES.get(english["a"])
    told = _UNIT_SAID.search(text)
    if told is not None:
        word = {"usdollars": "usd", "renminbi": "rmb"}.get(told["b"] or "", told["b"] or told["a"] or "")
        return _EN_FACTORS[told["f"][0]], _CURRENCIES.get(word)
    return None


def currency_of(text: str) -> str | None:
    """The currency that a text names; `text` is tight."""
    said = _MONEY_TOLD.search(text)
    if said is None:
        return None
    return _CURRENCIES[said["a"]] if said["a"] else "CNY"


def scope_of(text: str) -> bool | None:
    """Consolidated, or the legal person's own; `text` is tight. None: it does not say."""
    if "母公司" in text and "归属" not in text:
        return False
    if re.search(r"合并(?!范围)|consolidated", text):
        return True
    return None


def company_of(cell: Cell) -> str | None:
    """Whose statement it is, where 编制单位 says so."""
    if not isinstance(cell, str):
        return None
    found = re.search(r"(?:编制|编报|填报|报送|报表)单位(?:名称)?\s*[::]\s*(\S+)", unicodedata.normalize("NFKC", cell))
    return found[1] if found is not None else None
