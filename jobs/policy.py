"""The policy that is in force: the copy in the database, else the file named in config.toml, else the shipped one.

It is read at the beginning of every run, so that every node follows an activation without a restart. A version is never
changed; going back is putting an older one in force. Both are told in the audit trail.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import NamedTuple

from connector import policy as policies
from connector.config import Config
from connector.errors import ConfigError
from connector.policy import Policy
from connector.policy_shown import changes
from connector.store import Connection, audit, documents
from connector.store.documents import Version
from connector.text import Text, joined
from jobs.score import Cards

SUBJECT = "policy:policy"
_MOST_TOLD = 50


class Chosen(NamedTuple):
    """The text of a policy: `name` stands in messages, `origin` says where it comes from, `version` its number where it
    is kept in the database."""

    text: str
    name: str
    origin: Text
    version: int | None = None

    def loaded(self) -> Policy:
        """The policy. Raises ConfigError that lists every problem."""
        return _loaded(self.text, self.name)


@lru_cache(maxsize=8)
def _loaded(text: str, name: str) -> Policy:
    policy, problems = policies.read(text, name)
    if policy is None:
        head = Text("The policy has mistakes.", "信用政策有错误。")
        raise ConfigError(joined([head, *map(policies.line, problems)], "\n", "\n"))
    return policy


def chosen(tx: Connection | None, config: Config) -> Chosen:
    """The text of the policy in force; without a transaction the database is not looked into.

    ConfigError where the file cannot be read.
    """
    copy = documents.active(tx, documents.POLICY, documents.THE_POLICY) if tx is not None else None
    if copy is not None:
        return kept(copy)
    if config.policy:
        path = config.path(config.policy)
        origin = Text("the file {path} named in config.toml", "config.toml 指定的文件 {path}").fill(path=config.policy)
        return Chosen(policies.file_text(path), path.name, origin)
    return shipped()


def kept(version: Version) -> Chosen:
    """A version of the database."""
    origin = Text("version {number} in the database, of {author}, {day}", "数据库中的版本 {number}（{author}，{day}）")
    day = f"{version.made_at:%Y-%m-%d %H:%M}Z"
    filled = origin.fill(number=version.number, author=version.author, day=day)
    return Chosen(version.text, f"policy@{version.number}", filled, version.number)


def shipped() -> Chosen:
    """The policy that is shipped."""
    return Chosen(policies.default_text(), "default_policy.toml", Text("the shipped policy", "随产品提供的信用政策"))


def in_force(tx: Connection | None, config: Config) -> Policy:
    """The policy by which everything is judged. ConfigError lists all that is wrong with it."""
    return chosen(tx, config).loaded()


def activate(
    tx: Connection, config: Config, new: Chosen | None, *, actor: str, now: dt.datetime, note: str = ""
) -> Version | None:
    """Puts a policy in force from the next run on, kept as a version where it is not one yet, and tells the audit trail.

    None: the file named in config.toml, or the shipped policy, is used again. ConfigError, and nothing happens, where it
    has mistakes.
    """
    before = chosen(tx, config)
    after = new or chosen(None, config)
    policy = after.loaded()
    Cards(config, policy).files()  # a scorecard that cannot be read would stop the night
    made: Version | None = None
    if new is not None:
        number = new.version
        if number is None:
            saved = documents.save(
                tx, documents.POLICY, documents.THE_POLICY, new.text, author=actor, now=now, note=note
            )
            number = saved.number
        made = documents.activate(tx, documents.POLICY, documents.THE_POLICY, number, author=actor, now=now, note=note)
    else:
        documents.activate(tx, documents.POLICY, documents.THE_POLICY, None, author=actor, now=now, note=note)
    if before.version == (made.number if made else None):
        return made  # in force already
    told = changes(_or_shipped(before), policy)
    entry = audit.Entry(
        "policy.activate",
        SUBJECT,
        f"person:{actor}",
        note,
        {"version": before.version, "origin": before.origin.en},
        {
            "version": made.number if made else None,
            "origin": after.origin.en,
            "changes": [list(change) for change in told[:_MOST_TOLD]],
            "changed": len(told),
        },
    )
    audit.append(tx, [entry], now)
    return made


def _or_shipped(before: Chosen) -> Policy:
    """What was in force; an older program may have taken what this one no longer understands."""
    try:
        return before.loaded()
    except ConfigError:
        return policies.default_policy()
