"""A small product, and a good adapter for it: the measure against which the suite itself is tested.

The product (“Tally”) has customers ordered by change time, tasks, fields one may add, a token that expires, and answers
row by row to a batch. The adapter is as plain as an adapter can be; `test_planted_bugs.py` breaks it in one place at a
time by overriding one method of its client or its sandbox.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connector.adapter import (
    Adapter,
    Block,
    Channel,
    Connection,
    Evidence,
    Finding,
    Need,
    Outcome,
    Page,
    Record,
    Secret,
    Stream,
    Write,
)
from connector.errors import ConfigError
from connector.hook import (
    Callback,
    Delivery,
    Event,
    Hook,
    Known,
    Refused,
    Subscription,
    Verified,
    channel_token,
    digest,
)
from connector.hook_body import object_of, text_of
from connector.hook_signing import stamp_and_body_signed
from connector.http import Answer, Limits, Renewed, Token
from connector.paging import by_keyset
from connector.sandbox import Handler, Reply, Request, Sandbox, SandboxOptions
from connector.sandbox_hooks import Sender
from connector.text import Text, same
from tests.conformance.world import NOON, Changes, Hooked, World

SIZE = 5
BATCH = 3
KNOWN = ("id", "name", "country", "balance", "modified", "_gone")

MAPPING = """
adapter = "tally"

[read.customer]
stream = "customers"
[read.customer.fields]
id = "id"
name = "name"
country = "country"

[write.customer_fields.fields]
credit_limit = { from = "limit", field = { label = "Credit limit", type = "money" } }

[write.hold.fields]
held = { from = "hold", field = { label = "Held", type = "boolean" } }

[write.task.fields]
subject = "subject"
task_key = "key"
"""


# --- the product -----------------------------------------------------------------------------------------------------
class Tally(Sandbox):
    """The product's API."""

    name = "tally"

    def __init__(self, options: SandboxOptions) -> None:
        self.sender = Sender()
        super().__init__(options)

    def stock(self) -> None:
        for number in range(1, 24):
            row = {
                "id": f"T{number:03d}",
                "name": f"客户 {number}",
                "country": "CN",
                "balance": Decimal("10.10") * number,
            }
            self.shelf.put("customer", row["id"], {**row, "modified": self.later()})
        self.shelf.put("field", "name", {"name": "name"})

    def credentials(self) -> Mapping[str, str]:
        return {"client_secret": "tally-secret-0001"}

    def later(self) -> str:
        """The product's clock: a minute later than the last time."""
        return (NOON - dt.timedelta(days=30) + dt.timedelta(minutes=self.shelf.next("~clock"))).isoformat()

    def expire(self) -> None:
        self.shelf.next("~token")

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        return [
            ("POST", "/token", self.token),
            ("GET", "/customers", self.customers),
            ("GET", "/ids", self.ids),
            ("GET", "/fields", self.fields),
            ("POST", "/fields", self.new_field),
            ("POST", "/batch", self.batch),
            ("GET", "/values", self.values),
            ("POST", "/tasks", self.new_task),
            ("GET", "/tasks", self.tasks),
            ("PUT", "/hook", self.hook),
            ("DELETE", "/hook", self.unhook),
        ]

    def _route(self, request: Request) -> Reply:
        current = int(self.shelf.get("~series", "~token") or 1)
        if request.path != "/token" and request.headers.get("authorization") != f"Bearer tally-token-{current:04d}":
            return Reply.json({"error": "token"}, 401)
        return super()._route(request)

    def token(self, request: Request) -> Reply:
        if request.form().get("client_secret") != "tally-secret-0001":
            return Reply.json({"error": "who are you"}, 403)
        return Reply.json({"token": f"tally-token-{int(self.shelf.get('~series', '~token') or 1):04d}"})

    def customers(self, request: Request) -> Reply:
        query = request.query
        unknown = [f for f in query.get("fields", "").split(",") if f and f not in KNOWN]
        if unknown:
            return Reply.json({"error": "unknown field", "field": unknown[0]}, 400)
        rows = sorted(self.shelf.all("customer"), key=lambda r: (r["modified"], r["id"]))
        if "offset" in query:
            rows = sorted(rows, key=lambda r: str(r["id"]))[int(query["offset"]) :]
        elif "after" in query:
            mark, _, key = query["after"].partition("|")
            rows = [r for r in rows if (r["modified"], r["id"]) > (mark, key)]
        elif "since" in query:
            rows = [r for r in rows if r["modified"] >= query["since"]]
        rows = rows[:SIZE]
        return Reply.json(rows, records=len(rows))

    def ids(self, request: Request) -> Reply:
        return Reply.json([r["id"] for r in self.shelf.all("customer")])

    def fields(self, request: Request) -> Reply:
        return Reply.json([f["name"] for f in self.shelf.all("field")])

    def new_field(self, request: Request) -> Reply:
        name = request.json()["name"]
        self.shelf.put("field", name, {"name": name})
        return Reply.json({}, 201, write=True)

    def batch(self, request: Request) -> Reply:
        rows = request.json()
        if len(rows) > BATCH:
            return Reply.json({"error": "too many"}, 400)
        answers: list[dict[str, str]] = []
        for place, row in enumerate(rows):
            there = self.shelf.get("customer", row["id"])
            if there is None or (self.faults.partial and place % 2):
                answers.append({"error": "no such customer" if there is None else "locked"})
                continue
            self.shelf.put("customer", row["id"], {**there, **row["values"], "modified": self.later()})
            answers.append({"id": row["id"]})
        return Reply.json(answers, records=len(rows), write=True)

    def values(self, request: Request) -> Reply:
        return Reply.json({k: self.shelf.get("customer", k) for k in request.query["ids"].split(",")})

    def new_task(self, request: Request) -> Reply:
        task = request.json()
        if self.shelf.get("customer", task["customer"]) is None:
            return Reply.json({"error": "no such customer"}, 422)
        key = f"K{self.shelf.next('task'):04d}"
        self.shelf.put("task", key, {**task, "id": key})
        return Reply.json({"id": key}, 201, records=1, write=True)

    def tasks(self, request: Request) -> Reply:
        return Reply.json([t for t in self.shelf.all("task") if t["task_key"] == request.query["key"]])

    def hook(self, request: Request) -> Reply:
        """One webhook, which lives three days; `renew` is for one that is there."""
        told = request.json()
        if told.get("renew") and self.shelf.get("~hook", "1") is None:
            return Reply.json({}, 200)
        until = (dt.datetime.now(dt.UTC) + dt.timedelta(days=3)).isoformat()
        if told.get("renew"):
            until = max(until, str(told["until"]))
        self.shelf.put("~hook", "1", {"url": told["url"], "key": told["key"]})
        return Reply.json({"id": "1", "until": until}, 200, write=True)

    def unhook(self, request: Request) -> Reply:
        self.shelf.drop("~hook", "1")
        return Reply.json({}, 200, write=True)

    def tell(self, key: str) -> None:
        """Calls whoever asked for it, signed with the key it was given."""
        if kept := self.shelf.get("~hook", "1"):
            body = json.dumps({"customer": key, "number": self.shelf.next("~told")}).encode()
            stamp = int(dt.datetime.now(dt.UTC).timestamp())
            signed = hmac.new(kept["key"].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
            self.sender.send(kept["url"], body, {"tally-signature": f"t={stamp},v1={signed}"})


# --- the adapter -----------------------------------------------------------------------------------------------------
class Settings(BaseModel):
    """What must be configured."""

    model_config = ConfigDict(extra="forbid")
    base_url: str = Field(description="Where it is.")


class Client:
    """The product as the adapter sees it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.desk = connection.http(connection.settings.base_url)
        self.http = self.opened(connection)

    def opened(self, connection: Connection) -> Any:
        return connection.http(connection.settings.base_url, auth=Renewed(self.token))

    def token(self) -> Token:
        form = {"client_secret": self.connection.secret("client_secret")}
        answer = self.desk.call("POST", "/token", safe=True, data=form, signed=False)
        return Token({"authorization": f"Bearer {answer.json()['token']}"}, float("inf"))

    # reading
    def get(self, path: str, **query: str) -> Any:
        return self.http.call("GET", f"{path}?{urllib.parse.urlencode(query)}", safe=True).json()

    def rows(self, **query: str) -> list[Record]:
        return [Record(r["id"], r) for r in self.get("/customers", **query)]

    def fetch(self, since: str | None, after: tuple[str, str] | None, fields: str) -> list[Record]:
        query = {"after": "|".join(after)} if after else {"since": since} if since else {}
        return self.rows(fields=fields, **query)

    def known(self, wanted: Sequence[str]) -> str:
        for name in wanted:
            if name not in KNOWN:
                raise ConfigError(Text("Tally has no field “{name}”.", "Tally 没有字段“{name}”。").fill(name=name))
        return ",".join(wanted)

    def customers(self, cursor: Any, wanted: Sequence[str]) -> Iterator[Page]:
        fields = self.known(wanted)
        return by_keyset(
            cursor,
            lambda since, after: self.fetch(since, after, fields),
            lambda r: str(r.data["modified"]),
            lambda r: r.key,
            SIZE,
            lambda mark: (dt.datetime.fromisoformat(mark) - dt.timedelta(minutes=2)).isoformat(),
        )

    def keys(self) -> Iterator[Sequence[str]]:
        yield self.get("/ids")

    # writing
    def outcome(self, answer: Mapping[str, str]) -> Outcome:
        if "error" in answer:
            why = Text("Tally refuses: {why}", "Tally 拒绝：{why}").fill(why=same(answer["error"]))
            return Outcome("rejected", why=why, code="refused")
        return Outcome("done", answer["id"])

    def post(self, path: str, value: Any, safe: bool) -> Answer:
        answer: Answer = self.http.call("POST", path, safe=safe, json=value)
        return answer

    def send(self, writes: Sequence[Write]) -> list[Outcome]:
        rows = [{"id": w.target, "values": dict(w.values)} for w in writes]
        return [self.outcome(a) for a in self.post("/batch", rows, safe=True).json()]

    def send_tasks(self, writes: Sequence[Write]) -> list[Outcome]:
        return [
            self.outcome(self.post("/tasks", {**w.values, "customer": w.target}, safe=False).json()) for w in writes
        ]

    def find(self, keys: Sequence[str]) -> dict[str, str]:
        return {key: found[0]["id"] for key in keys if (found := self.get("/tasks", key=key))}

    def current(self, targets: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        return {k: v for k, v in self.get("/values", ids=",".join(targets)).items() if v}

    # being called
    def heard(self, delivery: Delivery, known: Known) -> Verified | Refused:
        keys = tuple(channel_token(secret, known.system, "tally") for secret in known.secrets)
        if refused := self.proved(delivery, replace(known, secrets=keys)):
            return refused
        body = object_of(delivery.body)
        if isinstance(body, Refused):
            return body
        return Verified([self.event(text_of(body.get("customer")), text_of(body.get("number")))])

    def proved(self, delivery: Delivery, known: Known) -> Refused | None:
        return stamp_and_body_signed(delivery, known, header="tally-signature")

    def event(self, key: str, number: str) -> Event:
        return Event(digest(key, number), ("customers",), key)

    def subscribe(self, callback: Callback, streams: Sequence[str]) -> list[Subscription]:
        return [s for s in [self.asked(callback, streams)] if s]

    def renew(self, callback: Callback, one: Subscription) -> Subscription | None:
        until = (self.connection.clock.now() + dt.timedelta(days=3)).isoformat()
        return self.asked(callback, one.streams, renew=True, until=until)

    def asked(self, callback: Callback, streams: Sequence[str], **more: Any) -> Subscription | None:
        told = {"url": callback.address, "key": callback.token("tally"), **more}
        answer = self.http.call("PUT", "/hook", safe=True, json=told).json()
        until = dt.datetime.fromisoformat(answer["until"]) if "until" in answer else None
        return Subscription(answer["id"], tuple(streams), until) if answer else None

    def unsubscribe(self, subscriptions: Sequence[Subscription]) -> None:
        self.http.call("DELETE", "/hook", safe=True)

    # setting up
    def check(self, needs: Sequence[Need]) -> list[Finding]:
        there = self.get("/fields")
        found = [Finding("fine", Text("{system} answers", "{system} 可以连接").fill(system=self.connection.name))]
        for need in needs:
            if need.name not in there:
                fix = Text("Run `holdfast provision`.", "请运行 `holdfast provision`。")
                found.append(Finding("todo", Text(f"Field {need.name}", f"字段 {need.name}"), fix))
        return found

    def provision(self, needs: Sequence[Need], dry: bool) -> list[Finding]:
        there = self.get("/fields")
        found = []
        for need in needs:
            what = Text(f"Field {need.name}", f"字段 {need.name}")
            if need.name in there:
                found.append(Finding("fine", what))
            elif dry:
                found.append(Finding("would", what))
            else:
                self.post("/fields", {"name": need.name}, safe=True)
                found.append(Finding("made", what))
        return found


def adapter(client: type[Client] = Client, **changed: Any) -> Adapter[Client]:
    """The adapter of Tally, around a client of its own or a broken one."""
    members: dict[str, Any] = {
        "name": "tally",
        "title": Text("Tally", "Tally 账簿"),
        "roles": ("erp", "crm"),
        "settings": Settings,
        "secrets": (Secret("client_secret", Text("Client secret", "客户端密钥")),),
        "streams": (
            Stream(
                "customers",
                Text("Customers", "客户"),
                lambda client, cursor, wanted: client.customers(cursor, wanted),
                ("customer",),
                incremental=True,
                keys=lambda client: client.keys(),
                sweep="always",
            ),
        ),
        "channels": (
            Channel("customer_fields", "customers", lambda c, w: c.send(w), BATCH, current=lambda c, t: c.current(t)),
            Channel("hold", "customers", lambda c, w: c.send(w), BATCH, current=lambda c, t: c.current(t)),
            Channel("task", "tasks", lambda c, w: c.send_tasks(w), 1, find=lambda c, k: c.find(k)),
        ),
        "blocks": (
            Block(
                "native",
                "row_hold",
                Text("Tally refuses orders of a held customer", "Tally 拒绝被冻结客户的订单"),
                "customer",
                ("confirm",),
                "hold",
                Text("the customer's page", "客户页面"),
                stands=lambda c: Finding("fine", Text("Tally refuses", "Tally 会拒绝")),
            ),
            Block(
                "flag",
                "row_flag",
                Text("flag", "标志"),
                "customer",
                (),
                "hold",
                Text("the customer's page", "客户页面"),
            ),
        ),
        "open": client,
        "check": lambda client, needs: client.check(needs),
        "provision": lambda client, needs, dry: client.provision(needs, dry),
        "limits": Limits(in_flight=3),
        "hook": Hook(
            receive=lambda delivery, known: client.heard(client.__new__(client), delivery, known),
            by_hand=Text("Nothing to do by hand.", "无需手工设置。"),
            subscribe=lambda c, callback, streams: c.subscribe(callback, streams),
            renew=lambda c, callback, one: c.renew(callback, one),
            unsubscribe=lambda c, subscriptions: c.unsubscribe(subscriptions),
            renew_before=dt.timedelta(days=1),
        ),
        "evidence": (Evidence("documented", Text("Made up for the tests.", "为测试而虚构。")),),
        **changed,
    }
    return Adapter(**members)


# --- its world -------------------------------------------------------------------------------------------------------
def _touch(sandbox: Any) -> str:
    row = sandbox.shelf.get("customer", "T004")
    sandbox.shelf.put("customer", "T004", {**row, "name": row["name"] + "*", "modified": sandbox.later()})
    return "T004"


def _add(sandbox: Any) -> str:
    row = sandbox.shelf.all("customer")[0]
    sandbox.shelf.put("customer", "T900", {**row, "id": "T900", "modified": sandbox.later()})
    return "T900"


def _remove(sandbox: Any) -> str:
    sandbox.shelf.drop("customer", "T002")
    return "T002"


def _tie(sandbox: Any) -> str:
    now = sandbox.later()
    for row in sandbox.shelf.all("customer"):
        sandbox.shelf.put("customer", row["id"], {**row, "modified": now})
    return "T023"


def _edited(sandbox: Any) -> str:
    key = _touch(sandbox)
    sandbox.tell(key)
    return key


def _writes(name: str, *values: Any) -> Any:
    return lambda sandbox: [Write(f"w-{n}", f"T{n + 1:03d}", {name: value}) for n, value in enumerate(values)]


def _tasks(sandbox: Any) -> list[Write]:
    return [
        Write(f"overdue:{n}:2026-11", f"T{n:03d}", {"subject": "逾期", "task_key": f"overdue:{n}:2026-11"})
        for n in (1, 2, 3)
    ]


WORLD = World(
    settings=lambda sandbox, url: {"base_url": url},
    held=lambda sandbox, stream: {r["id"] for r in sandbox.shelf.all("customer")},
    changes={"customers": Changes(_touch, _add, _remove, _tie)},
    writes={
        "customer_fields": _writes("credit_limit", *(Decimal(f"{n}000.50") for n in range(1, 5))),
        "hold": _writes("held", True, True, True),
        "task": _tasks,
    },
    refused={
        "customer_fields": lambda sandbox: Write("bad", "T999", {"credit_limit": Decimal(1)}),
        "hold": lambda sandbox: Write("bad", "T999", {"held": True}),
        "task": lambda sandbox: Write("bad", "T999", {"subject": "x", "task_key": "bad"}),
    },
    stopped={"row_hold": lambda sandbox, key: bool(sandbox.shelf.get("customer", key).get("held"))},
    seen=lambda sandbox, kind, key: sandbox.shelf.get("task" if kind == "task" else "customer", key),
    count=lambda sandbox, kind: sandbox.shelf.count("task"),
    hook=Hooked(
        {"customers": _edited},
        sender=lambda sandbox: sandbox.sender,
        forget=lambda sandbox: sandbox.shelf.drop("~hook", "1"),
    ),
)


def make(options: SandboxOptions) -> Tally:
    return Tally(options)


def write_folder(at: Path) -> Path:
    """A folder as an adapter's should be."""
    home = at / "tally"
    (home / "samples").mkdir(parents=True)
    english, chinese = "How an admin connects it, step by step. " * 40, "管理员如何一步一步连接本系统。" * 20
    (home / "README.md").write_text(f"# Tally\n\n{english}\n\n## 中文\n\n{chinese}\n", encoding="utf-8")
    (home / "samples" / "customers.json").write_text('[{"id": "1", "name": "客户", "balance": 1.10}]', encoding="utf-8")
    return home
