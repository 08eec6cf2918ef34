"""The sandbox's lists: pages with tokens, COQL, search, deleted records."""

from __future__ import annotations

import datetime as dt
import json
import re
import secrets

from adapters.zoho_crm import sandbox_query as query
from adapters.zoho_crm.sandbox_records import NO_BODY, Records, refusal
from connector.sandbox import Reply, Request

PAGE_MOST = 200
_FIELDS_MOST, _DISCRETE_MOST = 50, 2000


class Lists:
    """The reading half of the records' API."""

    def __init__(self, records: Records) -> None:
        self.records = records

    def list(self, request: Request, module: str) -> Reply:
        names = [n for n in request.query.get("fields", "").split(",") if n]
        if not names:
            return refusal(
                "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing", 400, {"param_name": "fields"}
            )
        if len(names) > _FIELDS_MOST:
            return refusal("LIMIT_EXCEEDED", "fields limit exceeded", 400, {"param_name": "fields"})
        sort, descending = request.query.get("sort_by", "id"), request.query.get("sort_order", "desc") == "desc"
        if sort not in ("id", "Created_Time", "Modified_Time"):
            return refusal("INVALID_DATA", "invalid sort_by", 400, {"param_name": "sort_by"})
        page, size = paging(request)
        bound = json.dumps([names, sort, descending, size, request.headers.get("if-modified-since")])
        token = request.query.get("page_token")
        if token:
            kept = self.records.shelf.get("~page_tokens", token)
            if "page" in request.query:
                return refusal("AMBIGUITY_DURING_PROCESSING", "page and page_token exclude each other")
            if not kept:
                return refusal("EXPIRED_VALUE", "page token expired", 400, {"param_name": "page_token"})
            if kept["bound"] != bound:
                return refusal("TOKEN_BOUND_DATA_MISMATCH", "the request differs from the token's", 400)
            page = int(kept["page"])
        elif page * size > _DISCRETE_MOST:
            return refusal("DISCRETE_PAGINATION_LIMIT_EXCEEDED", "use page_token beyond 2000 records", 400)
        found = self.records.all(module)
        if "ids" in request.query:
            wanted = request.query["ids"].split(",")
            found = [r for r in found if r["id"] in wanted]
        since = instant(request.headers.get("if-modified-since"))
        if since:
            found = [r for r in found if dt.datetime.fromisoformat(r["Modified_Time"]) > since]
            if not found:
                return Reply(304)
        types = self.records.types(module)
        found.sort(key=lambda r: (query.sort_key(r, sort, types), r["id"]), reverse=descending)
        some = found[(page - 1) * size : page * size]
        if not some:
            return NO_BODY
        more = page * size < len(found)
        following = None
        if more:
            following = secrets.token_hex(20)
            self.records.shelf.put("~page_tokens", following, {"bound": bound, "page": page + 1})
        expiry = (dt.datetime.now(self.records.zone) + dt.timedelta(days=1)).isoformat(timespec="seconds")
        info = {
            "per_page": size,
            "count": len(some),
            "page": page,
            "more_records": more,
            "sort_by": sort,
            "sort_order": "desc" if descending else "asc",
            "next_page_token": following,
            "previous_page_token": None,
            "page_token_expiry": expiry if more else None,
        }
        rows = [self.records.show(module, r, names) for r in some]
        return Reply.json({"data": rows, "info": info}, records=len(rows))

    def one(self, request: Request, module: str, key: str) -> Reply:
        record = self.records.get(module, key)
        if not record:
            return NO_BODY
        return Reply.json({"data": [self.records.show(module, record, list(self.records.types(module)))]}, records=1)

    def coql(self, request: Request) -> Reply:
        asked = query.parse(str(request.json()["select_query"]))
        if not self.records.has(asked.module):
            raise query.Wrong("INVALID_QUERY", "module is invalid", {"module": asked.module})
        types = self.records.types(asked.module)
        for name in (*asked.columns, *(n for n, _ in asked.order)):
            if name != "id" and name not in types:
                raise query.Wrong("INVALID_QUERY", "column given seems to be invalid", {"column_name": name})
        test = query.condition(asked.where, types)
        found = [r for r in self.records.all(asked.module) if test(r)]
        for name, descending in reversed(asked.order):
            found.sort(key=lambda r, n=name: query.sort_key(r, n, types), reverse=descending)  # type: ignore[misc]
        some = found[asked.offset : asked.offset + asked.limit]
        if not some:
            return NO_BODY
        rows = [self.records.show(asked.module, r, asked.columns) for r in some]
        info = {"count": len(rows), "more_records": asked.offset + asked.limit < len(found)}
        return Reply.json({"data": rows, "info": info}, records=len(rows))

    def search(self, request: Request, module: str) -> Reply:
        types, asked = self.records.types(module), request.query
        if "criteria" in asked:
            test = query.criteria(asked["criteria"], types)
        elif word := asked.get("word") or asked.get("email") or asked.get("phone"):
            test = lambda r: word.lower() in json.dumps(r, default=str, ensure_ascii=False).lower()  # noqa: E731
        else:
            names = ["criteria", "email", "phone", "word"]
            return refusal(
                "EXPECTED_PARAM_MISSING", "one of the expected parameter is missing", 400, {"param_names": names}
            )
        page, size = paging(request)
        found = [r for r in self.records.all(module) if test(r)]
        some = found[(page - 1) * size : page * size]
        if not some:
            return NO_BODY
        names = [n for n in asked.get("fields", "").split(",") if n] or list(types)
        info = {"per_page": size, "count": len(some), "page": page, "more_records": page * size < len(found)}
        return Reply.json(
            {"data": [self.records.show(module, r, names) for r in some], "info": info}, records=len(some)
        )

    def count(self, request: Request, module: str) -> Reply:
        return Reply.json({"count": len(self.records.all(module))})

    def deleted(self, request: Request, module: str) -> Reply:
        since = instant(request.headers.get("if-modified-since"))
        found = self.records.shelf.all(f"~deleted {module}")
        if since:
            found = [r for r in found if dt.datetime.fromisoformat(r["deleted_time"]) > since]
        kind = request.query.get("type", "all")
        found = [r for r in found if kind in ("all", r["type"])]
        page, size = paging(request)
        some = found[(page - 1) * size : page * size]
        if not some:
            return NO_BODY
        info = {"per_page": size, "count": len(some), "page": page, "more_records": page * size < len(found)}
        return Reply.json({"data": some, "info": info}, records=len(some))


def paging(request: Request) -> tuple[int, int]:
    page, size = int(request.query.get("page") or 1), int(request.query.get("per_page") or PAGE_MOST)
    return max(1, page), max(1, min(size, PAGE_MOST))


def instant(text: str | None) -> dt.datetime | None:
    """A time as headers carry it: ISO 8601, with a blank where a careless client lost the plus."""
    if not text:
        return None
    try:
        at = dt.datetime.fromisoformat(re.sub(r" (\d\d:\d\d)$", r"+\1", text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
