"""Dunning letters: everything a letter says, with all its figures, in both languages; how it looks is not decided here."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connector.credit.dun import Letter, Listed
from connector.credit.statutory import clock_of, interest_of
from connector.money import show
from connector.policy_dunning import Channel, Dunning
from connector.text import Text

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a letter goes to: a customer by its id in the system that owns the ledger."""

    system: str
    customer_id: str
    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Charged:
    """A fee, or the late interest of one document, not yet settled; `document` is empty for a fee."""

    kind: Literal["fee", "interest"]
    document: str
    part: str
    currency: str
    amount: Decimal
    to_on: dt.date

    @property
    def text(self) -> Text:
        """What the charge is for."""
        if self.kind == "fee":
            return FEE
        ref = f"{self.document}/{self.part}" if self.part else self.document
        return INTEREST.fill(document=ref, day=self.to_on)


def payload(
    letter: Letter,
    addressee: Addressee,
    rules: Dunning,
    as_of: dt.date,
    charges: Sequence[Charged] = (),
) -> dict[str, Any]:
    """A letter as data: plain decimals as text, days as dates, every sentence as `{"en": …, "zh": …}`.

    `charges` are all fees and late interest not yet settled, those that this letter claims among them.
    """
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    lines = []
    for line in letter.lines:
        debt = line.debt
        asked = _asked(line, rules)
        late = (debt.days(as_of) or 0) > 0
        total = sums[debt.currency]
        if late:
            total["overdue"] += debt.open
            total["disputed"] += debt.disputed
        total["demanded"] += asked if late else ZERO
        total["promised"] += debt.undisputed if line.mark == "promised" else ZERO
        clock = clock_of(debt, rules) if letter.is_demand else None
        if clock is not None and clock.pay_by >= as_of:
            clock = None  # a letter speaks of what was due
        lines.append(
            {
                "document": debt.document,
                "part": debt.part,
                "number": debt.number or debt.ref,
                "kind": debt.kind,
                "issued_on": debt.issued_on,
                "due_on": debt.due_on,
                "days_overdue": debt.days(as_of),
                "currency": debt.currency,
                "amount": show(debt.value, debt.currency),
                "open": show(debt.open, debt.currency),
                "disputed": show(debt.disputed, debt.currency),
                "demanded": show(asked, debt.currency),
                "level": line.level,
                "note": _said(_note(line, as_of)),
                "statutory_pay_by": clock.pay_by if clock else None,
                "statute": _said(clock.text if clock else None),
            }
        )
    for one in charges:
        sums[one.currency]["interest" if one.kind == "interest" else "fees"] += one.amount
    pay_by = as_of + dt.timedelta(days=rules.letter_interval_days)
    title, opening, closing = SENTENCES[letter.channel if letter.level else "statement"]
    names = {"name": addressee.name, "as_of": as_of, "pay_by": pay_by, "level": letter.level}
    return {
        "kind": "dunning" if letter.is_demand else "notice",
        "level": letter.level,
        "channel": letter.channel,
        "as_of": as_of,
        "pay_by": pay_by if letter.is_demand else None,
        "to": {
            "system": addressee.system,
            "customer_id": addressee.customer_id,
            "name": addressee.name,
            "email": addressee.email,
        },
        "title": _said(title.fill(**names)),
        "opening": _said(opening.fill(**names)),
        "closing": _said(closing.fill(**names)),
        "interest_rate_per_day": format(interest_of(rules).rate_per_day, "f") if rules.interest.on else None,
        "items": lines,
        "charges": [
            {
                "kind": one.kind,
                "document": one.document,
                "part": one.part,
                "currency": one.currency,
                "amount": show(one.amount, one.currency),
                "to_on": one.to_on,
                "text": _said(one.text),
            }
            for one in charges
        ],
        "totals": [_total(currency, sums[currency]) for currency in sorted(sums)],
    }


def _asked(line: Listed, rules: Dunning) -> Decimal:
    if line.mark is not None:
        return ZERO
    return line.debt.undisputed if rules.skip_disputed else line.debt.open


def _total(currency: str, sums: Mapping[str, Decimal]) -> dict[str, str]:
    names = ("overdue", "disputed", "promised", "demanded", "interest", "fees")
    figures = {name: sums.get(name, ZERO) for name in names}
    figures["total"] = figures["demanded"] + figures["interest"] + figures["fees"]
    return {"currency": currency, **{name: show(amount, currency) for name, amount in figures.items()}}


def _note(line: Listed, as_of: dt.date) -> Text | None:
    debt = line.debt
    if line.mark == "disputed":
        return DISPUTED
    if line.mark == "promised":
        return PROMISED.fill(day=line.promised_on)
    if debt.disputed > 0:
        return PARTLY.fill(amount=f"{debt.currency} {show(debt.disputed, debt.currency)}")
    if (debt.days(as_of) or 0) <= 0:
        return NOT_DUE.fill(day=debt.due_on)
    return None


def _said(text: Text | None) -> dict[str, str] | None:
    return None if text is None else {"en": text.en, "zh": text.zh}


DISPUTED = Text("disputed; not demanded by this letter", "存在争议，本函暂不催收")
PROMISED = Text("you promised payment for {day}", "贵方已承诺于 {day} 付款")
PARTLY = Text("of this {amount} is disputed and not demanded", "其中争议金额 {amount} 暂不催收")
NOT_DUE = Text("falls due on {day}", "将于 {day} 到期")

FEE = Text("dunning fee", "催收费用")
INTEREST = Text("late interest on {document} up to {day}", "单据 {document} 截至 {day} 的逾期利息")

_DEMAND_CLOSING = Text(
    "Please pay the amount demanded by {pay_by}. If your payment has crossed this letter, please send us the bank "
    "voucher. If you dispute an item, please tell us in writing which one and why.",
    "请于 {pay_by} 前支付上述催收金额。如款项已付出，请提供银行付款凭证；如对任何一笔有异议，请书面告知具体单据及理由。",
)
# Title, opening and closing by channel; only what is written to a customer has any.
SENTENCES: dict[Channel, tuple[Text, Text, Text]] = {
    "statement": (
        Text("Payments that fall due soon", "付款到期提醒"),
        Text(
            "For your planning: as of {as_of} the following items will fall due in the next days.",
            "截至 {as_of}，下列款项即将到期，特此提醒，便于贵方安排付款。",
        ),
        Text(
            "If you have paid already, please take no notice of this letter.",
            "如已付款，请忽略本提醒。感谢贵方的支持。",
        ),
    ),
    "email": (
        Text("Reminder of overdue payment", "逾期付款提醒"),
        Text(
            "According to our books the following items of {name} were overdue on {as_of}.",
            "经核对，截至 {as_of}，{name}尚有下列款项逾期未付。",
        ),
        _DEMAND_CLOSING,
    ),
    "letter": (
        Text("Demand for payment (level {level})", "催款函（第 {level} 级）"),
        Text(
            "According to our books the following items of {name} were overdue on {as_of}. We ask you to settle them.",
            "经核对，截至 {as_of}，{name}尚有下列款项逾期未付，现请予以结清。",
        ),
        _DEMAND_CLOSING,
    ),
    "final_demand": (
        Text("Final demand", "律师函（最后催告）"),
        Text(
            "In spite of our earlier letters the following items of {name} were still unpaid on {as_of}. This is our final "
            "demand.",
            "经多次催告，截至 {as_of}，{name}仍有下列款项逾期未付。现作最后催告。",
        ),
        Text(
            "If the amount demanded has not arrived by {pay_by}, we shall stop deliveries on credit and assert our claims, "
            "late interest and the costs of recovery in court without further notice.",
            "如贵方未于 {pay_by} 前付清上述催收金额，我方将停止赊销供货，并依法追索欠款、逾期利息及实现债权的费用，恕不另行通知。",
        ),
    ),
}
