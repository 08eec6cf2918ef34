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

[systems.secrets]                # only references: env:NAME, file:PATH, keyring:NAME, sealed:NAME
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from connector.adapter import Role, nearest
from connector.config_mail import MailSettings
from connector.config_people import PersonSettings
from connector.config_people import problems as people_problems
from connector.config_secret import Sealed, checked_reference, secret
from connector.config_service import ServiceSettings
from connector.config_sign_in import SignInSettings
from connector.config_system import System, problems_of, system_problems
from connector.errors import BadSetting, ConfigError, Problem
from connector.money import is_currency
from connector.text import Language, Text
from connector.toml_text import toml_of


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Business(_Part):
    """The company whose customers these are."""

    currency: str = Field("CNY", description="Reporting currency, ISO 4217.")
    time_zone: str = Field("Asia/Shanghai", description="Where calendar days are counted.")
    language: Literal["en", "zh"] = Field("en", description="Language of what is written to systems.")
    made_up: bool = Field(False, description="The figures are made up, for trying: every page says so.")

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
    seal_key: str | None = Field(
        None,
        description="Reference to the key under which secrets of the database are sealed: env:NAME, file:PATH, keyring:NAME; else the file seal.key beside this one.",
    )
    files: str = Field("holdfast-files", description="Folder of the credit files' attachments, beside config.toml.")
    keep_records_days: int = Field(30, ge=0, description="How long verbatim records are kept for re-mapping.")

    @field_validator("password", "seal_key")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        return value if value is None else checked_reference(value, sealed=False)


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
    _base: Config | None = PrivateAttr(None)
    _sealed: Sealed | None = PrivateAttr(None)

    @property
    def file(self) -> Path | None:
        """The file that it was read from; None where it was not."""
        return self._file

    @property
    def base(self) -> Config:
        """What config.toml alone says, where systems and people of the database were added to it."""
        return self._base or self

    def with_more(
        self,
        systems: Sequence[System],
        people: Sequence[PersonSettings],
        sealed: Sealed | None = None,
        resting: Mapping[str, Collection[str]] | None = None,
    ) -> Config:
        """What config.toml says, with these systems and people added; `sealed` opens secrets that the database keeps.

        `resting` are roles, by the id of a person, that count for nothing now, wherever he stands.
        """
        base, rests = self.base, resting or {}
        everybody = tuple(one.without(rests.get(one.id, ())) for one in (*base.people, *people))
        more = {"systems": (*base.systems, *systems), "people": everybody}
        made = base.model_copy(update=more)
        made._file, made._base, made._sealed = base._file, base, sealed
        return made

    @property
    def opens_sealed(self) -> bool:
        """Whether it can open what the database keeps."""
        return self._sealed is not None

    def secret(self, reference: str, owner: str) -> str:
        """The value behind a reference, now; `owner` is named in messages. ConfigError names the reference only."""
        return secret(reference, self.root, owner, self._sealed)

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
def parse(text: str, where: str, root: Path, *, whole: bool = True) -> tuple[Config | None, list[Problem]]:
    """The configuration, or all that is wrong with it at once.

    `whole` False: more systems may be kept in the database, so that names of systems are not looked at; whoever adds
    those looks at them (`together`).
    """
    try:
        raw = toml_of(text, float)
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
        problems += problems_of(wrong, where, Config)
    for at, system in enumerate(raw.get("systems", []) if isinstance(raw.get("systems"), list) else []):
        if isinstance(system, dict):
            problems += system_problems(system, f"{where} systems.{at} ({system.get('name', '?')})")
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
        problems += together(config, where, ANY if not whole else ())
    return (None if problems else config), problems


# Instead of names of systems: any name may be one.
ANY = ("*",)


def together(config: Config, where: str, also: Collection[str] = ()) -> list[Problem]:
    """What is wrong with people and limits beside the systems; `also` are names that are known of former systems."""
    names = [s.name for s in config.systems]
    if ANY[0] in also:
        named = [*names, *(system for person in config.people for system in person.ids)]
        return people_problems(config.people, named, where)
    return people_problems(config.people, [*names, *also], where) + _limit_problems(config, where)


def _limit_problems(config: Config, where: str) -> list[Problem]:
    """The master of limits is a system that there is."""
    master, names = config.limits.master, [s.name for s in config.systems]
    if master in (None, "here", *names):
        return []
    what = Text("There is no system “{name}” to keep limits.", "没有可存放额度的系统“{name}”。").fill(name=master)
    near = nearest(str(master), ["here", *names])
    fix = Text("Did you mean {near}?", "是否应为 {near}？").fill(near=near)
    return [Problem("unknown_system", where, what, fix, "limits.master")]


def load(path: Path, *, whole: bool = True) -> Config:
    """The configuration in a file. ConfigError listing every problem, each with its remedy. `whole` as in `parse`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            Text(
                "There is no {path}. `holdfast init` writes one; -c FILE names another; `holdfast demo` needs none.",
                "找不到 {path}。可用 `holdfast init` 生成，或用 -c 文件 指定其他文件；`holdfast demo` 无需配置文件。",
            ).fill(path=path)
        ) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(
            Text(
                "{path} cannot be read ({why}). `holdfast init` writes one.",
                "无法读取 {path}（{why}）。可用 `holdfast init` 生成。",
            ).fill(path=path, why=type(wrong).__name__)
        ) from None
    config, problems = parse(text, path.name, path.resolve().parent, whole=whole)
    if config is None:
        raise refusal(problems)
    config._file = path
    return config


def refusal(problems: Sequence[Problem]) -> ConfigError:
    """Problems as the error that stops whoever needs the configuration."""
    lines_en = "\n".join(f"  {p.where}{f' [{p.field}]' if p.field else ''}: {p.what.en} {p.fix.en}" for p in problems)
    lines_zh = "\n".join(f"  {p.where}{f' [{p.field}]' if p.field else ''}：{p.what.zh}{p.fix.zh}" for p in problems)
    return ConfigError(Text(f"The configuration has problems:\n{lines_en}", f"配置有问题：\n{lines_zh}"))


__all__ = [
    "ANY",
    "Business",
    "Config",
    "LimitSettings",
    "Schedule",
    "StoreSettings",
    "System",
    "checked_reference",
    "load",
    "parse",
    "refusal",
    "secret",
    "store_url",
    "together",
]
