"""Answers about what goes on: jobs, problems of the data, the audit trail, and who calls."""

from __future__ import annotations

from typing import Any

from connector.web.answers import Answer, Words


class RunLine(Answer):
    """One run of a job."""

    number: int
    job: str
    system: str
    started_at: str
    finished_at: str | None
    state: str
    counts: dict[str, Any]


class RunList(Answer):
    """Runs, newest first."""

    runs: list[RunLine]


class ProblemLine(Answer):
    """Something that is wrong with the data, and what mends it."""

    code: str
    where: str
    field: str
    what: Words
    fix: Words
    first_seen: str
    last_seen: str


class ProblemList(Answer):
    """Problems that nobody has mended yet, newest first."""

    problems: list[ProblemLine]


class AuditLine(Answer):
    """One entry of the audit trail."""

    lane: str
    number: int
    at: str
    action: str
    subject: str
    actor: str
    why: str
    before: Any
    after: Any
    hash: str


class AuditPage(Answer):
    """Entries, newest first."""

    audit: list[AuditLine]


class AuditProof(Answer):
    """Whether the trail is what was appended; `heads` are to be kept elsewhere."""

    whole: bool
    entries: int
    heads: list[str]
    found: list[ProblemLine]


class Me(Answer):
    """Who calls, with which rights."""

    name: str
    actor: str
    roles: list[str]
    rights: list[str]
