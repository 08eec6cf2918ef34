"""Text for people, in English and Chinese side by side, and the choice between the two.

A `Text` is written once, where the thing it speaks of lives; whoever shows it picks the language at the last moment.
"""

from __future__ import annotations

import locale
import os
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages; `{name}` marks what `fill` puts in."""

    en: str
    zh: str

    def fill(self, **values: object) -> Text:
        """The sentence with its values in place; a nested `Text` is taken in the same language."""

        def pick(language: Language) -> dict[str, object]:
            return {k: v.say(language) if isinstance(v, Text) else v for k, v in values.items()}

        return Text(self.en.format(**pick("en")), self.zh.format(**pick("zh")))

    def say(self, language: Language) -> str:
        """The sentence in one language."""
        return self.zh if language == "zh" else self.en

    def __str__(self) -> str:
        return self.en


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
