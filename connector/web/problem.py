"""Problems as answers: each of our errors and each refusal as `application/problem+json` (RFC 9457), in the caller's language.

`code` is stable and for programs, `detail` is for people. Nothing of the inside is shown: no trace, no secret, no query.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import simplejson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from connector.config_words import reason
from connector.errors import ConfigError, HoldfastError, Missing, NotAllowed, ProtocolError, TransientError
from connector.http_words import redacted
from connector.store.db import in_trouble
from connector.text import Language, Text

log = logging.getLogger("holdfast.web")

TYPE = "application/problem+json"

_TITLES: Mapping[int, tuple[str, Text]] = {
    400: ("bad_request", Text("The request cannot be understood.", "请求无法识别。")),
    401: ("not_signed_in", Text("Sign in first.", "请先登录。")),
    403: ("not_allowed", Text("You may not do this.", "您无权执行此操作。")),
    404: ("not_found", Text("There is no such thing.", "未找到。")),
    405: ("wrong_method", Text("This address does not take that method.", "该地址不支持此方法。")),
    409: ("conflict", Text("This does not go with what is there.", "与现有状态冲突。")),
    413: ("too_large", Text("The request is too large.", "请求过大。")),
    415: ("wrong_type", Text("The body must be JSON.", "请求体必须是 JSON。")),
    422: ("not_usable", Text("This cannot be done as asked.", "无法按要求执行。")),
    429: ("too_many", Text("Too many attempts. Wait a little.", "尝试次数过多，请稍候。")),
    500: ("fault", Text("Something went wrong on our side. It is in the log.", "系统内部出错，已记入日志。")),
    502: ("other_system", Text("The other system answered what it should not.", "对方系统返回异常。")),
    503: ("not_now", Text("Not now. Try again later.", "暂不可用，请稍后重试。")),
}
DATABASE = Text(
    "The database cannot be used just now. Try again in a few seconds.", "数据库暂时无法使用，请过几秒后重试。"
)


class SentAway(Exception):
    """Nobody is signed in: the browser goes to the sign-in page, and back here afterwards."""

    def __init__(self, address: str) -> None:
        super().__init__("not signed in")
        self.address = address


class Refused(Exception):
    """A request that is refused: its status, what is wrong, and headers that belong to the answer."""

    def __init__(self, status: int, detail: Text, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail.en)
        self.status, self.detail, self.code, self.headers = status, detail, code, dict(headers or {})


def language_asked(request: Request) -> Language:
    """The language the caller prefers: the first of `Accept-Language` that is one of ours, else English."""
    best, weight = "en", -1.0
    for part in request.headers.get("accept-language", "")[:200].split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            wanted = float(quality or 1)
        except ValueError:
            continue
        if name[:2].lower() in ("en", "zh") and wanted > weight:
            best, weight = name[:2].lower(), wanted
    return "zh" if best == "zh" else "en"


def problem(
    request: Request,
    status: int,
    detail: Text | None = None,
    code: str = "",
    headers: Mapping[str, str] | None = None,
    fields: Sequence[Mapping[str, str]] = (),
) -> Response:
    """The answer that tells what is wrong."""
    usual, title = _TITLES.get(status, (f"status_{status}", Text("Refused.", "已拒绝。")))
    if _looks(request):
        # Somebody looks at a page: what is wrong is a page, too.
        visitor = getattr(request.state, "visitor", None)
        said = detail or title
        shown = Text(redacted(said.en), redacted(said.zh))
        answer: Response = request.app.state.pages.problem(request, status, title, shown, visitor)
        answer.headers.update(headers or {})
        return answer
    language = language_asked(request)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title.say(language),
        "status": status,
        "code": code or usual,
        "detail": redacted((detail or title).say(language)),
    }
    if fields:
        body["fields"] = list(fields)
    return Response(
        simplejson.dumps(body, ensure_ascii=False),
        status,
        {"Content-Language": language, "Cache-Control": "no-store", **(headers or {})},
        TYPE,
    )


def _looks(request: Request) -> bool:
    """Whether it is a person with a browser who asks for one of our pages."""
    path = request.url.path
    page = not path.startswith(("/api/", "/hooks/", "/healthz", "/readyz", "/metrics", "/launch", "/static/"))
    return page and "text/html" in request.headers.get("accept", "") and "app" in request.scope


def of_error(request: Request, wrong: HoldfastError) -> Response:
    """One of our errors as an answer."""
    headers: dict[str, str] = {}
    if isinstance(wrong, Missing):
        status = 404
    elif isinstance(wrong, NotAllowed):
        status = 403
    elif isinstance(wrong, TransientError):
        status = 503
        headers["Retry-After"] = str(max(1, int(wrong.retry_after or 1)))
    elif isinstance(wrong, ProtocolError):
        status = 502
    else:
        status = 422
    if isinstance(wrong, NotAllowed):
        # Who it was is bound to the line; the job has told the audit trail.
        log.warning("refused: %s", redacted(wrong.log), extra={"reason": "no_authority"})
        request.app.state.front.metrics.refusals.labels("no_authority").inc()
    elif not isinstance(wrong, ConfigError):
        log.warning("answered with %s: %s", status, wrong.log)
    return problem(request, status, wrong.user, headers=headers)


def of_failure(request: Request, wrong: Exception) -> Response:
    """What nobody raised on purpose, as an answer: not now, where it is the database that fails (it is down or starts anew,
    or two have waited for each other and one had to give way), else a fault of ours. The log has all of it."""
    log.error("a request failed", exc_info=wrong)
    if in_trouble(wrong):
        return problem(request, 503, DATABASE, headers={"Retry-After": "2"})
    return problem(request, 500)


def install(app: FastAPI) -> None:
    """Makes an application answer this way."""

    @app.exception_handler(HoldfastError)
    async def _ours(request: Request, wrong: HoldfastError) -> Response:
        return of_error(request, wrong)

    @app.exception_handler(SentAway)
    async def _away(request: Request, away: SentAway) -> Response:
        return RedirectResponse(away.address, 303)

    @app.exception_handler(Refused)
    async def _refused(request: Request, wrong: Refused) -> Response:
        return problem(request, wrong.status, wrong.detail, wrong.code, wrong.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, wrong: RequestValidationError) -> Response:
        language = language_asked(request)
        fields = [
            {
                "field": ".".join(str(part) for part in error["loc"] if part != "body") or "body",
                "what": reason(error).say(language),
            }
            for error in list(wrong.errors())[:20]
        ]
        named = "; ".join(f"{one['field']}: {one['what']}" for one in fields[:5])
        return problem(request, 422, Text("Not usable: {named}", "不可用：{named}").fill(named=named), fields=fields)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, wrong: HTTPException) -> Response:
        return problem(request, wrong.status_code, headers=wrong.headers)

    @app.exception_handler(Exception)
    async def _fault(request: Request, wrong: Exception) -> Response:
        return of_failure(request, wrong)
