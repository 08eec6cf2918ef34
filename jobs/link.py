"""Link: the same customer in two systems becomes one debtor.

In this order: the external id that a system stores; the tax id (a unified social credit code only with a right check
character); the exact normalised name. Near names become proposals with a score and are not used until a person confirms
them. What contradicts itself is a problem, never a guess; what a person has split stays split.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from connector.clock import Clock
from connector.config import Config
from connector.errors import Problem
from connector.identity import bare_name, looks_chinese, near_names, normal_name, normal_tax_id, usable_tax_id
from connector.store import Connection, customers, links
from connector.store.concerns import Concern
from connector.store.customers import CustomerRow
from connector.store.db import Store
from connector.text import Text
from jobs.progress import Progress, silent
from jobs.run import Run, running

# More customers than this with one tax id are not one legal person but a filler somebody typed.
_TAX_ID_SHARED_MOST = 10


def link(store: Store, config: Config, clock: Clock, progress: Progress = silent) -> Run:
    """Gives every ERP customer a debtor and every CRM account, where it can be told, the debtor of its customer."""
    erps = {s.name for s in config.with_role("erp")}
    crms = {s.name for s in config.with_role("crm")} - erps
    with running(store, clock, "link") as run, store.writing(concern=Concern()) as tx:
        rows = customers.customers(tx)
        owned = [r for r in rows if r.system in erps]
        accounts = [r for r in rows if r.system in crms]
        run.counts["customers"], run.counts["accounts"] = len(owned), len(accounts)
        if made := links.ensure_debtors(tx, [r.key for r in owned]):
            run.counts["debtors"] += made
            owned = customers.customers(tx, systems=sorted(erps))
        split = links.splits(tx)

        groups = _one_person(owned, run)
        if parted := _part(tx, owned, groups):
            run.counts["parted"] += parted
            owned = customers.customers(tx, systems=sorted(erps))
        fresh = {r.key: r for r in owned}
        for group in groups:
            first = fresh[group[0].key]
            for other in (fresh[r.key] for r in group[1:]):
                apart = first.key in split.get(other.key, set())
                if first.debtor is not None and other.debtor != first.debtor and not apart:
                    # Everybody who was linked to the other moves along, accounts that a person confirmed too.
                    for row in links.linked(tx, debtors=[other.debtor] if other.debtor is not None else []):
                        links.link(
                            tx,
                            row.customer,
                            first.debtor,
                            row.how if row.confirmed else "tax_id",
                            confirmed=row.confirmed,
                        )
                    run.counts["same_person"] += 1
        if run.counts["same_person"]:
            owned = customers.customers(tx, systems=sorted(erps))
            accounts = customers.customers(tx, systems=sorted(crms)) if crms else []

        index, confirmed = _Index(owned), links.confirmed(tx)
        unlinked = []
        for done, account in enumerate(accounts):
            if account.debtor is not None and account.key in confirmed:
                run.counts["linked"] += 1
                continue
            match, how = index.match(account, run, split.get(account.key, set()))
            if match is not None and match.debtor is not None:
                done_so = account.debtor == match.debtor or links.link(tx, account.key, match.debtor, how)
                if done_so or account.debtor is not None:
                    run.counts["linked"] += 1
                else:
                    unlinked.append(account)
            else:
                unlinked.append(account)
                if account.debtor is not None:
                    links.unlink(tx, account.key)  # what the link rested on is no longer true
            if done % 500 == 0:
                progress("link", done, len(accounts))
        run.counts["unlinked"] = len(unlinked)
        near = [
            (one, other, score)
            for one, other, score in near_names(
                {a.key: bare_name(a.name) for a in unlinked if a.name},
                {o.key: bare_name(o.name) for o in owned if o.name} if unlinked else {},
            )
            if other not in split.get(one, set())
        ]
        for account_key, customer_key, score in near:
            run.counts["proposals"] += links.propose(tx, account_key, customer_key, score, "name")
        links.withdraw(tx, [(one, other) for one, other, _ in near])
    return run


def _one_person(owned: Iterable[CustomerRow], run: Run) -> list[list[CustomerRow]]:
    """ERP customers that share a usable tax id, by key; invalid codes and fillers are told, not used."""
    by_tax: dict[str, list[CustomerRow]] = defaultdict(list)
    for row in owned:
        plain, usable = normal_tax_id(row.tax_id), usable_tax_id(row.tax_id)
        if usable:
            by_tax[usable].append(row)
        elif plain and looks_chinese(plain):
            run.problem(
                Problem(
                    "tax_id",
                    f"{row.system}/customers/{row.ref}",
                    Text(
                        "The unified social credit code {code} has a wrong check character; it is not used to match.",
                        "统一社会信用代码 {code} 的校验码不正确，未用于匹配。",
                    ).fill(code=plain),
                    Text("Correct it there.", "请在该系统中更正。"),
                    "tax_id",
                )
            )
    groups = []
    for tax_id, rows in by_tax.items():
        if len(rows) > _TAX_ID_SHARED_MOST:
            run.problem(
                Problem(
                    "tax_id_shared",
                    f"{rows[0].system}/customers",
                    Text(
                        "{count} customers share the tax id {tax_id}; it is taken for a filler and not used.",
                        "{count} 个客户使用同一税号 {tax_id}；视为占位值，未用于匹配。",
                    ).fill(count=len(rows), tax_id=tax_id),
                    Text("Enter each customer's own tax id.", "请填写各客户自己的税号。"),
                    "tax_id",
                )
            )
        elif len(rows) > 1:
            groups.append(sorted(rows, key=lambda r: r.key))
    return groups


def _part(tx: Connection, owned: Iterable[CustomerRow], groups: Iterable[list[CustomerRow]]) -> int:
    """Gives customers that a shared tax id once made one debtor, and that share it no longer, debtors of their own."""
    together = [{r.key for r in group} for group in groups]
    mine = {r.key for r in owned}
    by_debtor: dict[int, list[links.LinkRow]] = defaultdict(list)
    for row in links.linked(tx):
        if row.customer in mine:
            by_debtor[row.debtor].append(row)
    alone = [
        row.customer
        for rows in by_debtor.values()
        if len(rows) > 1
        for row in rows
        if row.how == "tax_id"
        and not row.confirmed
        and not any(row.customer in keys and len({r.customer for r in rows} & keys) > 1 for keys in together)
    ]
    for key in alone:
        links.unlink(tx, key)
    links.ensure_debtors(tx, alone)
    return len(alone)


class _Index:
    """The ERP customers by each way in which they can be recognised."""

    def __init__(self, owned: Iterable[CustomerRow]) -> None:
        self.by_ref: dict[str, list[CustomerRow]] = defaultdict(list)
        self.by_tax: dict[str, list[CustomerRow]] = defaultdict(list)
        self.by_name: dict[str, list[CustomerRow]] = defaultdict(list)
        for row in owned:
            # A CRM may keep the ERP's id or the number that people see there.
            for number in {row.ref, row.external_id or row.ref}:
                self.by_ref[number].append(row)
            if tax_id := usable_tax_id(row.tax_id):
                self.by_tax[tax_id].append(row)
            if row.name:
                self.by_name[normal_name(row.name)].append(row)

    def match(self, account: CustomerRow, run: Run, split: set[int]) -> tuple[CustomerRow | None, str]:
        """The one customer an account is, and how that is known; None where it cannot be told or is contradictory."""
        tax_id = usable_tax_id(account.tax_id)
        by_tax = self._open(self.by_tax.get(tax_id, []) if tax_id else [], split)
        if account.external_id:
            by_ref = self._open(self.by_ref.get(account.external_id, []), split)
            if len(by_ref) == 1:
                stored = by_ref[0]
                if by_tax and all(t.debtor != stored.debtor for t in by_tax):
                    self._conflict(account, run, stored, by_tax[0])
                    return None, ""
                return stored, "external_id"
            if len(by_ref) > 1:
                self._ambiguous(account, run, by_ref, Text("customer no.", "客户编号"))
                return None, ""
            if self.by_ref:  # a ledger that could not be read yet knows nobody; that is told elsewhere
                self._unknown(account, run)
        for found, how, word in (
            (by_tax, "tax_id", Text("tax id", "税号")),
            (self._open(self.by_name.get(normal_name(account.name or ""), []), split), "name", Text("name", "名称")),
        ):
            if not found:
                continue
            if len({f.debtor for f in found}) > 1:
                self._ambiguous(account, run, found, word)
                return None, ""
            if how == "name" and tax_id and usable_tax_id(found[0].tax_id) not in (None, tax_id):
                continue  # the same name with another tax id is another legal person
            return found[0], how
        return None, ""

    @staticmethod
    def _open(found: list[CustomerRow], split: set[int]) -> list[CustomerRow]:
        return [f for f in found if f.key not in split]

    @staticmethod
    def _conflict(account: CustomerRow, run: Run, stored: CustomerRow, other: CustomerRow) -> None:
        run.problem(
            Problem(
                "link_conflict",
                f"{account.system}/customers/{account.ref}",
                Text(
                    "“{name}” names the ERP customer {one}, but its tax id is that of {two}. It is not linked.",
                    "“{name}”记录的 ERP 客户编号是 {one}，但税号属于 {two}。未建立关联。",
                ).fill(name=account.name, one=stored.ref, two=other.ref),
                Text(
                    "Correct one of them, or decide with `holdfast link confirm`.",
                    "请更正其中之一，或用 `holdfast link confirm` 决定。",
                ),
            )
        )

    @staticmethod
    def _unknown(account: CustomerRow, run: Run) -> None:
        run.problem(
            Problem(
                "external_id",
                f"{account.system}/customers/{account.ref}",
                Text("The ERP has no customer {ref}.", "ERP 中没有客户 {ref}。").fill(ref=account.external_id),
                Text("Correct the customer no. on the account.", "请更正客户记录上的客户编号。"),
                "external_id",
            )
        )

    @staticmethod
    def _ambiguous(account: CustomerRow, run: Run, found: list[CustomerRow], by: Text) -> None:
        run.problem(
            Problem(
                "link_ambiguous",
                f"{account.system}/customers/{account.ref}",
                Text(
                    "“{name}” fits {count} ERP customers by {by}: {refs}. It is not linked.",
                    "“{name}”按{by}对应 {count} 个 ERP 客户：{refs}。未建立关联。",
                ).fill(name=account.name, by=by, count=len(found), refs=", ".join(f.ref for f in found[:5])),
                Text("Decide with `holdfast link confirm`.", "请用 `holdfast link confirm` 决定。"),
            )
        )
