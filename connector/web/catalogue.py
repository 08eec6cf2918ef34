"""Catalogues: the words of the pages in both languages; English stands in the templates, Chinese in `locale/zh_CN/*.po`.

Each family of pages has a file of its own. They are read once, by Babel, so that no compiled file is kept.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"
_FOLDERS = {"zh": "zh_CN"}


class Catalogue(NullTranslations):
    """The words of one language; what has no translation is shown as it stands in the template."""

    def __init__(self, words: dict[str, str]) -> None:
        super().__init__()
        self.words = words

    def gettext(self, message: str) -> str:
        return self.words.get(message) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        # Chinese has one form; English stands in the template in both.
        return self.words.get(msgid1) or (msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.words.get(f"{context}\x04{message}") or message


@cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of a language: en or zh."""
    words: dict[str, str] = {}
    folder = _FOLDERS.get(language)
    for file in sorted((FOLDER / folder).glob("*.po")) if folder else ():
        with file.open("rb") as opened:
            for message in read_po(opened, locale=folder, abort_invalid=True):
                if not message.id or message.fuzzy:
                    continue
                key, value = _first(message.id), _first(message.string)
                words[f"{message.context}\x04{key}" if message.context else key] = value
    return Catalogue(words)


def _first(forms: object) -> str:
    """The words, or the first of several plural forms."""
    if isinstance(forms, str):
        return forms
    return str(forms[0]) if isinstance(forms, list | tuple) and forms else ""
