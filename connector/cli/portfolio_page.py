"""The portfolio's pictures, and one page with all of them and all tables, that needs nothing but itself."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from connector import pictures
from connector.cli.common import language, say, t, tell
from connector.cli.output import Table, shown
from connector.cli.portfolio_figures import digits, money, percent
from connector.cli.report import LEVELS, bucket_name
from connector.errors import ConfigError
from connector.pictures import Picture, Series
from connector.policy import LEVELS as LEVEL_NAMES
from connector.text import Text
from jobs.portfolio_parts import bands, largest

if TYPE_CHECKING:
    from jobs.portfolio import Portfolio


def write(found: Portfolio, tables: Sequence[Table], folder: Path) -> None:
    """Writes every picture as SVG (and PNG where that can be made) and `portfolio.html` into a folder.

    ConfigError where that cannot be written, or the extra `charts` is not installed.
    """
    drawn = draw(found)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for picture in drawn:
            (folder / f"{picture.name}.svg").write_text(picture.svg, encoding="utf-8")
        _write_pngs(drawn, folder)
        (folder / "portfolio.html").write_text(page(found, drawn, tables), encoding="utf-8")
    except OSError as wrong:
        raise ConfigError(
            Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                path=folder, why=wrong.strerror or type(wrong).__name__
            )
        ) from None
    print(t(f"Written: {folder / 'portfolio.html'}", f"已写出：{folder / 'portfolio.html'}"), file=sys.stderr)


def _write_pngs(drawn: Sequence[Picture], folder: Path) -> None:
    if language() == "zh" and not pictures.chinese_font():
        tell("本机没有中文字体，未生成 PNG；SVG 与网页不受影响。")
        return
    for picture in drawn:
        made = pictures.as_png(picture)
        if made is None:
            tell(t("No PNG: it needs the extra charts.", "未生成 PNG：需要安装附加组件 charts。"))
            return
        (folder / f"{picture.name}.png").write_bytes(made)


# --- what is drawn ----------------------------------------------------------------------------------------------------
def draw(found: Portfolio) -> list[Picture]:
    """The pictures of the report, in the language of this call."""
    months = [_month(end.day) for end in found.ends]
    first, last = months[0], found.as_of.isoformat()
    now, figures = found.ends[-1], found.figures[-1]
    span = t(f"from {first} to {last}", f"{first} 至 {last}")
    made = [
        pictures.stacked(
            "ageing",
            t(f"Receivables by days past due, {found.currency}", f"应收账款逾期账龄（{found.currency}）"),
            t(
                f"One bar a month end {span}. On {last} {shown(money(found, now.receivables))} is owed, "
                f"{shown(money(found, now.overdue))} of it overdue.",
                f"每个月末一根柱，{span}。{last} 应收账款 {shown(money(found, now.receivables))}，"
                f"其中逾期 {shown(money(found, now.overdue))}。",
            ),
            months,
            [
                Series(say(bucket_name(name)), [money(found, end.buckets[at]) for end in found.ends])
                for at, name in enumerate(found.buckets)
            ],
        ),
        pictures.lines(
            "dso",
            t("Days sales outstanding", "应收账款周转天数（DSO）"),
            t(
                f"Lines {span}: simple, by count-back, and best possible DSO. On {last} count-back is "
                f"{digits(figures.count_back.days)} days.",
                f"{span}的三条曲线：简单法、倒推法与最佳 DSO。{last} 倒推法为 {digits(figures.count_back.days)} 天。",
            ),
            months,
            [
                Series(t("by count-back", "倒推法"), [digits(f.count_back.days) for f in found.figures]),
                Series(t("simple", "简单法"), [digits(f.dso) for f in found.figures]),
                Series(t("best possible", "最佳"), [digits(f.best_dso) for f in found.figures]),
            ],
            include_x_axis=True,
        ),
        pictures.lines(
            "overdue",
            t("Share of receivables overdue, %", "逾期率（%）"),
            t(
                f"Lines {span}: all that is overdue, and what is in the oldest bucket. On {last} "
                f"{percent(figures.overdue_share)} % is overdue.",
                f"{span}的两条曲线：全部逾期与最长账龄段占比。{last} 逾期率 {percent(figures.overdue_share)}%。",
            ),
            months,
            [
                Series(t("overdue", "逾期"), [percent(f.overdue_share) for f in found.figures]),
                Series(say(bucket_name(found.buckets[-1])), [percent(f.oldest_share) for f in found.figures]),
            ],
            include_x_axis=True,
        ),
        pictures.lines(
            "payment",
            t("Payment index (80 = on terms)", "付款指数（80 为按期付款）"),
            t(
                f"A line {span}: the payment index of the 24 months before. On {last} it is "
                f"{digits(figures.payment_index, 2)}.",
                f"{span}的曲线：此前 24 个月的付款指数。{last} 为 {digits(figures.payment_index, 2)}。",
            ),
            months,
            [Series(t("payment index", "付款指数"), [digits(f.payment_index, 2) for f in found.figures])],
        ),
        pictures.lines(
            "late",
            t("Days late of what was paid in the month", "当月付款的加权迟付天数"),
            t(
                f"Lines {span}, weighted by money: early payments as negative days, and as 0. On {last} it is "
                f"{digits(figures.late_signed, 2)} and {digits(figures.late_floored, 2)} days.",
                f"{span}的两条曲线（按金额加权）：提前付款计负数，以及计为 0。{last} 分别为 "
                f"{digits(figures.late_signed, 2)} 天和 {digits(figures.late_floored, 2)} 天。",
            ),
            months,
            [
                Series(t("early is negative", "提前计负数"), [digits(f.late_signed, 2) for f in found.figures]),
                Series(t("early as 0", "提前计 0"), [digits(f.late_floored, 2) for f in found.figures]),
            ],
            include_x_axis=True,
        ),
        pictures.stacked(
            "warnings",
            t("Customers above green by warning level", "各级预警客户数"),
            t(
                f"One bar a month end {span}. On {last} {now.levels['red']} are red, {now.levels['orange']} orange, "
                f"{now.levels['yellow']} yellow.",
                f"每个月末一根柱，{span}。{last} 红色 {now.levels['red']} 户、橙色 {now.levels['orange']} 户、"
                f"黄色 {now.levels['yellow']} 户。",
            ),
            months,
            [
                Series(say(LEVELS[level]), [end.levels[level] for end in found.ends])
                for level in reversed(LEVEL_NAMES[1:])
            ],
            pictures.LEVEL_COLOURS,
        ),
    ]
    big = largest(found)
    if big:
        made.append(
            pictures.bars(
                "largest",
                t(f"The largest debtors, {found.currency}", f"最大欠款客户（{found.currency}）"),
                t(
                    f"Bars for the {len(big)} customers who owe most on {last}, the largest on top.",
                    f"{last} 欠款最多的 {len(big)} 个客户，最大者在上。",
                ),
                [risk.first.name for risk, _ in big],
                [Series(t("receivables", "应收账款"), [money(found, owed) for _, owed in big])],
            )
        )
    used = [(title, count) for _, title, count, _ in bands(found) if count]
    if used:
        made.append(
            pictures.bars(
                "utilisation",
                t("Customers by use of their limit", "客户数按额度使用率分布"),
                t(f"Bars on {last}: number of customers by band.", f"{last} 各区间的客户数。"),
                [say(title) for title, _ in used],
                [Series(t("customers", "客户数"), [count for _, count in used])],
            )
        )
    return made


def _month(day: dt.date) -> str:
    """A month end by its month, any other day by itself."""
    whole = (day + dt.timedelta(days=1)).day == 1
    return f"{day:%Y-%m}" if whole else f"{day:%m-%d}"


# --- the page ---------------------------------------------------------------------------------------------------------
_STYLE = """
body{font-family:'Noto Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',system-ui,sans-serif;color:#222;
margin:0 auto;max-width:76rem;padding:1.5rem;line-height:1.45}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}
figure{margin:1rem 0}svg{width:100%;height:auto}figcaption{color:#555;font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;white-space:nowrap}
th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:left}th{border-bottom:2px solid #888}
.n{text-align:right;font-variant-numeric:tabular-nums}tfoot td{font-weight:600;border-top:2px solid #888}
.note{color:#555;font-size:.85rem}
@media print{h2{break-after:avoid}figure,table{break-inside:avoid}}
"""


def page(found: Portfolio, drawn: Sequence[Picture], tables: Sequence[Table]) -> str:
    """One page with pictures and tables: no script, nothing is loaded from anywhere."""
    title = t(f"Receivables portfolio, {found.as_of}", f"应收账款组合报告 {found.as_of}")
    parts = [
        "<!doctype html>",
        f'<html lang="{"zh-CN" if language() == "zh" else "en"}">',
        '<head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>",
        f"<body><main><h1>{escape(title)}</h1>",
    ]
    for picture in drawn:
        parts.append(f"<figure>{picture.svg}<figcaption>{escape(picture.about)}</figcaption></figure>")
    parts += [_table(table) for table in tables]
    parts.append("</main></body></html>\n")
    return "\n".join(parts)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col"{" class=n" if c.right else ""}>{escape(say(c.title))}</th>' for c in table.columns)

    def row(values: dict[str, object]) -> str:
        cells = (
            f"<td{' class=n' if c.right else ''}>{escape(shown(values.get(c.key), c))}</td>" for c in table.columns
        )
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(row(values) for values in table.rows)
    foot = "".join(row(values) for values in table.totals)
    notes = "".join(f'<p class="note">{escape(say(note))}</p>' for note in table.notes)
    return (
        f'<h2>{escape(say(table.title))}</h2><div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody>{f'<tfoot>{foot}</tfoot>' if foot else ''}</table></div>{notes}"
    )
