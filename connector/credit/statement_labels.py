"""Labels of statement lines: their normal form, and which item a label means. Exact look-up, nothing is guessed."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Literal

from connector.text import Text

SheetKind = Literal["balance", "profit", "cash"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item: the sheet it stands on, whether it sums others, its labels, its element names in two taxonomies."""

    name: str
    sheet: SheetKind
    total: bool = False
    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    ifrs: tuple[str, ...] = ()
    us_gaap: tuple[str, ...] = ()


# What may stand before the words: 一、 （一） 1. 1、 (1) a) ii.; 其中：, 减：, 加：(the last two only with a colon).
_FRONT = re.compile(
    r"^(?:[一二三四五六七八九十]+[、.,]|\([一二三四五六七八九十]+\)|\d{1,2}[、.)](?!\d)|\(\d{1,2}\)|\([a-z]\)|[ivx]{1,4}[.、)]"
    r"|其中[::]?|[减加][::])"
)
# What may stand after them: （亏损以“-”号填列）, （附注五、1）, (note 5), note 5.
_BACK = re.compile(r"(?:\([^()]*填列\)|\((?:附注|注释)[^()]*\)|\(?notes?\d+[a-z]?\)?)$")
_MARKS = re.compile(r"[\s\u200b-\u200f\ufeff*#△☆▲'’‘`,，;；:：]|、")
_BLANKS = re.compile(r"[\s\u200b-\u200f\ufeff*#△☆▲]")
_HYPHENS = re.compile(r"(?<=[a-z])[-\u2010-\u2015](?=[a-z])")


@lru_cache(20_000)  # labels of other people's files: there is no end of them
def normal_form(label: str) -> str:
    """A label as it is compared: width, case, blanks, ordinals, 其中/减/加, tails, marks and 帐/账 do not count.

    `三、利润总额（亏损总额以“-”号填列）` is 利润总额. The normal form of a normal form is itself.
    """
    text = unicodedata.normalize("NFKC", label).casefold()
    text = _BLANKS.sub("", text).replace("帐", "账").replace("它", "他")
    while True:
        shorter = _BACK.sub("", _FRONT.sub("", text, count=1), count=1)
        if shorter == text:
            # Marks last: an ordinal is known by the one that follows it.
            shorter = _HYPHENS.sub("", _MARKS.sub("", text))
            shorter = _BLANKS.sub("", unicodedata.normalize("NFKC", shorter).casefold())
            if shorter == text:
                return text
        text = shorter


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("connector.credit").joinpath("statement_items.toml").read_text("utf-8"))


def _items() -> dict[str, Item]:
    return {
        row["name"]: Item(
            name=row["name"],
            sheet=row["sheet"],
            total=row.get("total", False),
            zh=tuple(row.get("zh", ())),
            en=tuple(row.get("en", ())),
            ifrs=tuple(row.get("ifrs", ())),
            us_gaap=tuple(row.get("us_gaap", ())),
        )
        for row in _file()["item"]
    }


ITEMS: Mapping[str, Item] = _items()
# Items as people read them: the usual label of each language.
NAMES: Mapping[str, Text] = {name: Text(item.en[0], item.zh[0]) for name, item in ITEMS.items()}
SHEET_OF: Mapping[str, SheetKind] = {name: item.sheet for name, item in ITEMS.items()}


@cache
def labels() -> Mapping[str, str]:
    """Every label's normal form and the item it means."""
    return {normal_form(label): item.name for item in ITEMS.values() for label in (*item.zh, *item.en)}


@cache
def unused() -> frozenset[str]:
    """Normal forms of headings and of standard lines that nothing here needs."""
    other = _file()["other"]
    return frozenset(normal_form(label) for words in other.values() for label in words) - labels().keys()


@cache
def annual_report() -> Mapping[str, str]:
    """Labels of the annual report on the enterprise register; an empty item name: kept, no item."""
    return {normal_form(label): name for label, name in _file()["annual_report"].items()}


def item_of(label: str, also: Mapping[str, str] | None = None) -> str | None:
    """The item that a label means; `also` are a system's own labels, by normal form. None: not an item."""
    form = normal_form(label)
    return (also or {}).get(form) or labels().get(form)


def item_named(name: str) -> str | None:
    """The item that a system's own word means: its name here, a label, or an element name of a taxonomy."""
    if name in ITEMS:
        return name
    return _elements().get(name.rpartition(":")[2]) or labels().get(normal_form(name))


@cache
def _elements() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for item in ITEMS.values():
        for element in (*item.ifrs, *item.us_gaap):
            found.setdefault(element, item.name)
    return found


def passed_over(label: str) -> bool:
    """Whether a line is known and not needed, or a heading, so that nobody is asked about it."""
    form = normal_form(label)
    return not form or form in unused()
