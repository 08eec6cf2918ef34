"""Actors: who did something, for people: a person by name, a job by what it does, a system as it is called."""

from __future__ import annotations

from connector.config import Config
from connector.text import Text, same

JOBS: dict[str, Text] = {
    "pull": Text("reading", "读取"),
    "link": Text("linking", "关联"),
    "limit": Text("limit proposals", "额度建议"),
    "dun": Text("collection", "催收"),
    "review": Text("reviews", "复评"),
    "evaluate": Text("evaluation", "评估"),
    "requests": Text("requests from systems", "系统中的放行申请"),
    "order": Text("order check", "订单检查"),
    "score": Text("score", "评分"),
    "push": Text("writing", "写出"),
    "hooks": Text("webhooks", "Webhook"),
}
_BY_ITSELF = Text("automatic ({job})", "自动（{job}）")
_LEDGER = Text("ledger", "账簿")


def who(config: Config, actor: str) -> Text:
    """The actor of an audit entry or a history line ("person:li.wei", "job:evaluate", "system:books") in words."""
    kind, colon, rest = actor.partition(":")
    if not colon:
        return _LEDGER if actor == "ledger" else same(actor)
    if kind == "job":
        return _BY_ITSELF.fill(job=JOBS.get(rest, same(rest)))
    if kind == "person":
        return same(next((person.name for person in config.people if person.id == rest and person.name), rest))
    return same(rest)


def author_of(config: Config, author: str) -> Text:
    """Who wrote a version of a document: kept is his id alone, or an actor as the trail names him."""
    return who(config, author if ":" in author else f"person:{author}")
