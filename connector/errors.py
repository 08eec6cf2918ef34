"""Errors named by what to do next, and problems: values that say where, what, and how to mend it.

    HoldfastError
    ├── ConfigError      a person must act: settings, secrets, rights, a field that is missing
    │   ├── Missing          what was asked for is not there
    │   └── NotAllowed       this person may not do it
    ├── TransientError   try again, not before `retry_after` seconds
    ├── RejectedError    this one record or write is refused; the others go on
    └── ProtocolError    the system does not do what its vendor documents; keep the cursor, tell us

Each carries two texts: one for the user, one for the log. Secrets appear in neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.text import Text, same


class HoldfastError(Exception):
    """Anything Holdfast raises on purpose; `user` is shown to people, `log` goes to the log."""

    def __init__(self, user: Text | str, log: str = "") -> None:
        self.user = user if isinstance(user, Text) else same(user)
        self.log = log or self.user.en
        super().__init__(self.user.en)


class ConfigError(HoldfastError):
    """A person must act before trying again makes sense."""


class Missing(ConfigError):
    """There is no such customer, order, limit …; the message names the nearest right ones where there are any."""


class NotAllowed(ConfigError):
    """The person has not the right or the authority; the message says who has."""


class TransientError(HoldfastError):
    """The same call may well succeed later; not before `retry_after` seconds, where the system said so."""

    def __init__(self, user: Text | str, log: str = "", retry_after: float | None = None) -> None:
        super().__init__(user, log)
        self.retry_after = retry_after


class BadSetting(ValueError):
    """A setting that will not do, raised by its model's validators: `why` in both languages, without its end."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class RejectedError(HoldfastError):
    """The system understood and refuses this one record; repeating it unchanged is useless."""

    def __init__(self, user: Text | str, log: str = "", code: str = "") -> None:
        super().__init__(user, log)
        self.code = code


class ProtocolError(HoldfastError):
    """An answer that the vendor does not document: a cut-off body, HTML with 200, a missing member."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the data or the settings, and what mends it. A value, not an exception.

    `code` is stable and short (`no_due_date`); `where` names file and line, or system, stream and record.
    """

    code: str
    where: str
    what: Text
    fix: Text
    field: str = ""

    def __str__(self) -> str:
        return f"{self.where}{f' [{self.field}]' if self.field else ''}: {self.what.en} {self.fix.en}"
