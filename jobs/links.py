"""Links as administrators decide on them: two records are one customer, or they are not; each decision is in the trail.

What a machine has found is `jobs/link`; here a person confirms, refuses or parts. It counts from the next run on.
"""

from __future__ import annotations

import datetime as dt
from difflib import get_close_matches

from connector import adapter as adapters
from connector.config import Config
from connector.credit.authority import Person
from connector.errors import ConfigError, Missing
from connector.store import Connection, audit, customers, link_list, links
from connector.store.audit import Entry
from connector.store.customers import CustomerRow
from connector.store.link_list import Pair
from connector.text import Text
from jobs.administrator import demand_administrator

# Among so many customers of a system the nearest number is looked for.
_NEAR_OF = 5000

HOW: dict[str, Text] = {
    "external_id": Text("customer number stored there", "对方保存的客户编号"),
    "tax_id": Text("same tax id", "税号相同"),
    "name": Text("same name", "名称相同"),
    "person": Text("confirmed by a person", "人工确认"),
    "own": Text("owner of the ledger", "账簿所有方"),
}


def sides(config: Config) -> tuple[list[str], list[str]]:
    """The systems whose accounts are linked, and those whose customers they are linked to."""
    erps = [s.name for s in config.with_role("erp")]
    return [s.name for s in config.with_role("crm") if s.name not in erps], erps


def decide(tx: Connection, config: Config, number: int, same: bool, *, person: Person, now: dt.datetime) -> Pair:
    """A person's word on a proposal: both are one customer, or they are not. Gives what it was about.

    NotAllowed for who is no administrator; Missing where there is no such proposal, or somebody has decided it meanwhile.
    """
    demand_administrator(person)
    _, erps = sides(config)
    pair = link_list.waiting(tx, erps, number)
    if pair is None or pair.other is None:
        raise Missing(
            Text(
                "This proposal is no longer there: somebody has decided it, or the two are no longer alike.",
                "该建议已不存在：他人已处理，或两者已不再相似。",
            )
        )
    if same:
        owner = pair.other.key if pair.other.system in erps else pair.account.key
        links.confirm(tx, number, owner)
    else:
        links.reject(tx, number)
    verb = "link.confirm" if same else "link.refuse"
    subject = f"customer:{pair.account.system}/{pair.account.ref}"
    after = {"with": f"{pair.other.system}/{pair.other.ref}", "alike": pair.score}
    audit.append(tx, [Entry(verb, subject, person.actor, after=after)], now)
    return pair


def join(
    tx: Connection, config: Config, account: str, customer: str, *, person: Person, now: dt.datetime
) -> tuple[CustomerRow, CustomerRow]:
    """A person's word that two records, each SYSTEM/ID, are one customer, whether it was proposed or not.

    Gives both, the one that owns the ledger last. Missing where there is none of that name; ConfigError where neither is
    a customer of an ERP, or both are one record.
    """
    demand_administrator(person)
    one, other = found(tx, config, account), found(tx, config, customer)
    if one.key == other.key:
        raise ConfigError(Text("These are one and the same record.", "这是同一条记录。"))
    _, erps = sides(config)
    if other.system not in erps and one.system in erps:
        one, other = other, one
    if other.system not in erps:
        raise ConfigError(
            Text(
                "One of the two must be a customer of an ERP, which owns the ledger: {erps}.",
                "其中之一须为拥有账簿的 ERP 客户：{erps}。",
            ).fill(erps=", ".join(erps) or "-")
        )
    links.join(tx, one.key, other.key)
    after = {"with": f"{other.system}/{other.ref}"}
    audit.append(tx, [Entry("link.confirm", f"customer:{one.system}/{one.ref}", person.actor, after=after)], now)
    return one, other


def part(tx: Connection, config: Config, account: str, *, person: Person, now: dt.datetime) -> int:
    """A person's word that a record is none of the others that it is linked to; of how many it was parted.

    No machine links them again. ConfigError where it is linked to nothing.
    """
    demand_administrator(person)
    row = found(tx, config, account)
    debtor = links.debtor_of(tx, row.key)
    others = [] if debtor is None else [r for r in links.linked(tx, debtors=[debtor]) if r.customer != row.key]
    if not others:
        raise ConfigError(
            Text("{place} is linked to nothing.", "{place} 未与任何记录关联。").fill(place=account),
        )
    links.split(tx, row.key)
    before = {"with": [f"{r.system}/{r.ref}" for r in others[:20]]}
    audit.append(tx, [Entry("link.part", f"customer:{row.system}/{row.ref}", person.actor, before=before)], now)
    return len(others)


def found(tx: Connection, config: Config, place: str) -> CustomerRow:
    """The customer that SYSTEM/ID names. Missing with the nearest right names where there is none."""
    system, _, ref = place.strip().partition("/")
    known = [s.name for s in config.systems]
    if not ref:
        raise Missing(
            Text(
                "There is no customer “{place}”: write the system, a slash and the number.",
                "没有客户“{place}”：请按“系统/编号”填写。",
            ).fill(place=place[:100])
        )
    if system not in known:
        near = adapters.nearest(system, known) if known else "-"
        raise Missing(
            Text("No system is called “{name}”. There are: {near}.", "没有名为“{name}”的系统。已有：{near}。").fill(
                name=system[:100], near=near
            )
        )
    rows = customers.customers(tx, systems=[system], refs=[ref])
    if not rows:
        others = customers.customers(tx, systems=[system])[:_NEAR_OF]
        if not others:
            raise Missing(
                Text("{system} has not been read yet: holdfast pull", "{system} 尚未读取：请先执行 holdfast pull").fill(
                    system=system
                )
            )
        raise Missing(
            Text("{system} has no customer {ref}. Near: {near}.", "{system} 中没有客户 {ref}。相近：{near}。").fill(
                system=system, ref=ref[:100], near=_near(ref, [r.ref for r in others])
            )
        )
    return rows[0]


def _near(wrong: str, right: list[str]) -> str:
    found = get_close_matches(wrong, right, 3, 0.5)
    return ", ".join(found) if found else ", ".join(right[:3]) + (", …" if len(right) > 3 else "")


def why(pair: Pair) -> list[Text]:
    """What speaks for two records being one customer, and what against, in words."""
    assert pair.other is not None
    one, other = pair.account, pair.other
    told = []
    if one.name.casefold() == other.name.casefold():
        told.append(Text("The names are the same.", "名称相同。"))
    elif pair.score is not None:
        percent = int(pair.score * 100)
        told.append(
            Text("Without their legal form the names are {n}% alike.", "去掉公司形式后，名称相似度 {n}%。").fill(
                n=percent
            )
        )
    for mine, his, same_words, other_words in (
        (one.tax_id, other.tax_id, _TAX_SAME, _TAX_OTHER),
        (one.country, other.country, _COUNTRY_SAME, _COUNTRY_OTHER),
    ):
        if mine and his:
            alike = mine.replace(" ", "").casefold() == his.replace(" ", "").casefold()
            told.append((same_words if alike else other_words).fill(one=mine, other=his))
    if one.external_id and one.external_id not in (other.ref, other.external_id):
        told.append(_NUMBER_OTHER.fill(one=one.external_id, other=other.external_id or other.ref))
    return told


_TAX_SAME = Text("The tax ids are the same: {one}.", "税号相同：{one}。")
_TAX_OTHER = Text("But the tax ids differ: {one}, {other}.", "但税号不同：{one}、{other}。")
_COUNTRY_SAME = Text("The countries are the same: {one}.", "国家/地区相同：{one}。")
_COUNTRY_OTHER = Text("But the countries differ: {one}, {other}.", "但国家/地区不同：{one}、{other}。")
_NUMBER_OTHER = Text(
    "But there it bears the customer number {one}, not {other}.", "但对方保存的客户编号是 {one}，而非 {other}。"
)

__all__ = ["HOW", "decide", "found", "join", "part", "sides", "why"]
