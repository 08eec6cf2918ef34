"""The body of a webhook as JSON: bounded in depth before it is parsed, numbers with a point as Decimal, never raising."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connector.hook import Refused
from connector.text import Text

DEPTH_MOST = 16
_TEXT_MOST = 500  # of ids and words taken out of a body


def object_of(body: bytes) -> Mapping[str, Any] | Refused:
    """The JSON object that a body is; whatever its Content-Type says, which is not trusted."""
    found = parsed(body)
    if isinstance(found, Refused):
        return found
    if not isinstance(found, dict):
        return wrong("an object is wanted", "应为对象")
    return found


def parsed(body: bytes) -> Any:
    """The value of a body, or a Refused that says why it has none."""
    if depth(body) > DEPTH_MOST:
        return Refused(
            400,
            "too_deep",
            Text("Nested more than {most} deep.", "嵌套超过 {most} 层。").fill(most=DEPTH_MOST),
        )
    try:
        return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, ArithmeticError):
        return wrong("not valid JSON", "不是有效的 JSON")


def depth(body: bytes) -> int:
    """How deep brackets are nested outside of texts, without parsing; never less than that where there are few of them."""
    opened = body.count(b"[") + body.count(b"{")
    if opened <= DEPTH_MOST:
        return opened
    deepest = level = 0
    in_text = escaped = False
    for byte in body:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


def text_of(value: Any, most: int = _TEXT_MOST) -> str:
    """A text or a whole number as text; "" for anything else, and for what is too long to be an id."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    told = str(value) if isinstance(value, str) or abs(value) < 10**19 else ""
    return told if len(told) <= most and told.isprintable() else ""


def wrong(en: str, zh: str) -> Refused:
    """A body that is not what the product documents."""
    return Refused(400, "body", Text("The body is not usable: {why}.", "请求体不可用：{why}。").fill(why=Text(en, zh)))


def _no_constant(name: str) -> Any:
    raise ValueError(name)
