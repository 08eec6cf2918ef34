"""Where on a sheet the labels and the two columns of amounts stand: header rows, and the blocks side by side in them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connector.credit.statement_header import plain, tight
from connector.credit.statement_period import Period, period_of
from connector.credit.statement_sheet import Cell

_CUMULATIVE = re.compile(r"(?:本年|本期)?累计(?:金额|数|发生额)?")
_CURRENT = re.compile(
    r"期末(?:账面)?(?:余额|数|金额|价值)?|年末(?:余额|数|金额)?|本(?:期|年)(?:金额|数|发生额|度)?|本年度(?:金额|数)?|currentyear|currentperiod"
)
_PRIOR_YEAR = re.compile(
    r"上年(?:度)?(?:同期)?(?:累计)?(?:金额|数|发生额)?|去年同期(?:累计)?(?:金额|数)?|prioryear|previousyear"
)
_PRIOR = re.compile(
    r"上年年?末(?:余额|数|金额)?|年初(?:余额|数|金额)?|期初(?:余额|数|金额)?|上期(?:末|期末)?(?:金额|数|余额|发生额)?|priorperiod"
)
_SKIP = re.compile(
    r"行次|行号|序号|附注(?:编号)?|注释(?:号)?|注|notes?|本月(?:金额|数|发生额)?|line|ref\.?|增减.*|变动.*|同比.*"
)
_LABEL = re.compile(
    r"(?:报表)?项目(?:名称)?|(?:会计)?科目(?:名称)?|指标(?:名称)?|资产(?:类)?|负债(?:类)?|(?:负债)?(?:和|及|与)?(?:所有者|股东)权益(?:\(或?(?:股东|所有者)权益\))?"
    r"|补充资料|items?|assets|liabilities|company"
)
_MONEY_MARK = re.compile(r"[\s(]*(?:人民币)?(?:百万|亿|万|千)?元\)?$|\((?:人民币)?(?:百万|亿|万|千)?元\)|人民币$")
_MARK_ALONE = re.compile(r"(?:rmb|cny|us\$|usd|hk\$|hkd|gbp|eur|[£$€¥])\s?(?:'?000|mn?|million|thousand)?")
_SCOPE_WORD = re.compile(r"合并|母公司|本公司|consolidated|group|company|parent")
_SCOPES = {
    "合并": True, "consolidated": True, "group": True, "母公司": False, "本公司": False, "company": False, "parent": False,
}  # fmt: skip
_YEAR_ALONE = re.compile(r"(?:fy)?((?:19|20)\d\d)(?:年度?)?(?:\(?(?:as)?restated\)?|\(重述\)|\(经重述\))?")


@dataclass(frozen=True, slots=True)
class Block:
    """One label column with its amounts.

    `values` and `priors` are columns of the same period: UK balance sheets print parts in one and sums in the next.
    `cumulative`: since the beginning of the year. `scopes`: the columns of the group and of the parent stand side by
    side, so that somebody has to say which are meant. `consolidated` is the scope of the columns that were taken.
    """

    label: int
    values: tuple[int, ...]
    priors: tuple[int, ...] = ()
    cumulative: bool = False
    scopes: bool = False
    consolidated: bool | None = None
    period: Period | None = None
    prior_end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class _Head:
    """What one cell of a header row is."""

    column: int
    what: str  # label, skip, cumulative, current, prior_year, prior, dated, other
    period: Period | None = None
    year: int = 0


def blocks_of(
    row: Sequence[Cell], known: Sequence[Block] = (), above: Sequence[Cell] = (), wanted: bool | None = None
) -> list[Block]:
    """The blocks of a header row, left to right; none where the row is no header.

    `known` are the blocks so far: a row of bare years in the middle of figures is a header only if it repeats theirs.
    `above` is the row before, which may say 合并 and 母公司 over pairs of columns; `wanted` is which of them to take.
    """
    heads = [_head(column, cell) for column, cell in enumerate(row) if _filled(cell)]
    values = [h for h in heads if h.what in ("cumulative", "current", "dated")]
    if not values:
        return []
    if not any(h.what in ("cumulative", "current") for h in values) and not _is_dated(heads, known):
        return []
    starts = [h.column for h in heads if h.what == "label"]
    if not starts or starts[0] > values[0].column:
        starts.insert(0, 0)
    found = []
    for at, start in enumerate(starts):
        end = starts[at + 1] if at + 1 < len(starts) else len(row)
        scopes = {h.column: _scope(h.column, row, above, start) for h in heads if start < h.column < end}
        sides = {scope for scope in scopes.values() if scope is not None}
        taken = (wanted if wanted is not None else True) if len(sides) == 2 else None
        mine = [h for h in heads if start < h.column < end and (taken is None or scopes[h.column] == taken)]
        block = _block(start, mine)
        if block is not None:
            found.append(replace(block, scopes=taken is not None and wanted is None, consolidated=taken))
    return found


def under(blocks: Sequence[Block], row: Sequence[Cell], wanted: bool | None) -> list[Block]:
    """The blocks of a header whose next row says 合并 and 母公司 under each of its headings; none where it does not."""
    scopes = {column: _SCOPES.get(tight(cell)) for column, cell in enumerate(row) if _filled(cell)}
    if set(scopes.values()) != {True, False}:
        return []
    taken = True if wanted is None else wanted
    found = []
    for block in blocks:
        heads = sorted((*block.values, *block.priors))
        ends = dict(zip(heads, [*heads[1:], len(row)], strict=True))

        def mine(columns: Sequence[int], ends: dict[int, int] = ends) -> tuple[int, ...]:
            return tuple(next((c for c in range(h, ends[h]) if scopes.get(c) == taken), h) for h in columns)

        found.append(
            replace(
                block, values=mine(block.values), priors=mine(block.priors), scopes=wanted is None, consolidated=taken
            )
        )
    return found


def _scope(column: int, row: Sequence[Cell], above: Sequence[Cell], start: int) -> bool | None:
    """Whether a column is the group's or the parent's: by its own heading, else by the nearest words above to the left."""
    own = _SCOPES.get(_scope_word(row[column]))
    if own is not None:
        return own
    for at in range(min(column, len(above) - 1), start, -1):
        if _filled(above[at]):
            return _SCOPES.get(_scope_word(above[at]))
    return None


def _scope_word(cell: Cell) -> str:
    found = _SCOPE_WORD.search(tight(cell))
    return found[0] if found is not None else ""


def _block(start: int, heads: Sequence[_Head]) -> Block | None:
    def of(*what: str) -> tuple[int, ...]:
        return tuple(h.column for h in heads if h.what in what)

    if cumulative := of("cumulative"):
        return Block(start, cumulative, of("prior_year"), cumulative=True)
    if current := of("current"):
        # 上年年末余额 and 上期金额 before 上年数, where both are printed.
        return Block(start, current, of("prior") or of("prior_year"))
    dated = [h for h in heads if h.what == "dated"]
    if not dated:
        return None
    ends = sorted({_when(h) for h in dated}, reverse=True)
    newest = [h for h in dated if _when(h) == ends[0]]
    past = [h for h in dated if len(ends) > 1 and _when(h) == ends[1]]
    return Block(
        start,
        tuple(h.column for h in newest),
        tuple(h.column for h in past),
        period=newest[0].period,
        prior_end=past[0].period.end if past and past[0].period is not None else None,
    )


def _when(head: _Head) -> dt.date:
    return head.period.end if head.period is not None else dt.date(head.year, 12, 31)


def _is_dated(heads: Sequence[_Head], known: Sequence[Block]) -> bool:
    """Whether dates in a row head columns: not the date beside 编制单位, not a row of figures that look like years."""
    dated = [h for h in heads if h.what == "dated"]
    others = [h for h in heads if h.what == "other"]
    if dated[0].column == 0 or any(h.column > dated[0].column or h.column > 0 for h in others):
        return False
    if all(h.period is None for h in dated):
        if known:
            return not others and {h.year for h in dated} <= {
                day.year for b in known for day in (b.period.end if b.period else None, b.prior_end) if day is not None
            }
        if len({h.year for h in dated}) == 1 and others:
            return False
    return len(dated) > 1 or not others


def _head(column: int, cell: Cell) -> _Head:
    if isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
        year = int(cell) if cell == int(cell) else 0
        return _Head(column, "dated", None, year) if 1990 <= year <= 2100 else _Head(column, "other")
    period = period_of(cell)
    if not isinstance(cell, str):
        return _Head(column, "dated", period) if period is not None else _Head(column, "other")
    text = _SCOPE_WORD.sub("", _MONEY_MARK.sub("", tight(cell))).replace("()", "")
    if not text or _MARK_ALONE.fullmatch(plain(cell)):
        return _Head(column, "skip")
    for what, pattern in _WHAT:
        if pattern.fullmatch(text):
            return _Head(column, what)
    year_alone = _YEAR_ALONE.fullmatch(text)
    if year_alone is not None:
        return _Head(column, "dated", period, int(year_alone[1]))
    if period is None:
        return _Head(column, "other")
    # 期末余额 2025年12月31日: the words decide. A sentence that holds a date is no heading.
    words = re.sub(r"[\d年月日/.\-()]|度$", "", text)
    for what, pattern in _WHAT:
        if words and pattern.fullmatch(words):
            return _Head(column, what, period)
    return (
        _Head(column, "dated", period)
        if len(text) <= 40 and not re.search(r"单位|期间|所属", text)
        else _Head(column, "other")
    )


_WHAT = (
    ("label", _LABEL),
    ("skip", _SKIP),
    ("cumulative", _CUMULATIVE),
    ("prior_year", _PRIOR_YEAR),
    ("prior", _PRIOR),
    ("current", _CURRENT),
)


def _filled(cell: Cell) -> bool:
    return cell is not None and not (isinstance(cell, str) and not cell.strip())
