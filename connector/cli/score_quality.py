"""`holdfast score --quality`: how well the scorecard parts bad from good on the company's own past."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from connector.cli.common import Cli
from connector.cli.output import Column, Table
from connector.text import Text

if TYPE_CHECKING:
    from jobs.score_quality import Quality


def ask(cli: Cli, until: dt.date | None, months: int, bad_days: int) -> Quality:
    """The scorecard's quality over so many months up to a day (None: today)."""
    from connector.clock import day_in
    from jobs.frame import frame
    from jobs.score_quality import quality, usual_days

    last = until or day_in(cli.clock.now(), cli.config.business.time_zone)
    first, last = usual_days(last, months)
    with cli.store.reading() as tx:
        before, after = (frame(tx, cli.config, cli.policy, cli.clock, day) for day in (first, last))
        return quality(tx, before, after, bad_days)


def answer(found: Quality) -> dict[str, Any]:
    """What programs read."""
    return {
        "scored_on": found.scored_on.isoformat(),
        "until": found.until.isoformat(),
        "bad_days": found.bad_days,
        "bands": [
            {
                "grade": b.grade,
                "customers": b.customers,
                "bad": b.bad,
                "bad_share": _four(b.share),
                "woe": _four(b.woe),
            }
            for b in found.bands
        ],
        "auc": _four(found.auc),
        "gini": _four(found.gini),
        "ks": _four(found.ks),
        "psi": _four(found.psi),
        "iv": _four(found.iv),
        "unknown": found.unknown,
    }


def table(found: Quality) -> Table:
    """What people read: the grades with what became of them, and the figures with what they mean."""
    made = Table(
        Text("The scores of {first}, by what came until {last}", "{first} 的评分，以截至 {last} 的实际结果检验").fill(
            first=found.scored_on, last=found.until
        ),
        [
            Column("grade", Text("grade", "等级"), style="bold"),
            Column("customers", Text("customers", "客户数"), right=True),
            Column("bad", Text("turned bad", "变差"), right=True),
            Column("share", Text("share", "占比"), right=True, percent=True),
            Column("woe", Text("weight of evidence", "证据权重 WOE"), right=True),
        ],
        [
            {
                "grade": band.grade or Text("no score", "未评分"),
                "customers": band.customers,
                "bad": band.bad,
                "share": band.share,
                "woe": _four(band.woe),
            }
            for band in found.bands
        ],
    )
    made.notes += [
        Text(
            "Bad: paid at least {days} days late after {first}, or still open so long past due. Of {unknown} customers nothing is known afterwards.",
            "“变差”指 {first} 之后有发票逾期至少 {days} 天付款，或至今仍逾期达此天数。另有 {unknown} 个客户此后无记录。",
        ).fill(days=found.bad_days, first=found.scored_on, unknown=found.unknown)
    ]
    if found.auc is None:
        made.notes.append(
            Text(
                "All or none of them turned bad: there is nothing to tell apart.",
                "全部客户或没有客户变差：无从区分好坏。",
            )
        )
    else:
        made.notes.append(
            Text(
                "AUC {auc} (0.5 is chance, 1 perfect), Gini {gini}, KS {ks}",
                "AUC {auc}（0.5 为随机，1 为完美）、Gini {gini}、KS {ks}",
            ).fill(auc=_four(found.auc), gini=_four(found.gini), ks=_four(found.ks))
        )
    if found.iv is not None:
        made.notes.append(
            Text(
                "Information value of the grades {iv} (below 0.02 they tell nothing, above 0.3 much)",
                "等级的信息值 IV {iv}（低于 0.02 几乎无区分力，高于 0.3 区分力强）",
            ).fill(iv=_four(found.iv))
        )
    if found.psi is not None:
        made.notes.append(
            Text("PSI {psi} of the grades between the two days: {meaning}", "两日等级分布的 PSI {psi}：{meaning}").fill(
                psi=_four(found.psi), meaning=_stability(found.psi)
            )
        )
    return made


def _stability(psi: Decimal) -> Text:
    if psi < Decimal("0.1"):
        return Text("stable", "稳定")
    if psi <= Decimal("0.25"):
        return Text("worth a look", "需要关注")
    return Text("act: these are other customers than before", "须采取措施：客户结构已明显变化")


def _four(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.quantize(Decimal('0.0001'), ROUND_HALF_UP):f}"
