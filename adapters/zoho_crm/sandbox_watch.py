"""The sandbox's notifications: channels that live a week at most, and calls to their addresses when a record changes."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Mapping
from typing import Any

from adapters.zoho_crm import sandbox_metadata as metadata
from adapters.zoho_crm.sandbox_records import NO_BODY, Records, Row, failure, refusal
from connector.sandbox import Reply, Request
from connector.sandbox_hooks import Sender

_LIFE_DEFAULT, _LIFE_MOST = dt.timedelta(hours=1), dt.timedelta(days=7)
_OPERATIONS = {"insert": "create", "update": "edit", "delete": "delete"}
_KEPT = "~channels"


class Watch:
    """All channels of the organisation, on the sandbox's shelf."""

    def __init__(self, records: Records, sender: Sender) -> None:
        self.records, self.sender = records, sender

    # --- what happens -----------------------------------------------------------------------------------------------------
    def changed(self, module: str, key: str, operation: str) -> None:
        """A record was inserted, updated or deleted: every live channel that asked for it is called."""
        for channel in self.records.shelf.all(_KEPT):
            wanted = {f"{module}.all", f"{module}.{_OPERATIONS[operation]}"} & set(channel["events"])
            if wanted and self._lives(channel):
                self.sender.send(channel["notify_url"], self._told(channel, module, key, operation),
                                 {"content-type": "application/json"})  # fmt: skip

    def _told(self, channel: Row, module: str, key: str, operation: str) -> bytes:
        told = {
            "server_time": int(time.time() * 1000),
            "affected_values": [],
            "query_params": {},
            "module": module,
            "resource_uri": f"https://www.zohoapis.com/crm/v8/{module}",
            "ids": [key],
            "affected_fields": [],
            "operation": operation,
            "channel_id": channel["channel_id"],
            "token": channel["token"],
        }
        return json.dumps(told).encode()

    @staticmethod
    def _lives(channel: Row) -> bool:
        return dt.datetime.fromisoformat(channel["channel_expiry"]) > dt.datetime.now(dt.UTC)

    def expire(self) -> None:
        """As if a week had gone by: every channel has ended."""
        for channel in self.records.shelf.all(_KEPT):
            self.records.shelf.put(
                _KEPT, channel["channel_id"], channel | {"channel_expiry": "2020-01-01T00:00:00+00:00"}
            )

    # --- what is asked ------------------------------------------------------------------------------------------------------
    def answer(self, request: Request) -> Reply:
        """`/actions/watch` by any method."""
        if request.method == "GET":
            return self._list()
        if request.method == "DELETE":
            return self._delete(request.query.get("channel_ids", ""))
        bodies = request.json()["watch"]
        if len(bodies) > 50:
            return refusal("LIMIT_REACHED", "too many channels")
        rows = [self._put(body, place, new=request.method == "POST") for place, body in enumerate(bodies)]
        good = sum(row["status"] == "success" for row in rows)
        fine = 201 if request.method == "POST" else 200
        return Reply.json({"watch": rows}, fine if good == len(rows) else 207 if good else 400,
                          records=good, write=good > 0)  # fmt: skip

    def _list(self) -> Reply:
        live = [channel for channel in self.records.shelf.all(_KEPT) if self._lives(channel)]
        if not live:
            return NO_BODY
        shown = [
            {**channel, "resource_uri": self._uri(module), "resource_name": module, "resource_id": _resource(module),
             "fields": None, "notification_condition": None, "notify_on_related_action": True,
             "return_affected_field_values": False}
            for channel in live for module in sorted({e.partition(".")[0] for e in channel["events"]})
        ]  # fmt: skip
        info = {"per_page": 200, "count": len(shown), "page": 1, "more_records": False}
        return Reply.json({"watch": shown, "info": info}, records=len(shown))

    def _put(self, body: Mapping[str, Any], place: int, *, new: bool) -> Row:
        channel = str(body.get("channel_id") or "")
        kept = self.records.shelf.get(_KEPT, channel)

        def wrong(name: str) -> Row:
            return failure("INVALID_DATA", "invalid data", {"api_name": name, "json_path": f"$.watch[{place}].{name}"})

        if not channel.isdigit() or len(channel) > 64:
            return wrong("channel_id")
        if not new and (kept is None or not self._lives(kept)):
            return failure("NOT_SUBSCRIBED", "not subscribed to any notification")
        url = str(body.get("notify_url") or "")
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")) or len(url) > 255:
            return wrong("notify_url")
        if len(str(body.get("token") or "")) > 50:
            return wrong("token")
        events = body.get("events")
        if not isinstance(events, list) or not events or not all(self._is_event(e) for e in events):
            return wrong("events")
        until = self._until(body.get("channel_expiry"))
        if until is None:
            return wrong("channel_expiry")
        made = {"channel_id": channel, "events": events, "channel_expiry": until.isoformat(), "notify_url": url,
                "token": body.get("token")}  # fmt: skip
        self.records.shelf.put(_KEPT, channel, made)
        modules = sorted({event.partition(".")[0] for event in events})
        told = [
            {"channel_expiry": until.isoformat(), "resource_uri": self._uri(m), "resource_id": _resource(m),
             "resource_name": m, "channel_id": channel}
            for m in modules
        ]  # fmt: skip
        said = (
            "Successfully subscribed for actions-watch of the given module"
            if new
            else "Successfully updated the channel"
        )
        return {"code": "SUCCESS", "details": {"events": told}, "message": said, "status": "success"}

    def _is_event(self, event: Any) -> bool:
        module, _, operation = str(event).partition(".")
        return self.records.has(module) and operation in ("all", *_OPERATIONS.values())

    @staticmethod
    def _until(given: Any) -> dt.datetime | None:
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        if given is None:
            return now + _LIFE_DEFAULT
        try:
            until = dt.datetime.fromisoformat(str(given))
        except ValueError:
            return None
        return until if until.tzinfo and now < until <= now + _LIFE_MOST else None

    def _delete(self, ids: str) -> Reply:
        rows = []
        for channel in [c for c in ids.split(",") if c]:
            if self.records.shelf.get(_KEPT, channel) is None:
                rows.append(failure("NOT_SUBSCRIBED", "not subscribed to any notification"))
                continue
            self.records.shelf.drop(_KEPT, channel)
            details = {
                "resource_uri": self._uri("Accounts"),
                "resource_id": _resource("Accounts"),
                "channel_id": channel,
            }
            rows.append({"code": "SUCCESS", "details": details, "message": "Successfully un-subscribed",
                         "status": "success"})  # fmt: skip
        good = sum(row["status"] == "success" for row in rows)
        if not rows:
            return refusal("EXPECTED_PARAM_MISSING", "channel_ids")
        return Reply.json(
            {"watch": rows}, 200 if good == len(rows) else 207 if good else 400, records=good, write=good > 0
        )

    @staticmethod
    def _uri(module: str) -> str:
        return f"https://www.zohoapis.com/crm/v8/{module}"


def _resource(module: str) -> str:
    """The id of a module's tab."""
    return f"55400000000000{list(metadata.MODULES).index(module):04d}"
