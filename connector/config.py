"""The operator's `config.toml`, read once: business, store, schedule, systems, references to secrets, never secrets.

[business]
currency = "CNY"                 # reporting currency
time_zone = "Asia/Shanghai"      # where calendar days are counted
language = "zh"                  # of tasks and texts that are written to systems

[store]
url = "sqlite:///holdfast.db"    # relative paths are relative to this file

[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }

[systems.secrets]                # only references: env:NAME, file:PATH, keyring:NAME
"""

from __future__ import annotations

import importlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from connector import adapter as adapters
from connector.adapter import Adapter, Role, nearest
from connector.config_hook import HookSettings
from connector.config_mail import MailSettings
from connector.config_people import PersonSettings
from connector.config_people import problems as people_problems
from connector.config_service import ServiceSettings
from connector.config_sign_in import SignInSettings
from connector.config_words import reason
from connector.errors import BadSetting, ConfigError, HoldfastError, Problem
from connector.money import is_currency
from connector.text import Language, Text, same


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Business(_Part):
    """The company whose customers these are."""

    currency: str = Field("CNY", description="Reporting currency, ISO 4217.")
    time_zone: str = Field("Asia/Shanghai", description="Where calendar days are counted.")
    language: Literal["en", "zh"] = Field("en", description="Language of what is written to systems.")

    @field_validator("currency")
    @classmethod
    def _currency(cls, value: str) -> str:
        if not is_currency(value):
            raise BadSetting(
                Text("three capital letters of ISO 4217, such as CNY", "应为 ISO 4217 的三个大写字母，例如 CNY")
            )
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            near = nearest(value, sorted(available_timezones()))
            raise BadSetting(
                Text("no such time zone; did you mean {near}?", "没有该时区；是否应为 {near}？").fill(near=near)
            ) from None
        return value


class StoreSettings(_Part):
    """Where facts, decisions and the outbox are kept."""

    url: str = Field("sqlite:///holdfast.db", description="sqlite:///file.db or postgresql+psycopg://…")
    password: str | None = Field(
        None, description="Reference to the database password: env:NAME, file:PATH, keyring:NAME."
    )
    files: str = Field("holdfast-files", description="Folder of the credit files' attachments, beside config.toml.")
    keep_records_days: int = Field(30, ge=0, description="How long verbatim records are kept for re-mapping.")

    @field_validator("password")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        return value if value is None else checked_reference(value)


class Schedule(_Part):
    """When `holdfast serve` works."""

    every_minutes: int = Field(15, ge=1, le=24 * 60, description="Pull changes, link, evaluate, push.")
    nightly_at: str = Field(
        "01:30", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="Full run, in the business's time zone."
    )
    order_seconds: int = Field(
        60,
        ge=0,
        le=3600,
        description="How often what moves holds is looked at between those: payments, orders; at least 5, or 0: never.",
    )

    @field_validator("order_seconds")
    @classmethod
    def _seldom_enough(cls, value: int) -> int:
        if 0 < value < 5:
            raise BadSetting(
                Text("at least 5 seconds, or 0 for never", "至少 5 秒；0 表示不启用"),
            )
        return value


class System(_Part):
    """One configured installation of somebody's software."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$", description="Any short name.")
    adapter: str = Field(description="Which product: see `holdfast adapters`.")
    roles: tuple[Role, ...] = Field(min_length=1, description="What it is trusted for: erp, crm, bureau, rates.")
    settings: Mapping[str, Any] = Field(default_factory=dict, description="The adapter's own settings.")
    secrets: Mapping[str, str] = Field(default_factory=dict, description="References only.")
    mapping: str | None = Field(
        None,
        description="A mapping file of your own, where no version in the database is in use; else the shipped one.",
    )
    language: Literal["en", "zh"] | None = Field(None, description="Language of what is written there.")
    write: bool | None = Field(None, description="Whether anything is written there; else where a CRM is configured.")
    undone: Literal["tell", "restore"] = Field(
        "tell", description="What follows where somebody takes a hold off there: it is told and left, or held again."
    )
    hold: Literal["strongest", "native", "lock", "approval", "flag"] = Field(
        "strongest", description="The strongest way in which orders are held there: see `holdfast adapters`."
    )
    allow_private: bool = Field(
        False, description="Whether its public-looking name may lead into a private network (an ERP of your own)."
    )
    hook: HookSettings | None = Field(None, description="Webhooks: its address and secret; else it is only polled.")

    @field_validator("hook")
    @classmethod
    def _hook_references(cls, value: HookSettings | None) -> HookSettings | None:
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


class LimitSettings(_Part):
    """Where credit limits are kept: what is approved goes there, and what counts is read from there."""

    master: str | None = Field(
        None,
        description="“here”, or the name of a system; else each customer's own ledger. “here” begins with his first "
        "approved limit.",
    )


class Config(_Part):
    """The whole of `config.toml`. `root` is its folder: relative paths start there."""

    business: Business = Business()  # type: ignore[call-arg]
    store: StoreSettings = StoreSettings()  # type: ignore[call-arg]
    schedule: Schedule = Schedule()  # type: ignore[call-arg]
    policy: str | None = Field(None, description="A policy file of your own; else the shipped default.")
    limits: LimitSettings = LimitSettings()  # type: ignore[call-arg]
    service: ServiceSettings = ServiceSettings()  # type: ignore[call-arg]
    sign_in: SignInSettings = SignInSettings()  # type: ignore[call-arg]
    mail: MailSettings = MailSettings()  # type: ignore[call-arg]
    people: tuple[PersonSettings, ...] = ()
    systems: tuple[System, ...] = ()
    root: Path = Field(Path(), exclude=True)
    _file: Path | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """The file that it was read from; None where it was not."""
        return self._file

    def system(self, name: str) -> System:
        """One system by name. ConfigError with the nearest right name."""
        for system in self.systems:
            if system.name == name:
                return system
        raise ConfigError(
            Text("No system is called “{name}”. Configured: {near}.", "没有名为“{name}”的系统。已配置：{near}。").fill(
                name=name, near=nearest(name, [s.name for s in self.systems]) if self.systems else "-"
            )
        )

    def with_role(self, *roles: Role) -> list[System]:
        """The systems that are trusted for any of these."""
        return [s for s in self.systems if set(s.roles) & set(roles)]

    def writes_to(self, system: System) -> bool:
        """Whether a system is written to. Without a CRM nothing is, unless the system itself says so."""
        return system.write if system.write is not None else bool(self.with_role("crm"))

    def path(self, relative: str) -> Path:
        """A path from the file, relative to its folder."""
        return (self.root / relative).resolve() if not Path(relative).is_absolute() else Path(relative)

    @property
    def files(self) -> Path:
        """The folder of the credit files' attachments."""
        return self.root / self.store.files

    @property
    def store_url(self) -> str:
        """The store's URL with a relative SQLite path made absolute. A password is not part of it."""
        url = self.store.url
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith("sqlite:////") and url != "sqlite:///:memory:":
            return prefix + str(self.path(url[len(prefix) :]))
        return url

    def language_for(self, system: System) -> Language:
        """The language in which texts are written to a system."""
        return system.language or self.business.language


def checked_reference(reference: str) -> str:
    """A reference to a secret, unchanged. BadSetting (without the value) for what may be the secret itself."""
    kind, _, rest = reference.partition(":")
    if kind not in ("env", "file", "keyring") or not rest:
        raise BadSetting(
            Text(
                "a reference is wanted: env:NAME, file:PATH or keyring:NAME; never the secret itself",
                "应为引用：env:变量名、file:路径 或 keyring:名称；绝不能写密钥本身",
            )
        )
    return reference


def secret(reference: str, root: Path, owner: str) -> str:
    """The value behind a reference, now. ConfigError names the reference, never the value."""
    kind, _, name = checked_reference(reference).partition(":")
    value: str | None = None
    try:
        if kind == "env":
            value = os.environ.get(name)
        elif kind == "file":
            path = Path(name) if Path(name).is_absolute() else root / name
            value = path.read_text(encoding="utf-8").strip()
        else:
            keyring = importlib.import_module("keyring")
            value = keyring.get_password("holdfast", name)
    except (OSError, ImportError, UnicodeDecodeError) as wrong:
        raise ConfigError(
            Text(
                "{owner}: the secret {reference} cannot be read ({why}).",
                "{owner}：无法读取密钥 {reference}（{why}）。",
            ).fill(owner=owner, reference=reference, why=type(wrong).__name__)
        ) from None
    if not value:
        raise ConfigError(
            Text(
                "{owner}: the secret {reference} is not set. Set it, for example: {example}",
                "{owner}：密钥 {reference} 未设置。请设置，例如：{example}",
            ).fill(owner=owner, reference=reference, example=f"export {name}=…" if kind == "env" else name)
        )
    return value


def store_url(config: Config) -> str:
    """The store's URL with its password, from the reference, in place. Never to be shown."""
    if not config.store.password:
        return config.store_url
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    password = secret(config.store.password, config.root, "store")
    try:
        url = make_url(config.store_url)
    except (ArgumentError, ValueError):
        return config.store_url  # opening the store says what is wrong with it
    return url.set(password=password).render_as_string(hide_password=False)


# --- loading ---
def parse(text: str, where: str, root: Path) -> tuple[Config | None, list[Problem]]:
    """The configuration, or all that is wrong with it at once."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        return None, [
            Problem(
                "toml",
                where,
                Text("This is not valid TOML: {why}.", "不是有效的 TOML：{why}。").fill(why=str(wrong)),
                Text("Mend the line.", "请修正该行。"),
            )
        ]
    problems: list[Problem] = []
    config: Config | None = None
    try:
        config = Config.model_validate({**raw, "root": root})
    except ValidationError as wrong:
        problems += _problems(wrong, where, Config)
    for at, system in enumerate(raw.get("systems", []) if isinstance(raw.get("systems"), list) else []):
        if isinstance(system, dict):
            problems += _system_problems(system, f"{where} systems.{at} ({system.get('name', '?')})")
    names = [s.get("name") for s in raw.get("systems", []) if isinstance(s, dict)]
    for name in sorted({n for n in names if isinstance(n, str) and names.count(n) > 1}):
        problems.append(
            Problem(
                "duplicate",
                where,
                Text("Two systems are called “{name}”.", "有两个系统都叫“{name}”。").fill(name=name),
                Text("Give each a name of its own.", "请为每个系统取不同的名称。"),
                "systems.name",
            )
        )
    if config is not None:
        problems += people_problems(config.people, [s.name for s in config.systems], where)
        problems += _limit_problems(config, where)
    return (None if problems else config), problems


def _limit_problems(config: Config, where: str) -> list[Problem]:
    """The master of limits is a system that there is."""
    master, names = config.limits.master, [s.name for s in config.systems]
    if master in (None, "here", *names):
        return []
    what = Text("There is no system “{name}” to keep limits.", "没有可存放额度的系统“{name}”。").fill(name=master)
    near = nearest(str(master), ["here", *names])
    fix = Text("Did you mean {near}?", "是否应为 {near}？").fill(near=near)
    return [Problem("unknown_system", where, what, fix, "limits.master")]


def load(path: Path) -> Config:
    """The configuration in a file. ConfigError listing every problem, each with its remedy."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(
            Text(
                "{path} cannot be read ({why}). `holdfast init` writes one.",
                "无法读取 {path}（{why}）。可用 `holdfast init` 生成。",
            ).fill(path=path, why=type(wrong).__name__)
        ) from None
    config, problems = parse(text, path.name, path.resolve().parent)
    if config is None:
        lines_en = "\n".join(
            f"  {p.where}{f' [{p.field}]' if p.field else ''}: {p.what.en} {p.fix.en}" for p in problems
        )
        lines_zh = "\n".join(
            f"  {p.where}{f' [{p.field}]' if p.field else ''}：{p.what.zh}{p.fix.zh}" for p in problems
        )
        raise ConfigError(Text(f"The configuration has problems:\n{lines_en}", f"配置有问题：\n{lines_zh}"))
    config._file = path
    return config


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


def _problems(wrong: ValidationError, where: str, model: type[BaseModel]) -> list[Problem]:
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


def _system_problems(raw: dict[str, Any], where: str) -> list[Problem]:
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
                for p in _problems(wrong, where, product.settings)
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
