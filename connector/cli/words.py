"""Words that several commands share: who did something, and the rules of holds by name."""

from __future__ import annotations

from connector.cli.common import Cli, say, t
from connector.credit.hold_words import RULES as RULES
from connector.credit.hold_words import rule as rule
from connector.text import Text, same
from jobs.run_words import JOB_NAMES

_JOBS = {
    **JOB_NAMES,
    "limit": Text("limit proposals", "额度建议"),
    "order": Text("order check", "订单检查"),
    "score": Text("score", "评分"),
}


def who(cli: Cli, actor: str, *, ids: bool = False) -> str:
    """Who did something, for people: a person by name (`ids`: and id), a job by what it does, a system as it is called."""
    kind, colon, rest = actor.partition(":")
    if not colon:
        return t("ledger", "账簿") if actor == "ledger" else actor
    if kind == "job":
        done = say(_JOBS.get(rest, same(rest)))
        return t(f"automatic ({done})", f"自动（{done}）")
    if kind == "person":
        name = next((person.name for person in cli.config.people if person.id == rest), None)
        return f"{name} ({rest})" if name and ids else name or rest
    return rest
