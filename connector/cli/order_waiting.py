"""How finance's list of waiting orders is shown: what was asked for first, with what would let each go and who may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.cli.common import Cli
from connector.cli.order_shown import state_of
from connector.cli.output import Column, Table
from connector.text import Text, joined, same

if TYPE_CHECKING:
    from connector.credit.authority import Person


def waiting_shown(cli: Cli, person: Person | None) -> tuple[Table, dict[str, Any]]:
    """The list, and the same for programs. `person`: who looks; only what he may decide on is marked as his."""
    from jobs.waiting import answer_of, found

    with cli.store.reading() as tx:
        rows, count, base = found(tx, cli.config, cli.policy, cli.clock, person)
    table = Table(
        Text("Orders that wait on {day}", "{day} 待处理订单").fill(day=base.as_of),
        [
            Column("order", Text("order", "订单"), style="bold"),
            Column("name", Text("name", "名称"), spare=1),
            Column("value", Text("value", "金额"), right=True),
            Column("ship_on", Text("ships", "发货日"), spare=3),
            Column("days", Text("days", "天数"), right=True, spare=2),
            Column("state", Text("state", "状态")),
            Column("why", Text("why", "原因")),
            Column("ways", Text("what would release it", "解除措施"), spare=4),
            Column("who", Text("who may", "可放行人员")),
        ],
        [
            {
                "order": one.row.number or one.row.ref,
                "name": one.judged.members[0].name,
                "value": one.value,
                "ship_on": one.row.ship_on.isoformat() if one.row.ship_on else None,
                "days": one.days,
                "state": state_of(one.standing),
                "why": joined([reason.text for reason in one.decision.reasons]),
                "ways": joined([way.text for way in one.ways[:1]]) if one.ways else None,
                "who": joined([same(p.name or p.id) for p in one.people], ", ", "、") if one.people else NOBODY,
            }
            for one in rows
        ],
    )
    if not rows:
        table.notes.append(Text("Nothing waits.", "没有待处理的订单。"))
    if count > len(rows):
        table.notes.append(Text("{count} wait in all.", "共 {count} 张待处理。").fill(count=f"{count:,}"))
    return table, answer_of(rows, count, base, cli.config)


NOBODY = Text("nobody", "无")
