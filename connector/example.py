"""A made-up trading company, the same for the same seed: for sandboxes, the demo and the benchmarks.

Everything is plain facts (`connector.model`); a sandbox dresses them in its product's shapes. ERP ids are `C0001` …;
the CRM sandboxes show the same customers as accounts of their own, some under a slightly different name.

Each customer has a size, terms and a way of paying, from prompt to not at all, and its history follows from them:
invoices over eighteen months, instalments, payments in part or on account, credit notes, orders, limits. A customer is
made from the seed and its own number alone, so that C0007 is the same in a company of 20 and of 100,000.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from random import Random

from connector.example_names import Language, Name, abroad, at_home, credit_code, person
from connector.model import (
    Application,
    Customer,
    CustomerStatus,
    Document,
    Instalment,
    Limit,
    LimitKind,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    Person,
    Rate,
)
from connector.money import exponent, from_minor, to_minor

AS_OF = dt.date(2026, 11, 23)
_MONTHS_BACK = 18


@dataclass
class Company:
    """All facts of a made-up company. `people` are its sales representatives; customers' `owner` is a person's id."""

    currency: str
    as_of: dt.date
    people: list[Person] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    instalments: list[Instalment] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    order_lines: list[OrderLine] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Behaviour:
    """How a customer pays: days after the due date (from, to), chance to pay an invoice in part, days of silence."""

    name: str
    weight: int
    late: tuple[int, int]
    partly: float = 0.0
    silent_days: int = 0  # has paid nothing for so long


_BEHAVIOURS = (
    _Behaviour("prompt", 34, (-6, 2)),
    _Behaviour("usual", 30, (1, 14), 0.02),
    _Behaviour("slow", 18, (10, 45), 0.08),
    _Behaviour("very slow", 8, (40, 100), 0.20),
    _Behaviour("in part", 6, (0, 30), 0.60),
    _Behaviour("defaulting", 4, (15, 60), 0.25, 200),
)
_TERMS = (
    ("net:30",) * 8
    + ("net:60",) * 4
    + ("net:90", "net:45", "net:15", "eom:30", "eom:0", "months:1", "months:2", "day:10:1")
)
_SEGMENTS = ("key account", "distribution", "manufacturing", "retail", "public")
# One unit in CNY, about; the monthly rates walk around it. A company in another currency divides.
_IN_CNY = {"CNY": Decimal(1), "USD": Decimal("7.12"), "EUR": Decimal("7.85"), "JPY": Decimal("0.0478")}


def company(
    customers: int = 200,
    seed: int = 1,
    as_of: dt.date | None = None,
    *,
    documents_per_customer: float = 12,
    language: Language = "en",
    currency: str = "CNY",
) -> Company:
    """The whole company as one value. `as_of` (23 November 2026 where it is not given) is the last day of its history.

    `language` chooses in which language most home companies and all people are named. `currency` is CNY, USD, EUR or
    JPY.
    """
    whole = Company(currency, as_of or AS_OF)
    for part in parts(
        customers,
        seed,
        as_of,
        documents_per_customer=documents_per_customer,
        language=language,
        currency=currency,
    ):
        for column in fields(Company)[2:]:
            getattr(whole, column.name).extend(getattr(part, column.name))
    return whole


def parts(
    customers: int,
    seed: int = 1,
    as_of: dt.date | None = None,
    *,
    documents_per_customer: float = 12,
    language: Language = "en",
    currency: str = "CNY",
    size: int = 500,
) -> Iterator[Company]:
    """The same company, `size` customers at a time, for books that should not be held in memory.

    The first part holds the people and the rates too. Parents come no later than their children.
    """
    day = as_of or AS_OF
    head = Company(currency, day)
    team = _team(customers)
    for number in range(team):
        name, email = person(number, language)
        head.people.append(Person(id=f"P{number + 1:02d}", name=name, email=email, active=number != team - 1))
    head.rates.extend(_rates(seed, day, currency))
    rates = {(r.from_currency, r.on.year, r.on.month): r.rate for r in head.rates}
    part = head
    for number in range(1, customers + 1):
        _Story(part, number, seed, language, documents_per_customer, rates).tell()
        if number % size == 0 and number < customers:
            yield part
            part = Company(currency, day)
    yield part


def accounts(made: Company, seed: int = 1, language: Language = "en") -> list[Customer]:
    """The same customers as a CRM shows them, in an order of its own, with some prospects that no ERP knows.

    About 60 % carry the ERP's id as `external_id`; 20 % can be recognised by their tax id only (their name is shortened
    and the ERP id missing), 15 % by a name that differs in case, width and punctuation, 4 % have a slightly different
    name; 1 % are missing. Ids are `A00001` …: a sandbox replaces them by its product's own kind. `owner` is the
    person's id, terms and first sale are unknown to a CRM. `language` names the prospects.
    """
    rng = Random(f"accounts/{seed}")  # noqa: S311 - repeatable, not secret
    shown: list[Customer] = []
    for customer in made.customers:
        draw = rng.random()
        crm = replace(customer, external_id=None, parent_id=None, terms=None, first_sold_on=None, currency=None)
        if draw < 0.60:
            crm = replace(crm, external_id=customer.id)
        elif customer.tax_id:
            crm = replace(crm, name=_shortened(customer.name))
        elif draw < 0.90:
            crm = replace(crm, name=_respelled(customer.name, rng))
        elif draw < 0.98:
            crm = replace(crm, name=_altered(customer.name))
        else:
            continue
        shown.append(crm)
    for number in range(max(3, len(made.customers) // 25)):
        name = at_home(110_000 + number, seed) if number % 3 else abroad(110_000 + number, seed)
        owner = made.people[number % max(1, len(made.people) - 1)].id if made.people else None
        shown.append(Customer(id="", name=name.say(language), country=name.country, owner=owner, segment="prospect"))
    rng.shuffle(shown)
    return [replace(crm, id=f"A{number:05d}") for number, crm in enumerate(shown, 1)]


def _shortened(name: str) -> str:
    """What a sales person types: without the legal form."""
    for ending in ("集团有限公司", "有限公司", " Group Co., Ltd.", " Co., Ltd."):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name.rsplit(" ", 1)[0]


def _respelled(name: str, rng: Random) -> str:
    """The same name to anybody who ignores case, width, spaces and punctuation."""
    if name.isascii():
        return rng.choice((name.upper(), name.replace(",", "").replace(".", ""), name.replace(" ", "  ")))
    return rng.choice(
        (
            f" {name} ",
            f"{name[:2]} {name[2:]}",
            "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name) + "　",
        )
    )


def _altered(name: str) -> str:
    """Nearly the same name: close enough to ask a person, not close enough to trust."""
    if name.isascii():
        words = name.split(" ")
        return " ".join([words[0][:-1], *words[1:]])
    return name[:2] + "市" + name[2:]


def due_date(issued_on: dt.date, terms: str) -> dt.date:
    """The day on which terms make an invoice due (domain 4): `net:30`, `months:1`, `eom:30`, `day:10:1`."""
    kind, *rest = terms.split(":")
    numbers = [int(n) for n in rest]
    if kind == "net":
        return issued_on + dt.timedelta(days=numbers[0])
    if kind == "eom":
        return _month_on(issued_on, 0, 31) + dt.timedelta(days=numbers[0])
    if kind == "months":
        return _month_on(issued_on, numbers[0], issued_on.day)
    return _month_on(issued_on, numbers[1], numbers[0])


def _month_on(day: dt.date, months: int, wanted: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(wanted, calendar.monthrange(year, month + 1)[1]))


def _team(customers: int) -> int:
    """How many sales people so many customers need; the last of them has left."""
    return min(40, 6 + customers // 100)


def _rates(seed: int, as_of: dt.date, currency: str) -> Iterator[Rate]:
    """Monthly rates of three foreign currencies, long enough back for every document."""
    rng = Random(f"rates/{seed}")  # noqa: S311 - repeatable, not secret
    home = _IN_CNY[currency]
    for foreign, level in _IN_CNY.items():
        if foreign == currency:
            continue
        walk = Decimal(1)
        for month in range(-_MONTHS_BACK - 8, 1):
            walk += Decimal(rng.randrange(-80, 81)) / 10_000
            rate = (level / home * walk).quantize(Decimal("0.000001"))
            yield Rate(on=_month_on(as_of, month, 1), from_currency=foreign, to_currency=currency, rate=rate)


class _Story:
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
        self.behaviour = self.rng.choices(_BEHAVIOURS, [b.weight for b in _BEHAVIOURS])[0]
        self.terms = _TERMS[int(draw() * len(_TERMS))]
        foreigner = self._role() == "" and draw() < 0.22
        others = [c for c in _IN_CNY if c != into.currency]
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
        self._orders()
        self._limits()

    # --- who ---------------------------------------------------------------------------------------------------------
    def _customer(self) -> None:
        rng, place = self.rng, self.number % 20
        parent = {"child": self.number - place + 1, "grandchild": self.number - 1}.get(self._role())
        chinese = self.language == "zh" or self.number % 4 == 0
        status: CustomerStatus = "blocked" if rng.random() < 0.01 else "inactive" if rng.random() < 0.01 else "active"
        slug = "".join(c for c in self.name.short_en.lower() if c.isalnum())[:24]
        team = _team(self.number) - 1
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
    def _amount(self, scale: float = 1.0) -> int:
        """An invoice's worth of minor units in the customer's currency."""
        in_cny = 900 * (0.4 + self.rng.random() * 3.2) * (1 + self.size) * scale
        units = int(in_cny * 100 / float(_IN_CNY[self.currency]))
        return max(1, units if exponent(self.currency) == 2 else units // 100)

    def _base(self, amount: int, on: dt.date) -> int | None:
        """The same in the ledger currency at that month's rate; None where it is the ledger currency."""
        if self.currency == self.into.currency:
            return None
        rate = self.rates[self.currency, on.year, on.month]
        return to_minor(from_minor(amount, self.currency) * rate, self.into.currency)

    def _day(self, most: int = 540, least: int = 0) -> dt.date:
        return self.as_of - dt.timedelta(days=least + int(self.rng.random() * (most - least)))

    def _invoice(self, serial: int) -> None:
        rng = self.rng
        issued_on = self._day()
        draw = rng.random()
        kind = "debit_note" if draw < 0.015 else "invoice"
        amount = self._amount(0.1 if kind == "debit_note" else 1.0)
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
        if paid_on > self.as_of - dt.timedelta(days=how.silent_days) or rng.random() < 0.004:
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
        if not self.invoices or self.rng.random() >= 0.12:
            return
        on = self._day(60)
        self.serial += 1
        amount = self._amount(0.5)
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

    # --- what comes --------------------------------------------------------------------------------------------------
    def _orders(self) -> None:
        rng = self.rng
        if not self.invoices:
            return
        for serial in range(int(rng.random() * 4)):
            draw = rng.random()
            status: OrderStatus = (
                "draft" if draw < 0.2 else "closed" if draw < 0.35 else "cancelled" if draw < 0.4 else "open"
            )
            ordered_on = self._day(30 if status == "draft" else 75, 0 if status == "draft" else 1)
            ship_on = ordered_on + dt.timedelta(days=10 + int(rng.random() * 80))
            key = f"{self.id}-O{serial + 1:02d}"
            tax = Decimal("0.13") if self.name.country == "CN" else Decimal(0)
            gross = Decimal(0)
            for line in range(1, 2 + int(rng.random() * 3)):
                quantity = Decimal(1 + int(rng.random() * 40))
                price = from_minor(max(1, self._amount(0.4) // int(quantity)), self.currency)
                delivered = self._done(status, quantity)
                invoiced = delivered if status != "open" or rng.random() < 0.6 else Decimal(int(delivered) // 2)
                gross += quantity * price * (1 + tax)
                self.into.order_lines.append(
                    OrderLine(
                        order_id=key,
                        line=str(line),
                        quantity=quantity,
                        quantity_delivered=delivered,
                        quantity_invoiced=invoiced,
                        quantity_cancelled=quantity if status == "cancelled" else Decimal(0),
                        unit_price=price,
                        tax_rate=tax,
                        ship_on=ship_on,
                    )
                )
            self.into.orders.append(
                Order(
                    id=key,
                    number=f"S{ordered_on:%y%m}-{self.number:05d}-{serial + 1:02d}",
                    customer_id=self.id,
                    ordered_on=ordered_on,
                    ship_on=ship_on,
                    currency=self.currency,
                    amount=to_minor(gross, self.currency),
                    terms=self.terms,
                    status=status,
                    owner=self.into.customers[-1].owner,
                    priority="high" if rng.random() < 0.1 else "normal",
                )
            )

    def _done(self, status: OrderStatus, quantity: Decimal) -> Decimal:
        if status == "closed":
            return quantity
        if status != "open" or self.rng.random() < 0.5:
            return Decimal(0)
        return Decimal(int(int(quantity) * self.rng.random()))

    def _limits(self) -> None:
        """Limits of every kind; about one customer in six is above its own."""
        rng, year, half_year = self.rng, self.as_of.year, dt.timedelta(days=181)
        draw = rng.random()
        if draw < 0.12:  # none
            return
        if draw < 0.16:
            self._limit(1, "unlimited", None)
            return
        tight = self.open > 0 and rng.random() < 0.18
        wanted = (
            self.open * (0.4 + rng.random() * 0.55)
            if tight
            else max(self.open, self._amount(2)) * (1.3 + rng.random() * 3)
        )
        step = 10 ** max(exponent(self.currency), len(str(int(wanted))) - 2)  # limits are round numbers: two digits
        base = max(step, int(wanted) // step * step)
        if draw < 0.22:
            begun = dt.date(year, 1, 1)
            self._limit(1, "stage", base // 2, condition=f"from:{begun}", approved_on=begun)
            self._limit(
                2,
                "stage",
                base - base // 2,
                condition=f"from:{begun + half_year} paid>=80% late<=15",
                approved_on=begun,
            )
            return
        expired = draw < 0.25
        self._limit(
            1,
            "base",
            base,
            valid_from=dt.date(year - 1, 1, 1),
            valid_to=self.as_of - dt.timedelta(days=20) if expired else dt.date(year, 12, 31),
            approved_on=dt.date(year - 1, 1, 1),
        )
        if draw < 0.32:
            near = dt.timedelta(days=25)
            self._limit(
                2,
                "override",
                base * 3 // 2,
                valid_from=self.as_of - near,
                valid_to=self.as_of + near,
                approved_on=self.as_of - near,
            )
        elif draw < 0.38:
            self._limit(
                2,
                "additive",
                base // 5,
                valid_from=self.as_of - dt.timedelta(days=10),
                valid_to=self.as_of + dt.timedelta(days=45),
            )
        elif draw < 0.43:
            self._limit(2, "guarantee", base // 2, percent=Decimal("0.5"), valid_to=self.as_of + dt.timedelta(days=200))
        elif draw < 0.48:
            self._limit(2, "seasonal", base * 2, condition="11-01..02-15")

    def _limit(
        self,
        place: int,
        kind: LimitKind,
        amount: int | None,
        *,
        percent: Decimal | None = None,
        valid_from: dt.date | None = None,
        valid_to: dt.date | None = None,
        approved_on: dt.date | None = None,
        condition: str | None = None,
    ) -> None:
        self.into.limits.append(
            Limit(
                id=f"L{self.id}-{place}",
                customer_id=self.id,
                kind=kind,
                amount=amount,
                currency=self.currency if amount is not None else None,
                percent=percent,
                valid_from=valid_from,
                valid_to=valid_to,
                approved_on=approved_on,
                condition=condition,
            )
        )
