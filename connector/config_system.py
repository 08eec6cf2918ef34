"""One system of the configuration: its settings, and all that is wrong with them, as its adapter sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from connector import adapter as adapters
from connector.adapter import Adapter, Role, nearest
from connector.config_hook import HookSettings
from connector.config_panel import PanelSettings
from connector.config_secret import checked_reference
from connector.config_words import reason
from connector.errors import HoldfastError, Problem
from connector.text import Text, same


class System(BaseModel):
    """One configured installation of somebody's software."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="Any short name.")
    adapter: str = Field(description="Which product: see `holdfast adapters`.")
    roles: tuple[Role, ...] = Field(min_length=1, description="What it is trusted for: erp, crm, bureau, rates.")
    settings: Mapping[str, Any] = Field(default_factory=dict, description="The adapter's own settings.")
    secrets: Mapping[str, str] = Field(default_factory=dict, description="References only.")
    mapping: str | None = Field(
        None,
        description="A mapping file of your own, where no version in the database is in use; else the shipped one.",
    )
    language: Literal["en", "zh"] | None = Field(
        None,
        description="Language of what is written there; else that of the business.",
        json_schema_extra={"zh": "写入该系统的文字语言；缺省与企业设置相同。"},
    )
    write: bool | None = Field(
        None,
        description="Whether anything is written there; else where a CRM is configured.",
        json_schema_extra={"zh": "是否写入该系统；缺省在配置了 CRM 时写入。"},
    )
    undone: Literal["tell", "restore"] = Field(
        "tell",
        description="What follows where somebody takes a hold off there: it is told and left (tell), or held again (restore).",
        json_schema_extra={"zh": "有人在该系统解除冻结时如何处理：tell 仅提示，restore 重新冻结。"},
    )
    hold: Literal["strongest", "native", "lock", "approval", "flag"] = Field(
        "strongest",
        description="The strongest way in which orders are held there: native (the product refuses), lock (the record), "
        "approval, flag (a field only).",
        json_schema_extra={
            "zh": "在该系统中冻结订单的最强方式：native 系统自身拒绝，lock 锁定记录，approval 审批，flag 仅打标记。"
        },
    )
    allow_private: bool = Field(
        False,
        description="Whether its public-looking name may lead into a private network (an ERP of your own).",
        json_schema_extra={"zh": "其公网域名是否允许指向内网地址（企业自有 ERP）。"},
    )
    hook: HookSettings | None = Field(None, description="Webhooks: its address and secret; else it is only polled.")
    panel: PanelSettings | None = Field(None, description="The credit panel inside its own pages; else none is shown.")

    @field_validator("hook", "panel")
    @classmethod
    def _more_references(cls, value: HookSettings | PanelSettings | None) -> HookSettings | PanelSettings | None:
        if value is not None:
            for reference in (value.secret, value.secret_before or value.secret):
                checked_reference(reference)
        return value

    @field_validator("secrets")
    @classmethod
    def _references(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for reference in value.values():
            checked_reference(reference)
        return value


# --- what is wrong -------------------------------------------------------------------------------------------------------
def _fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The right names at a place of the model, for "did you mean"."""
    current: Any = model
    for step in path[:-1]:
        if isinstance(step, int):
            continue
        field = getattr(current, "model_fields", {}).get(step)
        if field is None:
            return []
        current = field.annotation
        inner = [a for a in getattr(current, "__args__", ()) if isinstance(a, type) and issubclass(a, BaseModel)]
        current = inner[0] if inner else current
    return list(getattr(current, "model_fields", {}))


def problems_of(wrong: ValidationError, where: str, model: type[BaseModel]) -> list[Problem]:
    """All that is wrong with some settings, each with its field and its remedy; values are not repeated."""
    found = []
    for error in wrong.errors(include_input=False, include_url=False):
        field = ".".join(str(p) for p in error["loc"])
        if error["type"] == "extra_forbidden":
            right = [n for n in _fields_at(model, error["loc"]) if n != "root"]
            what = Text("Unknown key.", "未知的键。")
            fix = Text("Did you mean {near}?", "是否应为 {near}？").fill(near=nearest(str(error["loc"][-1]), right))
        elif error["type"] == "missing":
            what = Text("This key is missing.", "缺少该键。")
            fix = Text("Add it.", "请补上。")
        else:
            what = Text("The value is not usable: {why}.", "值不可用：{why}。").fill(why=reason(error))
            fix = Text("See config.example.toml.", "参见 config.example.toml。")
        found.append(Problem(error["type"], where, what, fix, field))
    return found


def system_problems(raw: dict[str, Any], where: str) -> list[Problem]:
    """What only the adapter can say: its settings, its secrets, its roles."""
    name = raw.get("adapter")
    if not isinstance(name, str):
        return []
    try:
        product: Adapter[Any] = adapters.load(name)
    except HoldfastError as wrong:
        return [Problem("adapter", where, wrong.user, same(""), "adapter")]
    found: list[Problem] = []
    settings = raw.get("settings", {})
    if isinstance(settings, dict):
        try:
            product.settings.model_validate(settings)
        except ValidationError as wrong:
            found += [
                Problem(p.code, p.where, p.what, p.fix, f"settings.{p.field}")
                for p in problems_of(wrong, where, product.settings)
            ]
    secrets = raw.get("secrets", {})
    known = {s.name for s in product.secrets}
    if isinstance(secrets, dict):
        found += [
            Problem(
                "secret",
                where,
                Text("{adapter} needs no secret called “{name}”.", "{adapter} 不需要名为“{name}”的密钥。").fill(
                    adapter=name, name=s
                ),
                Text("It knows: {near}.", "可用：{near}。").fill(near=nearest(s, sorted(known)) if known else "-"),
                f"secrets.{s}",
            )
            for s in secrets
            if s not in known
        ]
        found += [
            Problem(
                "secret",
                where,
                Text("The secret “{name}” ({title}) is missing.", "缺少密钥“{name}”（{title}）。").fill(
                    name=s.name, title=s.title
                ),
                Text(
                    'Add a reference under [systems.secrets], such as {name} = "env:NAME".',
                    '请在 [systems.secrets] 下添加引用，例如 {name} = "env:NAME"。',
                ).fill(name=s.name),
                f"secrets.{s.name}",
            )
            for s in product.secrets
            if s.required and s.name not in secrets
        ]
    if isinstance(raw.get("hook"), dict) and product.hook is None:
        what = Text("{adapter} sends no webhooks that we know.", "{adapter} 没有已知的 Webhook。").fill(adapter=name)
        fix = Text("Leave [systems.hook] out: it is polled.", "请删除 [systems.hook]：改由定时拉取。")
        found.append(Problem("hook", where, what, fix, "hook"))
    roles = raw.get("roles", [])
    if isinstance(roles, list):
        found += [
            Problem(
                "role",
                where,
                Text("{adapter} cannot be used as {role}.", "{adapter} 不能用作 {role}。").fill(adapter=name, role=r),
                Text("It can be: {roles}.", "可用角色：{roles}。").fill(roles=", ".join(product.roles)),
                "roles",
            )
            for r in roles
            if isinstance(r, str) and r in ("erp", "crm", "bureau", "rates") and r not in product.roles
        ]
    return found


__all__ = ["System", "problems_of", "system_problems"]
