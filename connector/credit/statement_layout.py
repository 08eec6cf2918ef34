"""Where on a sheet the labels and the two columns of amounts stand: header rows, and the blocks side by side in them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
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
_YEAR_ALONE = re.compile(r"(?:fy)?((?:19|20)\d\d)(?:年度?)?(?:\(?(?:as)?restated\)?|\(重述\)|\(经重述\))?")


@dataclass(frozen=True, slots=True)
class Block:
    """One label column with its amounts. `cumulative`: since the beginning of the year. `twice`: there is another pair of
    such columns beside it (group and company), so that it is not clear which one is meant."""

    label: int
    value: int
    prior: int | None = None
    cumulative: bool = False
    twice: bool = False
    period: Period | None = None
    prior_end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class _Head:
    """What one cell of a header row is."""

    column: int
    what: str  # label, skip, cumulative, current, prior_year, prior, dated, other
    period: Period | None = None
    year: int = 0


def blocks_of(row: Sequence[Cell], known: Sequence[Block] = ()) -> list[Block]:
    """The blocks of a header row, left to right; none where the row is no header.

    `known` are the blocks so far: a row of bare years in the middle of figures is a header only if it repeats theirs.
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
        block = _block(start, [h for h in heads if start < h.column < end])
        if block is not None:
            found.append(block)
    return found


def _block(start: int, heads: Sequence[_Head]) -> Block | None:
    def of(*what: str) -> list[_Head]:
        return [h for h in heads if h.what in what]

    cumulative, current, dated = of("cumulative"), of("current"), of("dated")
    if cumulative:
        prior = of("prior_year")
        return Block(start, cumulative[0].column, prior[0].column if prior else None, cumulative=True)
    if current:
        # 上年年末余额 and 上期金额 before 上年数, where both are printed.
        prior = of("prior") or of("prior_year")
        return Block(start, current[0].column, prior[0].column if prior else None, twice=len(current) > 1)
    if not dated:
        return None
    years = sorted({_when(h) for h in dated}, reverse=True)
    newest = [h for h in dated if _when(h) == years[0]]
    before = [h for h in dated if len(years) > 1 and _when(h) == years[1]]
    past = before[0] if before else None
    return Block(
        start,
        newest[0].column,
        past.column if past else None,
        twice=len(newest) > 1,
        period=newest[0].period,
        prior_end=past.period.end if past is not None and past.period is not None else None,
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
    text = _MONEY_MARK.sub("", tight(cell))
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
