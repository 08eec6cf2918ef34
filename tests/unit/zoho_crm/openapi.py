"""Judges calls by Zoho's own OpenAPI files (API v8), with the overlays that the files are known to need.

The files carry no licence for redistribution, so they stay outside the repository; without them the tests skip.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema

from connector.sandbox import Reply, Request, Sandbox

FOLDER = Path(__file__).parents[4] / "shared" / "contracts" / "zoho" / "oas31"
_FILES = {
    "/crm/v8": (
        "record-locking-configurations", "record", "coql", "fields", "users", "org", "modules", "module-search", "record-count", "locking-informations",
        "notifications",
    ),
    "/crm/bulk/v8": ("bulk-read",),
}  # fmt: skip
_ERROR = {
    "type": "object",
    "required": ["code", "message", "status"],
    "properties": {
        "code": {"type": "string", "pattern": "^[A-Z_]+$"},
        "message": {"type": "string"},
        "status": {"const": "error"},
        "details": {"type": "object"},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Operation:
    """One method of one path in one file."""

    document: dict[str, Any]
    template: str
    method: str

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["paths"][self.template][self.method]
        return found


def judge(request: Request, reply: Reply) -> list[str]:
    """What is wrong with one call; nothing for the token endpoint, which no file describes."""
    if request.path.startswith("/oauth/"):
        return []
    operation = _operation(request)
    if operation is None:
        return [] if reply.status == 404 else [f"{request.method} {request.path}: no such operation"]
    where = f"{request.method} {request.path} {reply.status}"
    return [f"{where}: {wrong}" for wrong in (*_request(operation, request), *_reply(operation, request, reply))]


def watch(box: Sandbox) -> list[str]:
    """Judges every call of a sandbox from now on; the list fills with what is wrong."""
    wrong: list[str] = []
    answer = box.answer

    def judged(request: Request) -> Any:
        reply, fault = answer(request)
        if fault in (None, "partial", "late", "429-bare"):
            wrong.extend(judge(request, reply))
        return reply, fault

    box.answer = judged  # type: ignore[method-assign]
    return wrong


@cache
def _documents() -> list[tuple[str, dict[str, Any]]]:
    made = []
    for base, names in _FILES.items():
        for name in names:
            text = (FOLDER / f"zoho-crm-{name}-openapi.json").read_text("utf-8")
            document = json.loads(text)
            _overlay(name, document)
            made.append((base, document))
    return made


def _overlay(name: str, document: dict[str, Any]) -> None:
    """The defects listed in the contract's README, and three more met here (marked *)."""
    for node in _walk(document):
        if "\\p{" in str(node.get("pattern", "")):
            del node["pattern"]
        properties = node.get("properties")
        if not isinstance(properties, dict):
            continue
        for token in ("next_page_token", "previous_page_token", "page_token_expiry"):
            if token in properties:
                properties[token] = {"type": ["string", "null"]}
        if "$approval_state" in properties and "Modified_Time" in properties:
            node["required"] = [r for r in node["required"] if r != "$approval_state"]
        if "details" in properties and properties.get("code", {}).get("enum") == ["SUCCESS"]:
            properties["action"] = {"enum": ["insert", "update"]}
            properties["duplicate_field"] = {"type": ["string", "null"]}
        # * a list has at most 100 elements there, but 200 a page are documented, and COQL gives 2,000
        if properties.get("data", {}).get("maxItems") in (100, 200) and "info" in properties:
            properties["data"]["maxItems"] = 2000
        # * two members of attachments are required of every bulk job; the 3.0 file does not know them
        if "Attachment_Source__s" in properties:
            node["required"] = [r for r in node["required"] if r not in ("Attachment_Source__s", "File_Id__s")]
    if name == "fields":  # * `include` is required there; the official SDK does not send it
        document["components"]["parameters"]["Includes"]["required"] = False


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in list(node.values()):
            yield from _walk(value)
    elif isinstance(node, list):
        for value in node:
            yield from _walk(value)


def _operation(request: Request) -> Operation | None:
    """The most literal template that fits."""
    found: list[tuple[int, Operation]] = []
    for base, document in _documents():
        if not request.path.startswith(base + "/"):
            continue
        path = request.path.removeprefix(base)
        for template, methods in document["paths"].items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if re.fullmatch(pattern, path) and request.method.lower() in methods:
                found.append((template.count("{"), Operation(document, template, request.method.lower())))
    return min(found, key=lambda f: f[0])[1] if found else None


def _resolved(operation: Operation, node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = operation.document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[unquote(step).replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _errors(operation: Operation, schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**operation.document, **copy.deepcopy(schema)}
    validator = jsonschema.Draft202012Validator(whole)
    return [f"{e.json_path}: {e.message}"[:300] for e in validator.iter_errors(value)]


def _request(operation: Operation, request: Request) -> Iterator[str]:
    path = operation.document["paths"][operation.template]
    parameters = [_resolved(operation, p) for p in (*operation.body.get("parameters", []), *path.get("parameters", []))]
    known = {p["name"]: p for p in parameters if p["in"] == "query"}
    for name, value in request.query.items():
        if name not in known:
            yield f"unknown parameter {name}"
            continue
        schema = _resolved(operation, known[name].get("schema", {}))
        kind = schema.get("type")
        typed: Any = int(value) if kind == "integer" and value.isdigit() else value
        yield from (f"parameter {name}: {e}" for e in _errors(operation, schema, typed))
    for name, parameter in known.items():
        if parameter.get("required") and name not in request.query:
            yield f"parameter {name} is missing"
    asked = operation.body.get("requestBody")
    if asked and request.body:
        content = _resolved(operation, asked)["content"]
        schema = (content.get("application/json") or next(iter(content.values())))["schema"]
        yield from (f"request {e}" for e in _errors(operation, schema, json.loads(request.body)))
    elif asked or (request.body and not asked):
        yield "a body where none belongs, or none where one does"


def _reply(operation: Operation, request: Request, reply: Reply) -> Iterator[str]:
    if reply.status in (204, 304):
        if reply.body:
            yield "a body with a status that has none"
        return
    content_type = reply.headers.get("content-type", "")
    if content_type == "application/zip":
        if "application/zip" not in operation.body["responses"]["200"]["content"]:
            yield "a zip where none is announced"
        return
    body = json.loads(reply.body)
    if reply.status >= 400 and not (isinstance(body, dict) and body.keys() & {"data", "fields", "watch"}):
        # The service answers a refused call at the top level; the files say so for some operations only.
        yield from (f"error {e}" for e in _errors(operation, _ERROR, body))
        return
    responses = operation.body["responses"]
    status = next(s for s in ("200", "201") if s in responses)
    schema = responses[status]["content"]["application/json"]["schema"]
    rows = next((k for k in ("data", "fields", "watch") if k in body), "")
    if request.method != "GET" and rows and operation.template != "/coql":
        # Mixed outcomes: each row is a success as announced, or an error object.
        good = [r for r in body[rows] if r.get("status") == "success"]
        for row in body[rows]:
            if row.get("status") == "error":
                yield from (f"row {e}" for e in _errors(operation, _ERROR, row))
        if good:
            yield from (f"reply {e}" for e in _errors(operation, schema, {**body, rows: good}))
        return
    yield from (f"reply {e}" for e in _errors(operation, schema, body))
