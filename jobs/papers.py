"""Papers: what is put into the credit files of customers and taken from them, and what they lack for their limits.

Whoever puts a paper in and whoever takes an attachment out is in the audit trail, before it is given. An attachment is given
only where its hash still says that it is what was put in.
"""

from __future__ import annotations

import datetime as dt
import logging
import mimetypes
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connector.clock import Clock, day_in
from connector.config import Config
from connector.credit.review import PAPERS, Lacking, lacking
from connector.errors import ConfigError, HoldfastError, Missing, NotAllowed
from connector.policy import Policy
from connector.store import Connection, audit, decisions, marks, papers
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.store.papers import PaperRow
from connector.text import Text, same

log = logging.getLogger("holdfast.papers")

NAME_MOST = 150
_NOTE_MOST = 4000
_LINE_MOST = 300
# What no file name may have on one system or another.
_NOT_IN_NAMES = frozenset('<>:"/\\|?*')
_DEVICES = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A paper that somebody brings: a file (`content` under its `name`), a note, or both.

    `dated_on` None: today. `purpose`: it speaks of a person; what it is kept for, until `keep_until`.
    """

    kind: str
    dated_on: dt.date | None = None
    valid_to: dt.date | None = None
    source: str = ""
    note: str = ""
    name: str = ""
    content: bytes | None = None
    purpose: str | None = None
    keep_until: dt.date | None = None


class Unfit(HoldfastError):
    """Something of a paper cannot be: the sentence for each field of `Brought`."""

    def __init__(self, fields: Mapping[str, Text]) -> None:
        first = next(iter(fields.values()))
        super().__init__(first, first.en)
        self.fields = dict(fields)


def put(
    store: Store, config: Config, clock: Clock, row: CustomerRow, one: Brought, *, actor: str, name: str
) -> tuple[int, str | None]:
    """Puts a paper into a customer's file; gives its number and the SHA-256 of its attachment. `actor` is who brings it, as
    the trail names him, `name` as the file does.

    Raises Unfit where something of it cannot be.
    """
    now = clock.now()
    today = day_in(now, config.business.time_zone)
    wrong = _wrong(one, today)
    if wrong or row.debtor is None:
        raise Unfit(wrong or {"": _NOT_LINKED.fill(ref=row.ref)})
    attached = one.content is not None
    called = plain_name(one.name) if attached else ""
    sha, size = papers.keep_content(config.files, one.content) if one.content is not None else (None, None)
    kept = PaperRow(
        debtor=row.debtor,
        kind=one.kind,  # type: ignore[arg-type]
        dated_on=one.dated_on or today,
        valid_to=one.valid_to,
        source=one.source.strip() or actor,
        note=one.note.strip(),
        name=called or None,
        media_type=mimetypes.guess_type(called)[0] if called else None,
        size=size,
        sha=sha,
        personal=one.purpose is not None,
        purpose=one.purpose,
        keep_until=one.keep_until,
        added_by=name,
        added_at=now,
    )
    with store.writing() as tx:
        number = papers.add(tx, kept)
        after = {
            "paper": number,
            "kind": kept.kind,
            "sha256": sha,
            "dated_on": kept.dated_on,
            "valid_to": kept.valid_to,
        }
        marks.touch(tx, [row.key])  # what was missing from the file may have held orders
        audit.append(tx, [audit.Entry("paper.add", _subject(row), actor, kept.note, after=after)], now)
    return number, sha


def _wrong(one: Brought, today: dt.date) -> dict[str, Text]:
    wrong: dict[str, Text] = {}
    if one.kind not in PAPERS:
        wrong["kind"] = _KIND
    if one.content is None and not one.note.strip():
        wrong["note"] = _NOTHING
    if one.content is not None and not one.content:
        wrong["file"] = _EMPTY
    elif one.content is not None and len(one.content) > papers.MOST_BYTES:
        wrong["file"] = _TOO_LARGE.fill(most=papers.MOST_BYTES // 1024 // 1024)
    if one.dated_on is not None and one.dated_on > today:
        wrong["dated_on"] = _TO_COME
    if one.valid_to is not None and one.valid_to < (one.dated_on or today):
        wrong["valid_to"] = _BEFORE
    for field, text, most in (
        ("note", one.note, _NOTE_MOST),
        ("source", one.source, _LINE_MOST),
        ("purpose", one.purpose or "", _LINE_MOST),
    ):
        if len(text) > most:
            wrong[field] = _LONG.fill(most=most)
    if one.purpose is not None and not one.purpose.strip():
        wrong["purpose"] = _WHAT_FOR
    if one.purpose is not None and one.keep_until is None:
        wrong["keep_until"] = _HOW_LONG
    elif one.keep_until is not None and one.keep_until < today:
        wrong["keep_until"] = _OVER
    elif one.keep_until is not None and one.purpose is None:
        wrong["purpose"] = _WHAT_FOR
    return wrong


# --- taken out -------------------------------------------------------------------------------------------------------------
def paper_of(tx: Connection, row: CustomerRow, number: int) -> PaperRow:
    """A paper of a customer's own file that has an attachment. Raises Missing, also where it is another customer's."""
    found = papers.by_id(tx, number)
    if found is None or row.debtor is None or found.debtor != row.debtor or found.sha is None:
        raise Missing(_NO_PAPER.fill(number=number, name=row.name))
    return found


def taken(
    store: Store, config: Config, clock: Clock, row: CustomerRow, number: int, *, actor: str, may: bool, why: str = ""
) -> tuple[Text, bytes]:
    """The attachment of a paper of this customer, and a name that every system takes for a file. `may`: the actor has a role
    that attachments are for (`jobs.personal.ROLES`).

    Each is noted in the audit trail first; `why` must be said of what speaks of a person. Raises Missing where this customer
    has no such paper, NotAllowed, ConfigError where the purpose is wanting, or the file is gone or no longer what was put in.
    """
    with store.reading() as tx:
        one = paper_of(tx, row, number)
    if not may:
        raise NotAllowed(_NOT_YOURS)
    if one.personal and not why.strip():
        raise ConfigError(PURPOSE)
    assert one.sha is not None, "asked of paper_of"
    try:
        content = papers.content(config.files, one.sha)
    except ConfigError as wrong:
        log.error("an attachment cannot be given: %s", wrong.log)
        # Where it should be is for the log: whoever asks here need not know the folders of the machine.
        raise ConfigError(_SPOILT.fill(number=number), wrong.log) from wrong
    with store.writing() as tx:
        after = {"paper": number, "sha256": one.sha, "personal": one.personal}
        audit.append(tx, [audit.Entry("paper.take", _subject(row), actor, why.strip(), after=after)], clock.now())
    called = plain_name(one.name or "")
    return (same(called) if called else _UNNAMED.fill(number=number)), content


def plain_name(name: str) -> str:
    """A file's name without folders and without what some system does not take: control and direction characters, marks of
    paths, names of devices. Letters of every language stay; "" where nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last if c not in _NOT_IN_NAMES and unicodedata.category(c)[0] != "C")
    kept = " ".join(kept.split()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if dot and len(kept) > NAME_MOST:
        ending = ending[:16]
        kept = f"{stem[: NAME_MOST - len(ending) - 1]}.{ending}"
    kept = kept[:NAME_MOST]
    return f"_{kept}" if kept.partition(".")[0].upper() in _DEVICES else kept


def _subject(row: CustomerRow) -> str:
    return f"customer:{row.system}/{row.ref}"


# --- what is lacking -------------------------------------------------------------------------------------------------------


def lacking_of(tx: Connection, policy: Policy, as_of: dt.date, rows: Sequence[CustomerRow]) -> dict[int, list[Lacking]]:
    """What is missing or expired, by debtor, for customers (one of each debtor); by the limit of their last decision.

    A limit in another currency than the reporting one is compared as it stands: the thresholds are rough.
    """
    debtors = [row.debtor for row in rows if row.debtor is not None]
    held, concluded = papers.held(tx, debtors), decisions.latest(tx, debtors)
    found: dict[int, list[Lacking]] = {}
    for row in rows:
        if row.debtor is None or row.debtor not in concluded:
            continue
        missing = lacking(
            held.get(row.debtor, ()), _limit(concluded[row.debtor].body), policy.of(row.segment).review, as_of
        )
        if missing:
            found[row.debtor] = missing
    return found


def _limit(body: Mapping[str, Any]) -> Decimal | None:
    """The limit in force; nothing where there is none, None for unlimited."""
    limit = body["limit"]
    if limit["kind"] == "unlimited":
        return None
    return Decimal(limit["amount"] or 0)


_NOT_YOURS = Text(
    "Attachments are for credit controllers, approvers and auditors.", "附件仅供信用专员、审批人与审计人员下载。"
)
PURPOSE = Text("This paper speaks of a person: say what you need it for.", "该资料涉及个人信息：请说明用途。")
_TOO_LARGE = Text("The file is larger than {most} MB.", "文件超过 {most} MB。")
_KIND = Text("Choose what kind of paper it is.", "请选择资料类别。")
_NOTHING = Text("Give a file or a note.", "请提供文件或备注。")
_EMPTY = Text("The file is empty.", "文件为空。")
_TO_COME = Text("That day is still to come.", "该日期尚未到来。")
_BEFORE = Text("That is before the paper's own date.", "早于资料日期。")
_OVER = Text("That day is over.", "该日期已过。")
_LONG = Text("At most {most} characters.", "最多 {most} 个字符。")
_WHAT_FOR = Text("Say what personal data is kept for.", "请说明个人信息的保存用途。")
_HOW_LONG = Text(
    "Personal data is kept no longer than needed: until which day?", "个人信息应限期保存：请填写保存截止日期。"
)
_NOT_LINKED = Text("{ref} has no credit file yet: it is made by the next run.", "{ref} 尚无信用档案，下次运行后生成。")
_NO_PAPER = Text(
    "The credit file of {name} has no attachment of that number ({number}).",
    "{name} 的信用档案中没有编号为 {number} 的附件。",
)
_SPOILT = Text(
    "The attachment of paper no. {number} is gone or is not what was put in, and is not given. "
    "An administrator brings it back from a backup.",
    "资料 {number} 的附件已丢失或与存入时不一致，不予提供。请管理员从备份恢复。",
)
_UNNAMED = Text("paper-{number}", "资料-{number}")
