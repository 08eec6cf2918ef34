"""Identity: whether two records speak of the same legal person, by tax id or by name.

The unified social credit code (统一社会信用代码, GB 32100-2015): 18 characters, the last one a check character over the
others with weights 3^i mod 31.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {c: i for i, c in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))


def normal_tax_id(text: str | None) -> str | None:
    """A tax id without width, case, spaces and punctuation. None where nothing is left."""
    if not text:
        return None
    plain = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    return plain or None


def looks_chinese(tax_id: str) -> bool:
    """Whether a normalised tax id has the outward form of a unified social credit code."""
    return len(tax_id) == 18 and tax_id[0] in "0123456789ANY" and tax_id[2:8].isdigit()


def is_credit_code(tax_id: str) -> bool:
    """Whether a normalised tax id is a valid unified social credit code: form and check character."""
    if len(tax_id) != 18 or any(c not in _VALUE for c in tax_id):
        return False
    total = sum(_VALUE[c] * w for c, w in zip(tax_id[:17], _WEIGHTS, strict=True))
    return _VALUE[tax_id[17]] == (31 - total % 31) % 31


def usable_tax_id(text: str | None) -> str | None:
    """A normalised tax id by which customers may be matched; None for one that is invalid, too short or a filler.

    One that looks like a unified social credit code must have the right check character.
    """
    plain = normal_tax_id(text)
    if plain is None or len(plain) < 7 or len(set(plain)) < 3:
        return None
    if looks_chinese(plain) and not is_credit_code(plain):
        return None
    return plain


# Spellings of one legal form that are the same form; different forms (Ltd, GmbH) stay different.
_FORMS = {"limited": "ltd", "company": "co", "incorporated": "inc", "corporation": "corp", "and": "&"}


def normal_name(text: str) -> str:
    """A name for exact comparison: width, case, spaces and punctuation removed, spellings of a legal form made one.

    `Acme Company Limited` = `ACME Co., Ltd.`; `华远（上海）有限责任公司` = `华远(上海)有限公司`.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("有限责任公司", "有限公司")
    words = re.findall(r"[^\W_]+|&", plain.replace("'", ""))
    return "".join(_FORMS.get(w, w) for w in words)


# What a person may leave out of a name; only for finding names that are alike, never for taking them as equal.
_ENDINGS = re.compile(r"(股份有限公司|有限公司|集团|公司|coltd|ltd|llc|inc|corp|gmbh|plc|bv|nv|ag|sa|kk|srl|pte)+$")


def bare_name(text: str) -> str:
    """A normalised name without its legal form, for the search of names that are alike."""
    name = normal_name(text)
    return _ENDINGS.sub("", name) or name


def _pairs(name: str) -> Counter[str]:
    return Counter(name[i : i + 2] for i in range(len(name) - 1)) or Counter([name])


def likeness(one: str, other: str) -> Decimal:
    """How alike two normalised names are, 0 to 1: twice the shared letter pairs over all letter pairs (Dice)."""
    a, b = _pairs(one), _pairs(other)
    return round(Decimal(2 * sum((a & b).values())) / (sum(a.values()) + sum(b.values())), 3)


def near_names(
    wanted: Mapping[int, str], among: Mapping[int, str], least: Decimal = Decimal("0.8")
) -> Iterator[tuple[int, int, Decimal]]:
    """For each wanted name its most alike among others: (key, key, likeness), where that is at least `least`.

    Both are normalised names by key. Only names that share one of the three rarest letter pairs are compared, so the
    cost does not grow with the product of both lists.
    """
    index: dict[str, list[int]] = defaultdict(list)
    for key, name in among.items():
        for pair in _pairs(name):
            index[pair].append(key)
    for key, name in wanted.items():
        rare = sorted((p for p in _pairs(name) if p in index), key=lambda p: len(index[p]))[:3]
        candidates = {k for p in rare for k in index[p][:500]}
        scored = sorted(((likeness(name, among[c]), c) for c in candidates), key=lambda s: (-s[0], s[1]))
        if scored and scored[0][0] >= least:
            yield key, scored[0][1], scored[0][0]
