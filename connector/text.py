"""Text for people, in English and Chinese side by side, and the choice between the two.

A `Text` is written once, where the thing it speaks of lives; whoever shows it picks the language at the last moment.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """One sentence in both languages; `{name}` marks what `fill` puts in, `{days:day|days}` a number with its word."""

    en: str
    zh: str

    def fill(self, **values: object) -> Text:
        """The sentence with its values in place; a nested `Text` is taken in the same language."""

        if "|" in self.en:
            values = {k: Counted(v) if isinstance(v, int | str) else v for k, v in values.items()}

        def pick(language: Language) -> dict[str, object]:
            return {k: v.say(language) if isinstance(v, Text) else v for k, v in values.items()}

        return Text(self.en.format(**pick("en")), self.zh.format(**pick("zh")))

    def say(self, language: Language) -> str:
        """The sentence in one language."""
        return self.zh if language == "zh" else self.en

    def __str__(self) -> str:
        return self.en

    def __eq__(self, other: object) -> bool:
        return (self.en, self.zh) == (other.en, other.zh) if isinstance(other, Text) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.en, self.zh))


class Counted:
    """A number of a sentence that says the word for one thing or for several behind it."""

    __slots__ = ("value",)

    def __init__(self, value: int | str) -> None:
        self.value = value

    def __format__(self, words: str) -> str:
        one, several, more = words.partition("|")
        return f"{self.value} {one if str(self.value) == '1' else more}" if several else format(self.value, words)


class Later(Text):
    """A sentence that is made when somebody reads it: of a hundred thousand conclusions, few are ever shown."""

    __slots__ = ("_made", "_make")
    _make: Callable[[], Text]
    _made: Text | None

    def __init__(self, make: Callable[[], Text]) -> None:
        object.__setattr__(self, "_make", make)
        object.__setattr__(self, "_made", None)

    def _read(self) -> Text:
        made = self._made
        if made is None:
            made = self._make()
            object.__setattr__(self, "_made", made)
        return made

    @property
    def en(self) -> str:
        return self._read().en

    @property
    def zh(self) -> str:
        return self._read().zh


def same(words: str) -> Text:
    """A text that is the same in every language: a name, a number, a vendor's own words."""
    return Text(words, words)


def joined(parts: list[Text], en: str = "; ", zh: str = "；") -> Text:
    """Several texts as one, with each language's own separator."""
    return Text(en.join(p.en for p in parts), zh.join(p.zh for p in parts))


def language_of(name: str | None) -> Language:
    """`zh`, `zh_CN.UTF-8`, `zh-Hans` → zh; everything else → en."""
    return "zh" if (name or "").lower().startswith(("zh", "chinese")) else "en"


def language_here() -> Language:
    """The language of this machine's user, by the usual variables."""
    for variable in ("HOLDFAST_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(variable):
            return language_of(os.environ[variable])
    return language_of(locale.getlocale()[0])
