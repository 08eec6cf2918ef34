"""A real Odoo: balances to the cent against SQL, both doors, changes, and what is written and refused there.

The server is `../shared/live/odoo` in a folder of its own: `HOLDFAST_ODOO_LAB` names the folder (it is brought up there
if need be; about two minutes from nothing). Three databases: the default business, another seed, and one to write into.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import Connection, Outcome, Write
from connector.clock import SystemClock
from connector.credit.ageing import OpenItem, age, open_items
from connector.credit.rates import Rates
from connector.errors import ConfigError, RejectedError
from connector.http import Http, Throttle
from connector.mapping import Context
from connector.model import Application, Document, Fact, Limit, OrderLine, Payment, Rate
from connector.money import rounded

SHARED = Path(__file__).resolve().parents[3] / "shared" / "live" / "odoo"
LAB = os.environ.get("HOLDFAST_ODOO_LAB", "")
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not (SHARED / "up").is_file(), reason="../shared/live/odoo is not there"),
    pytest.mark.skipif(not LAB, reason="HOLDFAST_ODOO_LAB names no folder for a real Odoo"),
]

ADAPTER = adapters.load("odoo")
BUSINESSES: dict[str, list[str]] = {
    "credit": [],
    "holdfast_seven": ["--seed", "7", "--customers", "40", "--invoices", "150"],
    "holdfast_crm": ["--seed", "11", "--customers", "24", "--invoices", "60"],
    "holdfast_holds": ["--seed", "23", "--customers", "12", "--invoices", "20"],
}


@dataclass
class Server:
    """One database of the real Odoo."""

    url: str
    db: str
    keys: dict[str, str]
    as_of: dt.date

    def client(
        self, key: str = "connector", *, roles: tuple[Any, ...] = ("erp",), admin: bool = False, **settings: Any
    ) -> Any:
        secrets = {"api_key": self.keys[key]} | ({"admin_key": self.keys["admin"]} if admin else {})

        def secret(name: str) -> str:
            if name not in secrets:
                raise ConfigError(f"no {name}")
            return secrets[name]

        assert ADAPTER.limits is not None
        throttle = Throttle(ADAPTER.limits)
        chosen = {"base_url": self.url, "database": self.db, "page_size": 200, **settings}
        return ADAPTER.open(
            Connection(
                name="odoo",
                settings=ADAPTER.settings.model_validate(chosen),
                secret=secret,
                http=lambda url, **more: Http(url, **{"system": "odoo", "throttle": throttle, **more}),
                clock=SystemClock(),
                roles=frozenset(roles),
            )
        )

    def truth(self, *arguments: str, stdin: str | None = None) -> str:
        command = [str(SHARED / "truth.py"), LAB, "--db", self.db, *arguments]
        done = subprocess.run(command, input=stdin, text=True, capture_output=True, check=False)
        assert done.stdout, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def server() -> Callable[[str], Server]:
    """Brings one database up; what is already there is kept."""
    known: dict[str, Server] = {}

    def brought(db: str) -> Server:
        if db not in known:
            command = [str(SHARED / "up"), LAB, "--db", db, *BUSINESSES[db]]
            done = subprocess.run(command, text=True, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            said = json.loads(done.stdout)
            known[db] = Server(said["url"], db, said["keys"], dt.date.fromisoformat(said["as_of"]))
        return known[db]

    return brought


def shipped() -> mappings.Mapping:
    mapping, problems = mappings.load(mappings.shipped("odoo"), name="odoo.toml", adapter=ADAPTER)
    assert mapping is not None, problems
    return mapping


class Book:
    """What the adapter has read so far, record by record, as the store would keep it."""

    def __init__(self, client: Any) -> None:
        self.client, self.mapping = client, shipped()
        self.cursors: dict[str, Any] = {}
        self.kept: dict[str, dict[str, list[Fact]]] = defaultdict(dict)

    def pull(self) -> Book:
        for name in self.mapping.streams():
            stream, last = ADAPTER.stream(name), None
            for page in stream.read(self.client, self.cursors.get(name), self.mapping.wanted(name)):
                for record in page.records:
                    context = Context("UTC", self.client.company["currency"], "odoo")
                    facts, problems = self.mapping.read(name, record, context=context)
                    assert problems == []
                    self.kept[name][record.key] = facts
                last = page
            assert last is not None
            self.cursors[name] = last.cursor
            if stream.keys:
                there = {k for keys in stream.keys(self.client) for k in keys}
                self.kept[name] = {k: v for k, v in self.kept[name].items() if k in there}
        return self

    def of(self, kind: type) -> list[Any]:
        return [f for records in self.kept.values() for facts in records.values() for f in facts if isinstance(f, kind)]

    def open(self, day: dt.date, ledger: str | None = None) -> dict[str, list[OpenItem]]:
        """Customer → open items of a day; in the ledger's currency by the documents' own base amounts."""
        documents, payments, applications = self.of(Document), self.of(Payment), self.of(Application)
        owner = {f.id: f.customer_id for f in [*documents, *payments]}
        if ledger:
            documents = [dataclasses.replace(d, currency=ledger, amount=d.base_amount) for d in documents]
            payments = [dataclasses.replace(p, currency=ledger, amount=p.base_amount) for p in payments]
            applications = [dataclasses.replace(a, amount=a.base_amount, from_amount=None) for a in applications]
        found: dict[str, list[OpenItem]] = defaultdict(list)
        for item in open_items(documents, [], payments, applications, day):
            found[owner[item.ref]].append(item)
        return found


@pytest.fixture(scope="session")
def read(server: Callable[[str], Server]) -> Callable[..., Book]:
    """A database read once, through one door."""
    known: dict[tuple[str, str], Book] = {}

    def one(db: str, transport: str = "json2") -> Book:
        if (db, transport) not in known:
            client = server(db).client(transport=transport, login="connector")
            known[db, transport] = Book(client).pull()
        return known[db, transport]

    return one


def days_before(day: dt.date) -> list[dt.date]:
    """Today, the end of an exchange-difference month, the middle of one, and far back."""
    month_end = day.replace(day=1) - dt.timedelta(days=1)
    return [day, month_end, day - dt.timedelta(days=47), day - dt.timedelta(days=250), day - dt.timedelta(days=380)]


def answer(customers: dict[str, list[OpenItem]], day: dt.date, currency: str) -> str:
    positions = []
    for customer, items in customers.items():
        aged = age(items, day)
        positions.append({
            "customer_id": customer, "currency": currency,
            "buckets": {k: str(rounded(v, currency)) for k, v in aged.buckets.items()},
            "unapplied": str(rounded(aged.unapplied, currency)), "balance": str(rounded(aged.total, currency)),
            "overdue": str(rounded(aged.overdue, currency)), "oldest_overdue_days": aged.oldest_overdue_days,
        })  # fmt: skip
    return json.dumps({"as_of": str(day), "positions": positions})


# --- reading -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("transport", ["json2", "jsonrpc"])
@pytest.mark.parametrize("db", ["credit", "holdfast_seven"])
@pytest.mark.parametrize("ago", range(5))
def test_every_customer_to_the_cent_in_the_ledgers_view(
    server: Callable[[str], Server], read: Callable[..., Book], db: str, transport: str, ago: int
) -> None:
    odoo, book = server(db), read(db, transport)
    day = days_before(odoo.as_of)[ago]
    found = book.open(day, "USD")
    said = odoo.truth("--as-of", str(day), "--compare", "-", stdin=answer(found, day, "USD"))
    assert said.startswith("no difference"), said
    assert sum(bool(items) for items in found.values()) > (10 if ago < 4 else 2)


@pytest.mark.parametrize("ago", range(3))
def test_every_customer_to_the_cent_at_the_days_rates(
    server: Callable[[str], Server], read: Callable[..., Book], ago: int
) -> None:
    odoo, book = server("credit"), read("credit")
    day = days_before(odoo.as_of)[ago]
    rates = Rates(book.of(Rate), "USD", 400)
    found: dict[str, list[OpenItem]] = {}
    for customer, items in book.open(day).items():
        converted = []
        for item in items:
            amount = rates.convert(item.amount, item.currency, "USD", day)
            assert amount is not None
            converted.append(dataclasses.replace(item, currency="USD", amount=amount))
        found[customer] = converted
    said = odoo.truth("--as-of", str(day), "--rates", "as-of", "--compare", "-", stdin=answer(found, day, "USD"))
    assert said.startswith("no difference"), said


def test_exchange_differences_taken_by_their_own_date_would_not_tie(
    server: Callable[[str], Server], read: Callable[..., Book]
) -> None:
    """The business has what the tests above are about: three currencies, and differences booked at the month's end."""
    odoo, book = server("credit"), read("credit")
    assert {i.currency for items in book.open(odoo.as_of).values() for i in items} >= {"USD", "EUR", "JPY"}
    client = book.client
    causes = client.rows(
        "account.partial.reconcile", [["exchange_move_id", "!=", False]], ["exchange_move_id", "max_date"]
    )
    entries = [["id", "in", [c["exchange_move_id"] for c in causes]]]
    booked = {r["id"]: r["date"] for r in client.rows("account.move", entries, ["date"])}
    early = [c for c in causes if c["max_date"] < booked[c["exchange_move_id"]]]
    assert early
    day = dt.date.fromisoformat(early[0]["max_date"])
    lines = client.look_up("account.move.line", "move_id", [int(d.id) for d in book.of(Document) if d.amount == 0])
    late = {str(line) for line, move in lines.items() if booked.get(move, "") > str(day)}
    assert late
    literal = Book(client)
    for name, records in book.kept.items():
        for key, facts in records.items():
            literal.kept[name][key] = [f for f in facts if getattr(f, "id", "") not in late]
    said = odoo.truth("--as-of", str(day), "--compare", "-", stdin=answer(literal.open(day, "USD"), day, "USD"))
    assert "differences)" in said, said


@pytest.mark.parametrize("db", ["credit", "holdfast_seven"])
def test_limits_and_open_orders(server: Callable[[str], Server], read: Callable[..., Book], db: str) -> None:
    odoo, book = server(db), read(db)
    truth = {p["customer_id"]: p for p in json.loads(odoo.truth())["positions"]}
    limits = {f.customer_id: f for f in book.of(Limit)}
    compared = 0
    for customer, position in truth.items():
        if position["limit"]["kind"] == "none":
            assert customer not in limits
        else:
            assert limits[customer].amount == int(Decimal(position["limit"]["amount"]) * 100)
            compared += 1
    assert compared > 10
    # Orders: by line without the advances as in the truth's lines; with them it is what is not billed yet.
    rates = {r["id"]: r for r in book.client.rows("sale.order", [], ["currency_rate"])}
    orders = {
        f.id: f for f in (x for records in book.kept["orders"].values() for x in records) if hasattr(f, "ordered_on")
    }
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for line in book.of(OrderLine):
        order = orders[line.order_id]
        if order.status not in ("open", "closed") or line.unit_price < 0:
            continue
        gross = line.unit_price * (1 + (line.tax_rate or 0)) / rates[int(order.id)]["currency_rate"]
        done, billed = line.quantity_delivered or Decimal(0), line.quantity_invoiced or Decimal(0)
        own = sums[order.customer_id]
        own[0] += max(done - billed, Decimal(0)) * gross
        own[1] += max(line.quantity - max(done, billed), Decimal(0)) * gross
    for customer, position in truth.items():
        expected = position["orders"]
        assert str(rounded(sums[customer][0], "USD")) == expected["delivered_not_invoiced"], customer
        assert str(rounded(sums[customer][1], "USD")) == expected["ordered_not_delivered"], customer
    assert sum(a + b for a, b in sums.values()) > 0


def test_an_advance_leaves_what_is_not_billed(server: Callable[[str], Server], read: Callable[..., Book]) -> None:
    manifest = json.loads((Path(LAB) / "db" / "credit.json").read_text(encoding="utf-8"))
    book = read("credit")
    for order in manifest["special"]["down_payment_orders"]:
        lines = [x for x in book.of(OrderLine) if x.order_id == str(order)]
        advance = [x for x in lines if x.unit_price < 0]
        rest = sum(
            (x.quantity - max(x.quantity_delivered or Decimal(0), x.quantity_invoiced or Decimal(0)))
            * x.unit_price * (1 + (x.tax_rate or 0)) for x in lines
        )  # fmt: skip
        row = book.client.rows("sale.order", [["id", "=", order]], ["amount_total", "invoice_status"])[0]
        if advance:
            delivered = sum((x.quantity_delivered or Decimal(0)) for x in lines)
            if not delivered:
                # 30 % were asked for in advance, to the cent
                assert abs(rest - row["amount_total"] * Decimal("0.7")) <= Decimal("0.02")


def test_both_doors_say_the_same(read: Callable[..., Book]) -> None:
    one, other = read("holdfast_seven"), read("holdfast_seven", "jsonrpc")
    assert one.kept == other.kept
    assert sum(len(v) for v in one.kept.values()) > 500


def test_a_salespersons_key_is_told_that_it_sees_a_part_only(server: Callable[[str], Server]) -> None:
    found = ADAPTER.check(server("credit").client("sales"), [])
    wrong = [f for f in found if f.state == "wrong"]
    assert len(wrong) == 1
    assert wrong[0].fix is not None
    assert "only a part of the items" in wrong[0].fix.en
    assert {f.state for f in ADAPTER.check(server("credit").client("readonly"), [])} == {"fine"}


# --- changes -------------------------------------------------------------------------------------------------------------
def test_changes_bring_the_book_to_what_a_full_reading_says(server: Callable[[str], Server]) -> None:
    """Sold, paid, un-reconciled, reset to draft, deleted, blocked, in two currencies: then both readings are equal."""
    odoo = server("holdfast_crm")
    admin = odoo.client("admin")
    book = Book(odoo.client(overlap_minutes=0)).pull()
    customer = int(next(k for k, v in book.kept["customers"].items() if v))
    today = dt.date.today()  # noqa: DTZ011 - the lab's own day

    def do(model: str, method: str, **arguments: Any) -> Any:
        return admin.call(model, method, safe=False, **arguments)

    def line(text: str, price: float) -> list[Any]:
        return [0, 0, {"name": text, "quantity": 1, "price_unit": price, "tax_ids": [[6, 0, []]]}]

    euro = admin.rows("res.currency", [["name", "=", "EUR"]], ["name"])[0]["id"]
    moves = do("account.move", "create", vals_list=[
        {"move_type": "out_invoice", "partner_id": customer, "invoice_date": str(today - dt.timedelta(days=n)),
         "invoice_line_ids": [line("Goods", 100.0 + n)], **({"currency_id": euro} if n == 3 else {})}
        for n in (1, 2, 3, 70)
    ])  # fmt: skip
    do("account.move", "action_post", ids=moves)
    mid = Book(odoo.client()).pull()
    book.pull()
    assert book.kept == mid.kept
    assert {str(d.id) for d in book.of(Document)} >= set(_lines(admin, moves))

    register = do("account.payment.register", "create", vals_list=[{"payment_date": str(today)}],
                  context={"active_model": "account.move", "active_ids": [moves[3]]})  # fmt: skip
    do("account.payment.register", "action_create_payments", ids=register,
       context={"active_model": "account.move", "active_ids": [moves[3]]})  # fmt: skip
    foreign = do("account.payment.register", "create", vals_list=[{"payment_date": str(today)}],
                 context={"active_model": "account.move", "active_ids": [moves[2]]})  # fmt: skip
    do("account.payment.register", "action_create_payments", ids=foreign,
       context={"active_model": "account.move", "active_ids": [moves[2]]})  # fmt: skip
    do("account.move", "action_toggle_block_payment", ids=[moves[0]])
    book.pull()
    assert book.kept == Book(odoo.client()).pull().kept
    assert next(d for d in book.of(Document) if d.id in _lines(admin, moves[:1])).disputed_amount == 10100

    paid = _lines(admin, moves[3:])
    do("account.move.line", "remove_move_reconcile", ids=[int(k) for k in paid])
    do("account.move", "button_draft", ids=[moves[1]])
    do("account.move", "unlink", ids=[moves[1]])
    do("account.move", "action_toggle_block_payment", ids=[moves[0]])
    book.pull()
    assert book.kept == Book(odoo.client()).pull().kept
    day = odoo.as_of if odoo.as_of > today else today
    said = odoo.truth("--as-of", str(day), "--compare", "-", stdin=answer(book.open(day, "USD"), day, "USD"))
    assert said.startswith("no difference"), said


def _lines(client: Any, moves: list[int]) -> list[str]:
    domain = [["move_id", "in", moves], ["account_type", "=", "asset_receivable"]]
    return [str(i) for i in client.ids("account.move.line", domain)]


# --- writing -------------------------------------------------------------------------------------------------------------
def needs() -> list[Any]:
    mapping = shipped()
    return [n for c in ADAPTER.channels for n in mapping.needs(c.kind, c.object)]


@pytest.fixture(scope="session")
def crm(server: Callable[[str], Server]) -> Any:
    """The database to write into, set up by an administrator, seen by the bot."""
    client = server("holdfast_crm").client(roles=("crm",), admin=True)
    assert ADAPTER.provision is not None
    first = ADAPTER.provision(client, needs(), False)
    assert {f.state for f in first} <= {"made", "fine"}
    return client


def send(client: Any, kind: str, *writes: Write) -> list[Outcome]:
    channel = ADAPTER.channel(kind)
    assert channel is not None
    return list(channel.send(client, writes))


def test_set_up_once_is_set_up(crm: Any) -> None:
    assert ADAPTER.provision is not None
    assert {f.state for f in ADAPTER.provision(crm, needs(), False)} == {"fine"}
    assert {f.state for f in ADAPTER.check(crm, needs())} == {"fine"}


def test_without_an_administrator_there_is_a_checklist(server: Callable[[str], Server], crm: Any) -> None:
    bot = server("holdfast_crm").client(roles=("crm",))
    todo = [f for f in ADAPTER.check(bot, needs()) if f.state != "fine"]
    assert [f.state for f in todo] == ["todo"] * 4
    assert all("admin_key" in str(f.fix) for f in todo)


def test_fields_are_written_and_bad_ones_found(crm: Any) -> None:
    ids = [str(i) for i in crm.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=5)]
    writes = [
        Write(
            "a",
            ids[0],
            {"x_credit_level": "Good", "x_credit_limit": Decimal("123456.78"), "x_credit_as_of": "2026-11-23"},
        ),
        Write("b", "99999999", {"x_credit_level": "Good"}),
        Write("c", ids[1], {"x_credit_level": "Nonsense"}),
        Write("d", ids[2], {"x_credit_level": "Stop", "x_credit_currency": None}),
        Write("e", ids[3], {"x_credit_level": "Stop", "x_credit_currency": None}),
    ]
    outcomes = send(crm, "customer_fields", *writes)
    assert [o.state for o in outcomes] == ["done", "rejected", "rejected", "done", "done"]
    channel = ADAPTER.channel("customer_fields")
    assert channel is not None
    assert channel.current is not None
    now = channel.current(crm, ids)
    assert (now[ids[0]]["x_credit_level"], now[ids[0]]["x_credit_limit"]) == ("Good", Decimal("123456.78"))
    assert now[ids[0]]["x_credit_as_of"] == "2026-11-23"
    assert [now[ids[n]]["x_credit_level"] for n in (2, 3)] == ["Stop", "Stop"]


def test_a_held_order_is_refused_for_everybody_and_let_go_when_released(
    server: Callable[[str], Server], crm: Any
) -> None:
    odoo = server("holdfast_crm")
    order = crm.rows("sale.order", [["state", "in", ["draft", "sent"]]], ["name", "partner_id"], limit=1)[0]
    customer = str(crm.commercial([order["partner_id"]])[order["partner_id"]])
    sales, admin = odoo.client("sales"), odoo.client("admin")

    def state() -> str:
        return str(crm.rows("sale.order", [["id", "=", order["id"]]], ["state"])[0]["state"])

    before = state()
    (held,) = send(
        crm, "hold", Write("h", customer, {"x_credit_hold": True, "x_credit_hold_reason": "Overdue 45 days"})
    )
    assert held.state == "done"
    channel = ADAPTER.channel("hold")
    assert channel is not None
    assert channel.current is not None
    assert channel.current(crm, [customer])[customer]["x_credit_hold"] is True
    for who in (sales, admin):
        with pytest.raises(RejectedError) as refused:
            who.call("sale.order", "action_confirm", safe=False, ids=[order["id"]])
        assert f"order {order['name']} of " in refused.value.user.en
        assert "Overdue 45 days" in refused.value.user.en
    with pytest.raises(RejectedError, match="Credit hold"):
        admin.call("sale.order", "write", safe=False, ids=[order["id"]], vals={"state": "sale"})
    with pytest.raises(RejectedError, match="信用冻结：订单"):
        sales.call("sale.order", "action_confirm", safe=False, ids=[order["id"]], context={"lang": "zh_CN"})
    assert state() == before

    send(crm, "hold", Write("h", customer, {"x_credit_hold": False, "x_credit_hold_reason": None}))
    own = {"x_credit_hold": True, "x_credit_hold_reason": "Over the limit by 9,900.00"}
    assert send(crm, "order_fields", Write("o", str(order["id"]), own))[0].state == "done"
    with pytest.raises(RejectedError, match=r"Over the limit by 9,900\.00"):
        sales.call("sale.order", "action_confirm", safe=False, ids=[order["id"]])
    send(crm, "order_fields", Write("o", str(order["id"]), {"x_credit_hold": False, "x_credit_hold_reason": None}))
    assert sales.call("sale.order", "action_confirm", safe=False, ids=[order["id"]])
    assert state() == "sale"
    for back in ("action_cancel", "action_draft"):
        admin.call("sale.order", back, safe=False, ids=[order["id"]])


# --- single orders, with the Inventory app -----------------------------------------------------------------------------
@dataclass
class Shop:
    """A database with the Inventory app: the bot, an administrator, a salesperson."""

    crm: Any
    admin: Any
    sales: Any

    def order(self, price: str = "100.00") -> int:
        """A quotation over one piece of goods."""
        goods = self.admin.ids("product.product", [["type", "=", "consu"], ["sale_ok", "=", True]], limit=1)[0]
        customer = self.crm.rows("sale.order", [], ["partner_id"], limit=1)[0]["partner_id"]
        line = {"product_id": goods, "product_uom_qty": 1, "price_unit": float(price)}
        values = {"partner_id": customer, "order_line": [[0, 0, line]]}
        return int(self.sales.call("sale.order", "create", safe=False, vals_list=[values])[0])

    def hold(self, order: int, held: bool = True) -> None:
        values = {"x_credit_hold": held, "x_credit_hold_reason": "Over the limit by 9,900.00" if held else None}
        assert send(self.crm, "order_fields", Write("o", str(order), values))[0].state == "done"

    def hold_customer(self, order: int, held: bool) -> None:
        contact = self.crm.rows("sale.order", [["id", "=", order]], ["partner_id"])[0]["partner_id"]
        company = str(self.crm.commercial([contact])[contact])
        values = {"x_credit_hold": held, "x_credit_hold_reason": "Overdue 45 days" if held else None}
        assert send(self.crm, "hold", Write("h", company, values))[0].state == "done"

    def confirm(self, order: int) -> Any:
        return self.sales.call("sale.order", "action_confirm", safe=False, ids=[order])

    def state(self, order: int) -> str:
        return str(self.crm.rows("sale.order", [["id", "=", order]], ["state"])[0]["state"])


@pytest.fixture(scope="module")
def shop(server: Callable[[str], Server]) -> Shop:
    odoo = server("holdfast_holds")
    admin = odoo.client("admin")
    app = admin.rows("ir.module.module", [["name", "=", "sale_stock"]], ["state"])[0]
    if app["state"] != "installed":
        admin.call("ir.module.module", "button_immediate_install", safe=False, ids=[app["id"]])
        admin = odoo.client("admin")
    crm = odoo.client(roles=("crm",), admin=True)
    assert ADAPTER.provision is not None
    assert {f.state for f in ADAPTER.provision(crm, needs(), False)} <= {"made", "fine"}
    assert {f.state for f in ADAPTER.check(crm, needs())} == {"fine"}
    return Shop(crm, admin, odoo.client("sales"))


def test_every_way_that_is_declared_stands(shop: Shop) -> None:
    native = [block for block in ADAPTER.blocks if block.kind == "native"]
    assert {block.reach for block in native} == {"order", "customer"}
    for block in native:
        assert block.stands is not None
        found = block.stands(shop.crm)
        assert found is not None
        assert found.state == "fine"
        assert block.stands(shop.sales) is None, "a salesperson's key may not look at rules: that proves nothing"


def test_a_held_order_is_neither_confirmed_nor_raised_nor_delivered(shop: Shop) -> None:
    order = shop.order()
    shop.hold(order)
    with pytest.raises(RejectedError, match=r"cannot be confirmed\. Over the limit by 9,900\.00"):
        shop.confirm(order)
    assert shop.state(order) == "draft"
    shop.hold(order, False)
    shop.confirm(order)
    assert shop.state(order) == "sale"

    shop.hold(order)
    [line] = shop.crm.ids("sale.order.line", [["order_id", "=", order]])
    for who in (shop.sales, shop.admin):
        with pytest.raises(RejectedError, match="cannot be raised"):
            who.call("sale.order.line", "write", safe=False, ids=[line], vals={"price_unit": 100.01})
    assert shop.sales.call("sale.order.line", "write", safe=False, ids=[line], vals={"price_unit": 99.0})
    [picking] = shop.admin.ids("stock.picking", [["sale_id", "=", order]])
    with pytest.raises(RejectedError, match="cannot be delivered"):
        shop.admin.call("stock.picking", "button_validate", safe=False, ids=[picking])
    shop.hold(order, False)
    assert shop.admin.call("stock.picking", "button_validate", safe=False, ids=[picking])
    assert shop.admin.rows("stock.picking", [["id", "=", picking]], ["state"])[0]["state"] == "done"


def test_a_released_order_of_a_held_customer_goes_on_and_others_do_not(shop: Shop) -> None:
    released, other = shop.order(), shop.order()
    shop.hold_customer(released, True)
    try:
        with pytest.raises(RejectedError, match="Overdue 45 days"):
            shop.confirm(released)
        assert send(shop.crm, "order_fields", Write("r", str(released), {"x_credit_released": True}))[0].state == "done"
        shop.confirm(released)
        assert shop.state(released) == "sale"
        with pytest.raises(RejectedError, match="cannot be confirmed"):
            shop.confirm(other)
    finally:
        shop.hold_customer(released, False)


def test_a_salesperson_neither_lifts_the_hold_of_an_order_nor_marks_it_as_released(shop: Shop) -> None:
    order = shop.order()
    shop.hold(order)
    for name, value in (("x_credit_hold", False), ("x_credit_released", True)):
        with pytest.raises(RejectedError, match="decided by credit control"):
            shop.sales.call("sale.order", "write", safe=False, ids=[order], vals={name: value})
    assert shop.sales.call("sale.order", "write", safe=False, ids=[order], vals={"client_order_ref": "PO 7"})
    shop.hold(order, False)


def test_a_salesperson_cannot_lift_a_hold_and_can_do_the_rest(server: Callable[[str], Server], crm: Any) -> None:
    customer = crm.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=1)[0]
    sales = server("holdfast_crm").client("sales")
    send(crm, "hold", Write("h", str(customer), {"x_credit_hold": True, "x_credit_hold_reason": "Overdue"}))

    def write(who: Any, **values: Any) -> Any:
        return who.call("res.partner", "write", safe=False, ids=[customer], vals=values)

    with pytest.raises(RejectedError, match="decided by credit control"):
        write(sales, x_credit_hold=False)
    assert write(sales, x_credit_hold=True, phone="+1 555 0199")
    made = sales.call("res.partner", "create", safe=False, vals_list=[{"name": "Newcomer", "x_credit_hold": False}])
    assert made
    send(crm, "hold", Write("h", str(customer), {"x_credit_hold": False, "x_credit_hold_reason": None}))
    with pytest.raises(RejectedError, match="decided by credit control"):
        write(sales, x_credit_hold=True)
    assert write(server("holdfast_crm").client("admin"), x_credit_hold=False)


def test_a_changed_guard_is_noticed_and_mended(server: Callable[[str], Server], crm: Any) -> None:
    admin = server("holdfast_crm").client("admin")
    rule = admin.ids("base.automation", [["name", "=", "Holdfast: refuse held orders"]])
    admin.call("base.automation", "write", safe=False, ids=rule, vals={"active": False})
    try:
        wrong = [f for f in ADAPTER.check(crm, needs()) if f.state == "wrong"]
        assert len(wrong) == 1
        assert "active" in str(wrong[0].fix)
    finally:
        assert ADAPTER.provision is not None
        ADAPTER.provision(crm, needs(), False)
    assert {f.state for f in ADAPTER.check(crm, needs())} == {"fine"}


def test_a_to_do_is_made_once_and_found_again_when_done(crm: Any) -> None:
    customer = str(crm.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=1)[0])
    user = str(crm.rows("res.users", [["share", "=", False], ["active", "=", True]], ["name"], limit=9)[-1]["id"])
    key = f"overdue/{customer}/{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S%f}"
    values = {"res_id": customer, "summary": "催收 Call", "note": "Owes <1,234.00> & more\nsince October",
              "date_deadline": "2026-12-01", "user_id": user, "x_credit_task_key": key}  # fmt: skip
    outcomes = send(
        crm, "task", Write(key, customer, values), Write(key + "x", "99999999", {**values, "res_id": "99999999"})
    )
    assert [o.state for o in outcomes] == ["done", "rejected"]
    channel = ADAPTER.channel("task")
    assert channel is not None
    assert channel.find is not None
    assert channel.find(crm, [key, key + "x"]) == {key: outcomes[0].remote_id}
    made = crm.rows(
        "mail.activity", [["id", "=", int(outcomes[0].remote_id)]], ["summary", "note", "user_id", "res_id"]
    )[0]
    assert (made["summary"], made["user_id"], made["res_id"]) == ("催收 Call", int(user), int(customer))
    assert made["note"] == "<p>Owes &lt;1,234.00&gt; &amp; more<br>since October</p>"
    crm.call("mail.activity", "action_feedback", safe=False, ids=[made["id"]], feedback="Promised")
    assert channel.find(crm, [key]) == {key: outcomes[0].remote_id}


def test_to_dos_are_marked_as_done_and_not_against_a_person(crm: Any) -> None:
    customer = str(crm.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=1)[0])
    stamp = f"{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S%f}"
    values = {"res_id": customer, "summary": "Call", "note": "x", "date_deadline": "2026-12-01"}
    keys = [f"close/{stamp}/{n}" for n in range(4)]
    made = [
        o.remote_id for o in send(crm, "task", *(Write(k, customer, {**values, "x_credit_task_key": k}) for k in keys))
    ]
    crm.call("mail.activity", "action_feedback", safe=False, ids=[int(made[1])], feedback="Promised")
    crm.call("mail.activity", "unlink", safe=False, ids=[int(made[2])])
    writes = [Write(k, one, {"feedback": "事项已处理完毕。"}) for k, one in zip(keys, made, strict=True)]
    for _ in range(2):
        assert [(o.state, o.remote_id) for o in send(crm, "close_task", *writes)] == [("done", one) for one in made]
    rows = crm.rows("mail.activity", [["id", "in", [int(one) for one in made]], ["active", "in", [True, False]]],
                    ["active", "feedback", "date_done"])  # fmt: skip
    assert [(r["active"], r["feedback"]) for r in rows] == [
        (False, "事项已处理完毕。"), (False, "Promised"), (False, "事项已处理完毕。"),
    ]  # fmt: skip
    told = crm.rows("mail.message", [["res_id", "=", int(customer)], ["body", "like", "事项已处理完毕"]], ["date"])
    assert len(told) >= 2


def test_limits_are_written_in_the_company(crm: Any) -> None:
    ids = [str(i) for i in crm.ids("res.partner", [["is_company", "=", True], ["customer_rank", ">", 0]], limit=2)]
    outcomes = send(
        crm,
        "limit",
        Write("a", ids[0], {"credit_limit": Decimal("7777.50")}),
        Write("b", ids[1], {"credit_limit": Decimal(0)}),
    )
    assert [(o.state, o.code) for o in outcomes] == [("done", ""), ("rejected", "zero_limit")]
    assert crm.rows("res.partner", [["id", "=", int(ids[0])]], ["credit_limit"])[0]["credit_limit"] == Decimal("7777.5")
