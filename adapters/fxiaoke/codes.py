"""Return codes: what each errorCode means for us. The HTTP status is always 200, the message must never be branched on.

Source: the vendor's public list of return codes (openapi_v2/start/guide/codes), grouped by what to do next. Codes of
single modules (validation rule, duplicate, locked record) are not published: they are refusals of the one record.
"""

from __future__ import annotations

from typing import Literal

from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError, TransientError
from connector.text import Text

Meaning = Literal[
    "ok",
    "limit",  # too many calls: certainly nothing was done
    "unclear",  # busy, failed or timed out: the system may have acted
    "midnight",  # the day's calls are used up
    "unpaid",  # no calls were bought
    "renew",  # the token is dead
    "credentials",
    "permission",
    "parameter",  # a parameter is missing or wrong
    "missing",  # the employee or department named is not there
    "other",
]

_TABLE: dict[Meaning, tuple[int, ...]] = {
    "ok": (0,),
    "limit": (14001, 30004),
    "unclear": (-1, -2, 50009),
    "midnight": (30002,),
    "unpaid": (30003,),
    "renew": (20016, 20005, 11014, 11003),
    "credentials": (20006, 20015, 11001, 11002, 11013, 11015, 20017, 12002),
    "permission": (15003, 20014, 20020, 20021, 20022, 20023),
    "missing": (20012, 11008, 30007, 11009, 30027, 20010, 11010),
    "parameter": (
        *range(10001, 10016), 11004, 11005, 11006, 11007, 11011, 11016, 11017, 11018,
        12003, 12004, 12005, 15002, 32000, 40010,
    ),
}  # fmt: skip
_MEANING: dict[int, Meaning] = {code: meaning for meaning, codes in _TABLE.items() for code in codes}


def meaning_of(code: int) -> Meaning:
    """What an errorCode means; "other" for the unpublished ones."""
    return _MEANING.get(code, "other")


_FIXES: dict[Meaning, Text] = {
    "unpaid": Text(
        "No API calls were bought. Ask Fxiaoke for the “Open API” pack; trying again does not help.",
        "企业未购买 Open API 调用配额。请联系纷享销客购买“Open API”资源包，重试无效。",
    ),
    "credentials": Text(
        "Check app_id, app_secret and permanent_code of the self-built app, and the acting employee.",
        "请核对自建应用的 app_id、app_secret、permanent_code 以及代操作员工。",
    ),
    "permission": Text(
        "The app is disabled or lacks rights: enable it and grant its data scope in the administration console.",
        "应用已停用或权限不足：请在管理后台启用该应用并授予数据范围。",
    ),
    "missing": Text(
        "The employee or department named in the call does not exist: check acting_user and the owners.",
        "调用中指定的员工或部门不存在：请核对 acting_user 与负责人。",
    ),
    "other": Text(
        "Check that the acting employee sees this object in the web client and that base_url is the tenant's cloud.",
        "请确认代操作员工在网页端能看到该对象，且 base_url 为企业所在云。",
    ),
}


def sign_in_refused(code: int, trace: str) -> ConfigError:
    """The token endpoint says no. Its message is not quoted: it might echo what we sent."""
    return ConfigError(
        Text("Fxiaoke refuses the sign-in (code {code}). {fix}", "纷享销客拒绝登录（代码 {code}）。{fix}").fill(
            code=code, fix=_FIXES["credentials"]
        ),
        log=f"token endpoint: code {code}, traceId {trace}",
    )


def failure(code: int, message: str, trace: str, *, write: bool, until_midnight: float) -> HoldfastError:
    """The error of a call that failed for good, or until later.

    `message` is the vendor's, already free of secrets. A write that is refused concerns one record; a read that is
    refused needs a person, or, where the vendor calls our parameters wrong, a repair here.
    """
    meaning = meaning_of(code)
    told = {"code": code, "message": message or "-", "trace": trace or "-"}
    log = f"code {code}, traceId {trace}: {message}"
    if meaning in ("limit", "unclear"):
        return TransientError(
            Text("Fxiaoke is busy (code {code}: {message}).", "纷享销客繁忙（代码 {code}：{message}）。").fill(**told),
            log,
        )
    if meaning == "midnight":
        return TransientError(
            Text(
                "The day's API calls of this tenant are used up (code {code}); they count anew at midnight.",
                "本企业当天的接口调用次数已用完（代码 {code}），零点重新计数。",
            ).fill(**told),
            log,
            retry_after=until_midnight,
        )
    if meaning in ("unpaid", "credentials", "permission") or (not write and meaning in ("missing", "other")):
        return ConfigError(
            Text(
                "Fxiaoke refuses the call (code {code}: {message}, traceId {trace}). {fix}",
                "纷享销客拒绝了该调用（代码 {code}：{message}，traceId {trace}）。{fix}",
            ).fill(**told, fix=_FIXES[meaning]),
            log,
        )
    if not write:
        return ProtocolError(
            Text(
                "Fxiaoke calls our query wrong (code {code}: {message}, traceId {trace}). Please report this.",
                "纷享销客认为查询参数有误（代码 {code}：{message}，traceId {trace}）。请向我们反馈。",
            ).fill(**told),
            log,
        )
    return RejectedError(
        Text(
            "Fxiaoke refuses this record (code {code}: {message}, traceId {trace}).",
            "纷享销客拒绝写入该记录（代码 {code}：{message}，traceId {trace}）。",
        ).fill(**told),
        log,
        code=str(code),
    )
