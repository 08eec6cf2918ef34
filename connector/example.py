"""A made-up trading company, the same for the same seed: for sandboxes, the demo and the benchmarks.

Everything is plain facts (`connector.model`); a sandbox dresses them in its product's shapes. ERP ids are `C0001` …;
the CRM sandboxes show the same customers as accounts of their own, some under a slightly different name.

Each customer has a size, terms and a way of paying, from prompt to not at all, and its history follows from them:
invoices over eighteen months, instalments, payments in part or on account, credit notes, orders, limits. A customer is
made from the seed and its own number alone, so that C0007 is the same in a company of 20 and of 100,000.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import fields, replace
from random import Random

from connector.example_company import Company, due_date, monthly_rates, team_size
from connector.example_names import Language, abroad, at_home, person
from connector.example_story import Story
from connector.model import Customer, Person

__all__ = ["AS_OF", "Company", "accounts", "company", "due_date", "parts"]

AS_OF = dt.date(2026, 11, 23)


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
    team = team_size(customers)
    for number in range(team):
        name, email = person(number, language)
        head.people.append(Person(id=f"P{number + 1:02d}", name=name, email=email, active=number != team - 1))
    head.rates.extend(monthly_rates(seed, day, currency))
    rates = {(r.from_currency, r.on.year, r.on.month): r.rate for r in head.rates}
    part = head
    for number in range(1, customers + 1):
        Story(part, number, seed, language, documents_per_customer, rates).tell()
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
        return rng.choice((name.upper(), name.replace(",", "").replace(".", "").lower(), name.replace(" ", "  ")))
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
