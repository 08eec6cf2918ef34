"""The policy that is in force: the copy in the database, else the file named in config.toml, else the shipped one.

It is read at the beginning of every run, so that every node follows an activation without a restart. A version is never
changed; going back is putting an older one in force. Both are told in the audit trail.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connector import policy as policies
from connector.config import Config
from connector.config_people import named
from connector.credit import authority
from connector.credit.authority import Person
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

    @property
    def sha(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

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
        return kept(copy, config)
    if config.policy:
        path = config.path(config.policy)
        origin = Text("the file {path} named in config.toml", "config.toml 指定的文件 {path}").fill(path=config.policy)
        return Chosen(policies.file_text(path), path.name, origin)
    return shipped()


def kept(version: Version, config: Config | None = None) -> Chosen:
    """A version of the database; with a configuration, its author by name and its moment in the business's time zone."""
    origin = Text("version {number} in the database, of {author}, {day}", "数据库中的版本 {number}（{author}，{day}）")
    author, day = version.author, f"{version.made_at:%Y-%m-%d %H:%M}Z"
    if config is not None:
        author = next((one.name for one in config.people if one.id == author and one.name), author)
        day = f"{version.made_at.astimezone(ZoneInfo(config.business.time_zone)):%Y-%m-%d %H:%M}"
    filled = origin.fill(number=version.number, author=author, day=day)
    return Chosen(version.text, f"policy@{version.number}", filled, version.number)


def shipped() -> Chosen:
    """The policy that is shipped."""
    return Chosen(policies.default_text(), "default_policy.toml", Text("the shipped policy", "随产品提供的信用政策"))


def in_force(tx: Connection | None, config: Config) -> Policy:
    """The policy by which everything is judged. ConfigError lists all that is wrong with it."""
    return chosen(tx, config).loaded()


class Activated(NamedTuple):
    """What became of an activation: the version (None: the file), or, where it is not in force yet, whom it still needs."""

    version: Version | None
    missing: Text | None = None


def activate(
    tx: Connection, config: Config, new: Chosen | None, *, person: Person, now: dt.datetime, note: str = ""
) -> Activated:
    """Puts a policy in force from the next run on, kept as a version where it is not one yet, and tells the audit trail.

    None: the file named in config.toml, or the shipped policy, is used again. Where the policy in force has rows of
    authority for policies, the person's approval is kept, and it is in force once these rows are satisfied: whoever kept
    a version does not approve it alone. ConfigError, and nothing happens, where it has mistakes or the person may not.
    """
    before = chosen(tx, config)
    after = new or chosen(None, config)
    policy = after.loaded()
    Cards(config, policy).files()  # a scorecard that cannot be read would stop the night
    if new is not None:
        made = _version(tx, new, person, now, note)
        after = kept(made, config)
    else:
        made = None
    if before.version == (made.number if made else None):
        return Activated(made)  # in force already
    old = _or_shipped(before)
    missing = _unapproved(tx, config, old, after, made, person)
    if missing is not None:
        entry = audit.Entry(
            "policy.approve", SUBJECT, person.actor, note, None, {"sha": after.sha, "version": after.version}
        )
        audit.append(tx, [entry], now)
        return Activated(made, missing)
    documents.activate(
        tx,
        documents.POLICY,
        documents.THE_POLICY,
        made.number if made else None,
        author=person.id,
        now=now,
        note=note,
    )
    told = changes(old, policy)
    entry = audit.Entry(
        "policy.activate",
        SUBJECT,
        person.actor,
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
    return Activated(made)


def save(tx: Connection, text: str, *, person: Person, now: dt.datetime, note: str = "") -> Version:
    """Keeps a policy as a new version and gives it; nothing is in force by that."""
    documents.lock(tx)
    before = documents.versions(tx, documents.POLICY, documents.THE_POLICY)
    made = documents.save(tx, documents.POLICY, documents.THE_POLICY, text, author=person.id, now=now, note=note)
    if not before or made.number != before[0].number:
        told = {"version": made.number, "sha": made.sha}
        audit.append(tx, [audit.Entry("policy.save", SUBJECT, person.actor, note, None, told)], now)
    return made


def _version(tx: Connection, new: Chosen, person: Person, now: dt.datetime, note: str) -> Version:
    if new.version is not None:
        return documents.version(tx, documents.POLICY, documents.THE_POLICY, new.version)
    return save(tx, new.text, person=person, now=now, note=note)


def _unapproved(
    tx: Connection, config: Config, old: Policy, after: Chosen, made: Version | None, person: Person
) -> Text | None:
    """Whom an activation still needs beside this person; None: nobody. ConfigError where the person may not approve it."""
    if person.alone or not old.approval.rows("policy"):
        return None
    author = Person(made.author).actor if made is not None else ""
    request = authority.Request("policy", None, requested_by=author)
    earlier = _approvals(tx, config, after.sha)
    refused = authority.may(old, person, request, earlier)
    need = authority.needed(old, request)
    # Whoever keeps a version asks for it; the approval is somebody else's.
    if refused is not None and (person.actor != author or need is None or made is None):
        raise ConfigError(refused)
    if authority.settled(old, request, [*earlier, person]):
        return None
    assert need is not None
    return need.text


def _approvals(tx: Connection, config: Config, sha: str) -> list[Person]:
    """Who has approved a text since a policy was last put in force."""
    found: list[Person] = []
    for line in audit.of(tx, SUBJECT):
        if line.entry.action == "policy.activate":
            break
        if line.entry.action == "policy.approve" and line.entry.after["sha"] == sha:
            person = named(config.people, line.entry.actor)
            if person is not None and person.id not in [one.id for one in found]:
                found.append(person)
    return found


def _or_shipped(before: Chosen) -> Policy:
    """What was in force; an older program may have taken what this one no longer understands."""
    try:
        return before.loaded()
    except ConfigError:
        return policies.default_policy()
