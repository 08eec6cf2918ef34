"""Mailing: the mails that are owed are handed to the mail server, one after the other, and what became of each is kept.

Before a mail is handed over it is marked as being sent. Whatever then stops us (a crash, a silent server) leaves it so, and
after its time it counts as unknown: a person looks whether it arrived, and says `holdfast notice resend` or `drop`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from connector.clock import Clock
from connector.config import Config
from connector.connect import Connected
from connector.credit.authority import Person
from connector.errors import Missing, Problem
from connector.mail import Letter, Post, post
from connector.policy import Policy
from connector.store import audit, mails
from connector.store.audit import Entry
from connector.store.concerns import Concern
from connector.store.db import Store
from connector.store.mails import Mail
from connector.text import Text, same
from jobs.notices import tell
from jobs.requests import heed_requests
from jobs.run import Run, running

# A mail that the server puts off this often is a person's to look at.
_ATTEMPTS_MOST = 8
_SOON, _LATE = dt.timedelta(minutes=2), dt.timedelta(hours=2)
# A broken connection is mended so often in one run.
_CONNECTIONS_MOST = 3

Opened = Callable[[], AbstractContextManager[Post]]


def notify(
    store: Store, config: Config, policy: Policy, clock: Clock, *, systems: Sequence[Connected] = ()
) -> list[Run]:
    """Heeds what people ask for in their systems, tells who is to be told, and sends what mail is due; the runs that did
    anything."""
    runs = [
        heed_requests(store, config, policy, clock, systems=systems),
        tell(store, config, policy, clock, systems=systems),
        deliver(store, config, clock),
    ]
    return [run for run in runs if run.id]


def deliver(store: Store, config: Config, clock: Clock) -> Run:
    """Sends all mails that are due. Never raises our own errors; where nothing is due no run is kept."""
    with store.reading() as tx:
        if not config.mail.on or not mails.waits(tx, clock.now()):
            return Run("mail")
    with running(store, clock, "mail") as run:
        with store.writing(concern=Concern()) as tx:
            run.counts["unknown"] += mails.lost(tx, clock.now(), LOST)
        password = None
        if config.mail.password is not None:
            password = config.secret(config.mail.password, "mail")
        try:
            for _ in range(_CONNECTIONS_MOST):
                if _send_all(store, config, clock, run, lambda: post(config.mail, password)):
                    break
        finally:
            with store.reading() as tx:
                left = mails.listing(tx, states=("refused", "unknown"))
            for one in left:
                run.problem(_problem(one))
    return run


def _send_all(store: Store, config: Config, clock: Clock, run: Run, opened: Opened) -> bool:
    """Sends over one connection as long as it stands; says whether everything that is due was tried."""
    with opened() as server:
        while server.is_open:
            # Twice what all answers of one mail may take: nobody else takes a mail for lost that is under way.
            seconds = 10.0 * config.mail.timeout_seconds
            with store.writing(concern=Concern()) as tx:
                one = mails.claim(tx, clock.now(), seconds=seconds)
            if one is None:
                return True
            _send(store, clock, server, one, run)
    return False


def _send(store: Store, clock: Clock, server: Post, one: Mail, run: Run) -> None:
    letter = Letter(one.message_id, one.address, one.name, one.subject, one.text, one.html, one.language)
    found = server.send(letter, clock.now())
    now = clock.now()
    with store.writing(concern=Concern()) as tx:
        if found.state != "again":
            mails.settle(tx, one.id, found.state, now, found.why, found.code)
        elif one.attempts + 1 < _ATTEMPTS_MOST:
            wait = min(_LATE, _SOON * 2**one.attempts)
            mails.again(tx, one.id, now + wait, found.why)
        else:
            mails.settle(tx, one.id, "refused", now, found.why, found.code or "again")
    run.counts[found.state] += 1


def resend(store: Store, clock: Clock, number: int, person: Person, why: str = "") -> None:
    """A person has found that a mail did not arrive: it is sent again, under the same message id. Raises Missing."""
    with store.writing(concern=Concern()) as tx:
        if not mails.resend(tx, number):
            raise Missing(NO_MAIL.fill(number=number))
        audit.append(tx, [Entry("notice.resend", f"mail:{number}", person.actor, why)], clock.now())


def drop(store: Store, clock: Clock, number: int, person: Person, why: str = "") -> None:
    """A person gives a mail up, because it arrived or need not. Raises Missing."""
    with store.writing(concern=Concern()) as tx:
        if not mails.drop(tx, number, clock.now()):
            raise Missing(NO_MAIL.fill(number=number))
        audit.append(tx, [Entry("notice.drop", f"mail:{number}", person.actor, why)], clock.now())


def _problem(one: Mail) -> Problem:
    words = UNKNOWN if one.state == "unknown" else REFUSED
    what = words.fill(name=one.name, subject=one.subject, why=one.why or same(""))
    return Problem(f"mail_{one.state}", f"mail/{one.id}", what, FIX.fill(id=one.id))


LOST = Text(
    "The process that sent it ended before the mail server's answer was kept.",
    "发送进程在记录邮件服务器答复之前已中断。",
)
UNKNOWN = Text(
    "Nobody knows whether the mail “{subject}” reached {name}. {why}", "无法确定邮件“{subject}”是否已送达 {name}。{why}"
)
REFUSED = Text("The mail “{subject}” does not reach {name}. {why}", "邮件“{subject}”无法送达 {name}。{why}")
FIX = Text(
    "Find out, mend what is wrong, then `holdfast notice resend {id}`, or `holdfast notice drop {id}`.",
    "请核实并处理后执行 `holdfast notice resend {id}`，或 `holdfast notice drop {id}`。",
)
NO_MAIL = Text(
    "There is no mail {number} of which that can be said: holdfast notice list.",
    "没有可执行该操作的邮件 {number}：holdfast notice list。",
)

__all__ = ["deliver", "drop", "notify", "resend"]
