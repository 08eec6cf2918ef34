"""Record locks: a held sales order cannot be edited in Zoho by anybody, save the fields that explain the hold.

A lock needs a record locking configuration of the module, which provisioning makes where there is none: locked by hand
(by us), for everybody, with our own fields excluded, so that reason and flag can still be written. A lock is ours by the
words its reason begins with; one that is not ours is never taken off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.zoho_crm.client import Refused, Zoho, contents, judge_rows
from adapters.zoho_crm.fields import MARK, Field
from connector.adapter import Finding, Need, Outcome
from connector.errors import ConfigError, RejectedError, TransientError
from connector.text import Text

MODULE = "Sales_Orders"
FIELD = "Locked__s"
_CONFIGURATIONS = "/settings/record_locking_configurations"
_IDS_MOST = 45  # ids in one GET: the parameter holds 1,024 characters
_REASON_MOST = 3000
_EXCLUDED_MOST = 15
_OWN = ("Credit_Hold", "Credit_Hold_Reason", "Credit_Release_Request")
_WHAT = Text("Locking of held sales orders", "锁定被冻结的销售订单")


# --- one lock ----------------------------------------------------------------------------------------------------------
def locked(client: Zoho, orders: Sequence[str]) -> dict[str, bool]:
    """Whether these orders are locked now, by whomever."""
    known = FIELD in client.fields(MODULE).by_name
    if not known:
        return {order: lock_of(client, order) is not None for order in orders}
    found: dict[str, bool] = {}
    for first in range(0, len(orders), _IDS_MOST):
        ids = ",".join(orders[first : first + _IDS_MOST])
        body = client.get(f"/{MODULE}", {"fields": FIELD, "ids": ids, "per_page": "200"})
        found.update((str(row["id"]), bool(row.get(FIELD))) for row in body.get("data", []))
    return found


def lock_of(client: Zoho, order: str) -> Mapping[str, Any] | None:
    """The lock on an order: its id and reason; None where there is none, or no locking is configured."""
    try:
        body = client.get(f"/{MODULE}/{order}/Locking_Information__s")
    except (RejectedError, Refused):
        return None
    found = body.get("data") or [None]
    return found[0] if isinstance(found[0], dict) else None


def is_ours(lock: Mapping[str, Any]) -> bool:
    """Whether we have set a lock."""
    return str(lock.get("Locked_Reason__s") or "").startswith(MARK)


def settle(client: Zoho, order: str, *, lock: bool, is_locked: bool, reason: str) -> Outcome:
    """Locks an order with a reason, or takes our lock off. A lock of somebody else stays as it is."""
    words = f"{MARK}{reason or 'credit hold 信用冻结'}"[:_REASON_MOST]
    there = lock_of(client, order) if is_locked else None
    try:
        if there is None and lock:
            _call(client, "POST", f"/{MODULE}/{order}/Locking_Information__s", words)
        elif there is not None and lock and is_ours(there) and there.get("Locked_Reason__s") != words:
            _call(client, "PUT", f"/{MODULE}/{order}/Locking_Information__s/{there['id']}", words)
        elif there is not None and not lock and is_ours(there):
            _call(client, "DELETE", f"/{MODULE}/{order}/Locking_Information__s/{there['id']}")
    except TransientError as wrong:
        return Outcome("again", order, wrong.user, retry_after=wrong.retry_after)
    except (RejectedError, Refused) as wrong:
        if lock == (lock_of(client, order) is not None):
            return Outcome("done", order)  # an attempt whose answer was lost has done it, or somebody else
        why = Text("Zoho does not lock the order: {why}", "Zoho 未能锁定该订单：{why}").fill(why=wrong.user)
        return Outcome("rejected", order, why, getattr(wrong, "code", "") or "lock")
    return Outcome("done", order)


def _call(client: Zoho, method: str, path: str, reason: str = "") -> None:
    body = {"data": [{"Locked_Reason__s": reason}]} if reason else None
    # Locking what is locked, and unlocking what is not, is refused and does no more: then it is looked how it stands.
    client.http.call(method, client.path(path), safe=True, json=body)


# --- setting up ----------------------------------------------------------------------------------------------------------
def stands(client: Zoho) -> Finding:
    """Whether orders can be locked, and our own fields written all the same."""
    configuration = _configuration(client)
    if configuration is None:
        return Finding("todo", _WHAT, _NONE)
    if configuration.get("lock_type") not in ("manual", "both"):
        return Finding("wrong", _WHAT, _NOT_BY_HAND)
    if "update" not in (configuration.get("restricted_actions") or ()):
        return Finding("wrong", _WHAT, _NO_UPDATE)
    excluded = {str(f.get("id")) for f in configuration.get("excluded_fields") or ()}
    lacking = [f.label for f in _own(client) if f.id not in excluded]
    if lacking:
        return Finding("wrong", _WHAT, _NOT_EXCLUDED.fill(names=", ".join(lacking)))
    return Finding("fine", _WHAT)


def provision(client: Zoho, needs: Sequence[Need], dry: bool) -> list[Finding]:
    """Makes the locking configuration where there is none; one that is there is an administrator's, and only looked at."""
    if client.connection.hold not in ("strongest", "native", "lock") or not any(n.object == MODULE for n in needs):
        return []
    try:
        found = stands(client)
        if found.fix != _NONE:
            return [found]
        if dry:
            return [Finding("would", _WHAT)]
        _make(client)
        return [Finding("made", _WHAT)]
    except (Refused, RejectedError, ConfigError) as wrong:
        return [Finding("todo", _WHAT, _REFUSED.fill(why=wrong.user))]


def _configuration(client: Zoho) -> Mapping[str, Any] | None:
    body = client.get(_CONFIGURATIONS, {"module": MODULE})
    found = body.get("record_locking_configurations") or [None]
    return found[0] if isinstance(found[0], dict) else None


def _own(client: Zoho) -> list[Field]:
    """The fields of orders that we write, and that people ask in: those that provisioning has marked, else those of the
    shipped names."""
    fields = list(client.fields(MODULE).by_name.values())
    return [f for f in fields if f.mark] or [f for f in fields if f.name in _OWN]


def _make(client: Zoho) -> None:
    body = {
        "lock_type": "manual",
        "locked_for": "all_profiles",
        "restricted_actions": ["update", "delete", "change_owner"],
        "excluded_fields": [{"id": f.id} for f in _own(client)[:_EXCLUDED_MOST]],
        "lock_for_portal_users": True,
    }
    answer = client.http.call(
        "POST",
        client.path(_CONFIGURATIONS),
        safe=True,  # a second one for the module is refused
        params={"module": MODULE},
        json={"record_locking_configurations": [body]},
        judge=judge_rows,
    )
    result = (contents(answer).get("record_locking_configurations") or [{}])[0]
    if result.get("status") != "success":
        why = f"{result.get('code')} {result.get('message')}"
        raise RejectedError(Text("Zoho: {why}", "Zoho：{why}").fill(why=why), code=str(result.get("code") or ""))


_NONE = Text(
    "No record locking is configured for sales orders. Run `holdfast provision`, or set it up by hand: Setup > Record "
    "Locking > Sales Orders, locked manually, for all profiles, with the fields Credit Hold and Credit Hold Reason excluded.",
    "销售订单尚未配置记录锁定。请运行 `holdfast provision`，或在“设置 > 记录锁定 > 销售订单”中手动配置：手动锁定、适用于所有配置文件，"
    "并排除字段 Credit Hold 和 Credit Hold Reason。",
)
_NOT_BY_HAND = Text(
    "The configuration locks by rules only. Set it to “both”, so that a held order can be locked.",
    "该配置仅按规则锁定。请改为“两者皆可”，以便锁定被冻结的订单。",
)
_NO_UPDATE = Text(
    "A locked order may still be edited: add “edit” to the restricted actions.",
    "锁定后仍可编辑订单：请在受限操作中加入“编辑”。",
)
_NOT_EXCLUDED = Text(
    "Add the fields {names} to those that stay editable, or a held order keeps us out, too.",
    "请将字段 {names} 加入可编辑的排除字段，否则锁定后本系统也无法更新该订单。",
)
_REFUSED = Text(
    "{why} The refresh token needs the scopes ZohoCRM.settings.record_locking_configurations.ALL and "
    "ZohoCRM.settings.modules.ALL, and the edition must have record locking; else set `hold` to “flag”.",
    "{why} refresh token 需要权限范围 ZohoCRM.settings.record_locking_configurations.ALL 和 ZohoCRM.settings.modules.ALL，"
    "且所用版本须支持记录锁定；否则请将 `hold` 设为“flag”。",
)
