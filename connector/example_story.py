"""The story of one made-up customer: who it is, what it bought and how it paid, told into a part of the company."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random

from connector.example_company import IN_CNY, Company, due_date, team_size
from connector.example_future import limits, orders
from connector.example_names import Language, Name, abroad, at_home, credit_code
from connector.model import Application, Customer, CustomerStatus, Document, Instalment, Payment
from connector.money import exponent, from_minor, to_minor


@dataclass(frozen=True, slots=True)
class _Behaviour:
    """How a customer pays: days after the due date (from, to), chance to pay an invoice in part, days of silence."""

    name: str
    weight: int
    late: tuple[int, int]
    partly: float = 0.0
    silent_days: int = 0  # has paid nothing for so long


# So mixed that about one customer in seven is held under the shipped policy (30 days, 100 % of the limit): a believable
# company, in which a hold is news.
_BEHAVIOURS = (
    _Behaviour("prompt", 42, (-6, 2)),
    _Behaviour("usual", 36, (1, 14), 0.004),
    _Behaviour("slow", 16, (8, 27), 0.006),
    _Behaviour("very slow", 2, (35, 85), 0.05),
    _Behaviour("in part", 3, (0, 25), 0.40),
    _Behaviour("defaulting", 1, (15, 60), 0.25, 200),
)
# Some bad payers in however small a company: by the place of the customer among forty.
_ALWAYS = {6: "very slow", 12: "defaulting"}
_TERMS = (
    ("net:30",) * 8
    + ("net:60",) * 4
    + ("net:90", "net:45", "net:15", "eom:30", "eom:0", "months:1", "months:2", "day:10:1")
)
_SEGMENTS = ("key account", "distribution", "manufacturing", "retail", "public")


class Story:
    """One customer and everything that happened to it, told into a part of the company."""

    def __init__(
        self,
        into: Company,
        number: int,
        seed: int,
        language: Language,
        documents: float,
        rates: dict[tuple[str, int, int], Decimal],
    ) -> None:
        self.into, self.number, self.seed, self.language = into, number, seed, language
        self.rng = Random(f"{seed}/{number}")  # noqa: S311 - repeatable, not secret
        self.rates = rates
        self.id = f"C{number:04d}"
        self.as_of = into.as_of
        draw = self.rng.random
        drawn = self.rng.choices(_BEHAVIOURS, [b.weight for b in _BEHAVIOURS])[0]
        self.behaviour = next((b for b in _BEHAVIOURS if b.name == _ALWAYS.get(number % 40)), drawn)
        self.terms = _TERMS[int(draw() * len(_TERMS))]
        foreigner = self._role() == "" and draw() < 0.22
        others = [c for c in IN_CNY if c != into.currency]
        self.currency = others[int(draw() * len(others))] if foreigner and draw() < 0.8 else into.currency
        self.name = self._name(foreigner)
        # A few customers make most of the sales: the heavy tail of every real book.
        self.size = min(40.0, 0.3 / (0.008 + draw() ** 2 * 0.9 + draw() * 0.1))
        self.invoices = max(1, round(documents * (0.3 + 0.7 * min(self.size, 12.0) / 1.6) * 0.8)) if documents else 0
        self.open = 0  # open minor units in the customer's currency, roughly what the limit is set by
        self.serial = 0

    def _role(self) -> str:
        """Groups: every twentieth customer heads one of three or, with a grandchild, of four."""
        place, group = self.number % 20, self.number // 20
        if place in (1, 2, 3):
            return ("", "head", "child", "child")[place]
        return "grandchild" if place == 4 and group % 2 == 0 else ""

    def _name(self, foreigner: bool) -> Name:
        role = self._role()
        if foreigner:
            return abroad(self.number, self.seed)
        if role == "head":
            return at_home(self.number, self.seed, group=True)
        if role:
            place = self.number % 20
            return at_home(self.number - place + 1, self.seed, city=place)
        return at_home(self.number, self.seed)

    def tell(self) -> None:
        self._customer()
        for serial in range(self.invoices):
            self._invoice(serial)
        self._on_account()
        orders(self)
        limits(self)

    # --- who ---------------------------------------------------------------------------------------------------------
    def _customer(self) -> None:
        rng, place = self.rng, self.number % 20
        parent = {"child": self.number - place + 1, "grandchild": self.number - 1}.get(self._role())
        chinese = self.language == "zh" or self.number % 4 == 0
        status: CustomerStatus = "blocked" if rng.random() < 0.01 else "inactive" if rng.random() < 0.01 else "active"
        slug = "".join(c for c in self.name.short_en.lower() if c.isalnum())[:24]
        team = team_size(self.number) - 1
        self.into.customers.append(
            Customer(
                id=self.id,
                name=self.name.say("zh" if chinese else "en"),
                parent_id=f"C{parent:04d}" if parent else None,
                tax_id=credit_code(self.name.region, self.number + self.seed)
                if self.name.region and rng.random() < 0.68
                else None,
                country=self.name.country,
                currency=self.currency,
                terms=self.terms,
                segment=_SEGMENTS[int(rng.random() * len(_SEGMENTS))],
                owner=f"P{1 + int(rng.random() * team):02d}" if rng.random() < 0.97 else None,
                email=f"ap@{slug}.example",
                phone=f"+86 512 5550 {self.number % 10000:04d}" if self.name.country == "CN" else None,
                status=status,
                first_sold_on=self.as_of - dt.timedelta(days=560 + int(rng.random() * 3000)),
            )
        )

    # --- what happened -----------------------------------------------------------------------------------------------
    def amount(self, scale: float = 1.0) -> int:
        """An invoice's worth of minor units in the customer's currency."""
        in_cny = 900 * (0.4 + self.rng.random() * 3.2) * (1 + self.size) * scale
        units = int(in_cny * 100 / float(IN_CNY[self.currency]))
        return max(1, units if exponent(self.currency) == 2 else units // 100)

    def _base(self, amount: int, on: dt.date) -> int | None:
        """The same in the ledger currency at that month's rate; None where it is the ledger currency."""
        if self.currency == self.into.currency:
            return None
        rate = self.rates[self.currency, on.year, on.month]
        return to_minor(from_minor(amount, self.currency) * rate, self.into.currency)

    def day(self, most: int = 540, least: int = 0) -> dt.date:
        return self.as_of - dt.timedelta(days=least + int(self.rng.random() * (most - least)))

    def _invoice(self, serial: int) -> None:
        rng = self.rng
        issued_on = self.day()
        draw = rng.random()
        kind = "debit_note" if draw < 0.015 else "invoice"
        amount = self.amount(0.1 if kind == "debit_note" else 1.0)
        due_on = due_date(issued_on, self.terms)
        draft = (self.as_of - issued_on).days < 5 and rng.random() < 0.3
        voided = not draft and rng.random() < 0.006
        document = Document(
            id=f"{self.id}-I{serial + 1:04d}",
            number=f"{'D' if kind == 'debit_note' else 'I'}{issued_on:%y%m}-{self.number:05d}-{serial + 1:04d}",
            customer_id=self.id,
            kind="debit_note" if kind == "debit_note" else "invoice",
            issued_on=issued_on,
            due_on=due_on,
            terms=self.terms,
            currency=self.currency,
            amount=amount,
            base_amount=self._base(amount, issued_on),
            voided_on=min(self.as_of, issued_on + dt.timedelta(days=3)) if voided else None,
            status="draft" if draft else "posted",
        )
        if draft or voided:
            self.into.documents.append(document)
            return
        if rng.random() < 0.06 and amount > 3:
            self._instalments(document)
        left = self._pay(document)
        if left and rng.random() < 0.03:
            document = replace(document, disputed_amount=left)
        self.into.documents.append(document)
        self.open += left
        if rng.random() < 0.04:
            self._credit_note(document, left)

    def _instalments(self, document: Document) -> None:
        first = document.amount * 3 // 10
        second = document.amount * 3 // 10
        assert document.due_on is not None
        for place, part in enumerate((first, second, document.amount - first - second)):
            self.into.instalments.append(
                Instalment(
                    document_id=document.id,
                    number=str(place + 1),
                    due_on=document.due_on + dt.timedelta(days=30 * place),
                    amount=from_minor(part, self.currency),
                )
            )

    def _pay(self, document: Document) -> int:
        """What the customer has paid of it by now; gives the minor units that are still open."""
        rng, how = self.rng, self.behaviour
        assert document.due_on is not None
        low, high = how.late
        paid_on = document.due_on + dt.timedelta(days=low + int(rng.random() * (high - low + 1)))
        paid_on = max(paid_on, document.issued_on)
        if paid_on > self.as_of - dt.timedelta(days=how.silent_days) or rng.random() < 0.0006:
            return document.amount
        if rng.random() >= how.partly:
            self._receipt(document, document.amount, paid_on)
            return 0
        first = document.amount * (2 + int(rng.random() * 6)) // 10
        if first:
            self._receipt(document, first, paid_on)
        left = document.amount - first
        later = paid_on + dt.timedelta(days=20 + int(rng.random() * 50))
        if rng.random() < 0.6 and later <= self.as_of - dt.timedelta(days=how.silent_days):
            self._receipt(document, left, later)
            return 0
        if left * 50 < document.amount or (rng.random() < 0.05 and paid_on < self.as_of):
            self._receipt(document, left, min(self.as_of, paid_on + dt.timedelta(days=30)), write_off=True)
            return 0
        return left

    def _receipt(self, document: Document, amount: int, on: dt.date, *, write_off: bool = False) -> None:
        """A payment and its application; some are applied days after they came, some bounce first."""
        rng = self.rng
        self.serial += 1
        key = f"{self.id}-P{self.serial:04d}"
        payment = Payment(
            id=key,
            customer_id=self.id,
            received_on=on,
            currency=self.currency,
            amount=amount,
            base_amount=self._base(amount, on),
            kind="write_off" if write_off else "receipt",
        )
        bounced = not write_off and rng.random() < 0.004 and (self.as_of - on).days > 12
        applied_on = on + dt.timedelta(days=int(rng.random() * 6)) if rng.random() < 0.1 else on
        applied_on = min(applied_on, self.as_of)
        application = Application(
            id=f"{key}-1",
            from_id=key,
            to_id=document.id,
            amount=from_minor(amount, self.currency),
            applied_on=applied_on,
        )
        if bounced:
            back_on = applied_on + dt.timedelta(days=4)
            self.into.payments.append(replace(payment, voided_on=back_on))
            self.into.applications.append(replace(application, reversed_on=back_on))
            self._receipt(document, amount, back_on + dt.timedelta(days=2))
            return
        self.into.payments.append(payment)
        self.into.applications.append(application)

    def _credit_note(self, document: Document, left: int) -> None:
        """For goods that came back: set against the invoice where it is open, else waiting."""
        rng = self.rng
        amount = max(1, document.amount // (5 + int(rng.random() * 10)))
        issued_on = min(self.as_of, document.issued_on + dt.timedelta(days=5 + int(rng.random() * 30)))
        key = document.id.replace("-I", "-N")
        self.into.documents.append(
            Document(
                id=key,
                number=f"N{issued_on:%y%m}-{self.number:05d}-{key[-4:]}",
                customer_id=self.id,
                kind="credit_note",
                issued_on=issued_on,
                due_on=issued_on,
                currency=self.currency,
                amount=amount,
                base_amount=self._base(amount, issued_on),
            )
        )
        if left >= amount and document.disputed_amount is None and rng.random() < 0.6:
            self.into.applications.append(
                Application(
                    id=f"{key}-1",
                    from_id=key,
                    to_id=document.id,
                    amount=from_minor(amount, self.currency),
                    applied_on=issued_on,
                )
            )
        self.open -= amount if left >= amount else 0

    def _on_account(self) -> None:
        """Money that came without saying for what."""
        if not self.invoices or self.rng.random() >= 0.16:
            return
        on = self.day(60)
        self.serial += 1
        amount = self.amount(0.5)
        self.into.payments.append(
            Payment(
                id=f"{self.id}-P{self.serial:04d}",
                customer_id=self.id,
                received_on=on,
                currency=self.currency,
                amount=amount,
                base_amount=self._base(amount, on),
            )
        )
