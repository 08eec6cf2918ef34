"""Systems and people that the database keeps: written as in config.toml, read one by one, and what they may not do.

config.toml is the operator's, who owns the machine; what is kept in the database is an administrator's, who must not get
at more of the machine than the systems that he connects. So a kept system refers to secrets that are sealed in the
database, or to variables HOLDFAST_… that config.toml itself does not use (else he could have the operator's secrets sent
to an address of his own), names files below the folder of config.toml only, and takes its mapping from the database.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from pydantic import BaseModel, ValidationError

from connector import adapter as adapters
from connector.config import Config
from connector.config_people import PersonSettings
from connector.config_seal import USUAL
from connector.config_system import System, problems_of, system_problems
from connector.errors import ConfigError, HoldfastError, Problem
from connector.http_peer import checked_url
from connector.text import Text
from connector.toml_text import toml_of

# The longest text of one system, or of all people, in characters.
_LONGEST = 200_000
_REFERENCE = re.compile(r"(env|file|keyring|sealed):.+")
# What an administrator may have read of the folder of config.toml.
_TABLES = (".csv", ".tsv")
_WORKBOOKS = (".xlsx", ".xlsm", ".xls")
_VARIABLE = re.compile(r"env:HOLDFAST_[A-Z0-9_]+")


def read_system(text: str, where: str, base: Config) -> tuple[System | None, list[Problem]]:
    """The one system of a text as it stands in config.toml (`[[systems]]` …), or all that is wrong with it at once.

    `base` is what config.toml says. Fields are named as in the table: `settings.base_url`, `secrets.password`.
    """
    raw, problems = _tables(text, where, "systems")
    if problems:
        return None, problems
    if len(raw) != 1:
        what = Text("One [[systems]] is wanted, there are {count}.", "应有一个 [[systems]]，实际有 {count} 个。")
        fix = Text("Give each system a text of its own.", "请将每个系统分别保存。")
        return None, [Problem("count", where, what.fill(count=len(raw)), fix, "systems")]
    [table] = raw
    system: System | None = None
    found: list[Problem] = []
    try:
        system = System.model_validate(table)
    except ValidationError as wrong:
        found += problems_of(wrong, where, System)
    found += system_problems(table, where)
    found += _not_his(table, where, base)
    return (None if found else system), found


def read_people(text: str, where: str) -> tuple[list[PersonSettings], list[Problem]]:
    """The people of a text as they stand in config.toml (`[[people]]` …), and all that is wrong with any."""
    raw, problems = _tables(text, where, "people")
    people: list[PersonSettings] = []
    for at, table in enumerate(raw):
        try:
            people.append(PersonSettings.model_validate(table))
        except ValidationError as wrong:
            place = f"people.{table.get('id') or at}"
            problems += [
                Problem(p.code, p.where, p.what, p.fix, f"{place}.{p.field}")
                for p in problems_of(wrong, where, PersonSettings)
            ]
    return people, problems


def references_of(part: BaseModel) -> set[str]:
    """All references to secrets that stand anywhere in some settings."""
    return {text for text in _texts(part.model_dump(exclude={"root"})) if _REFERENCE.fullmatch(text)}


def of_file(kind: str, name: str, where: str) -> Problem:
    """That a system or a person of this name stands in config.toml, which goes first."""
    what = {
        "systems": Text("The system “{name}” stands in config.toml.", "系统“{name}”在 config.toml 中配置。"),
        "people": Text("“{name}” stands in config.toml.", "“{name}”在 config.toml 中配置。"),
    }[kind]
    fix = Text(
        "The operator changes it there; or take it out of the file first, or choose another name.",
        "请由运维人员在该文件中修改；或先从文件中移除，或另取名称。",
    )
    return Problem("of_file", where, what.fill(name=name), fix, "name" if kind == "systems" else "id")


def _tables(text: str, where: str, key: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The tables under one key, which must be the only one."""
    mend = Text("Mend the line.", "请修正该行。")
    if len(text) > _LONGEST:
        what = Text("The text is longer than {most} characters.", "文本超过 {most} 个字符。").fill(most=_LONGEST)
        return [], [Problem("long", where, what, Text("Shorten it.", "请缩短。"))]
    try:
        raw = toml_of(text.replace("\r\n", "\n"), float)
    except tomllib.TOMLDecodeError as wrong:
        why = str(wrong) or type(wrong).__name__
        what = Text("This is not valid TOML: {why}.", "不是有效的 TOML：{why}。").fill(why=why)
        return [], [Problem("toml", where, what, mend)]
    problems = [
        Problem(
            "extra_forbidden",
            where,
            Text("Only [[{key}]] is kept here.", "此处只保存 [[{key}]]。").fill(key=key),
            Text("Take this key out: it belongs into config.toml.", "请删除该键：它应写在 config.toml 中。"),
            other,
        )
        for other in raw
        if other != key
    ]
    tables = raw.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        what = Text("Each begins with [[{key}]].", "每项以 [[{key}]] 开头。").fill(key=key)
        return [], [*problems, Problem("list_type", where, what, mend, key)]
    return tables, problems


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


# --- what an administrator must not reach ----------------------------------------------------------------------------------
def _not_his(table: dict[str, Any], where: str, base: Config) -> Iterator[Problem]:
    his = references_of(base)
    for place in ("secrets", "hook", "panel"):
        inner = table.get(place, {})
        for key, value in inner.items() if isinstance(inner, dict) else ():
            if isinstance(value, str) and _REFERENCE.fullmatch(value):
                yield from _reference(value, his, where, f"{place}.{key}")
    if table.get("mapping") is not None:
        fix = Text("Leave it out, and put a version of the mapping in use.", "请删除该项，并启用映射的某个版本。")
        yield Problem("mapping", where, _FILE_ONLY, fix, "mapping")
    settings = table.get("settings", {})
    if isinstance(settings, dict):
        yield from _addresses(settings, where)
        yield from _paths(str(table.get("adapter")), settings, where, base)


def _reference(value: str, his: set[str], where: str, field: str) -> Iterator[Problem]:
    if value in his:
        what = Text(
            "This secret is used in config.toml; nothing else may use it.",
            "该密钥已在 config.toml 中使用，不得另作他用。",
        )
        yield Problem("reference", where, what, _SEAL, field)
    elif not value.startswith("sealed:") and not _VARIABLE.fullmatch(value):
        what = Text(
            "Here a secret is sealed:NAME, or a variable env:HOLDFAST_…; other references stand in config.toml only.",
            "此处的密钥应为 sealed:名称 或环境变量 env:HOLDFAST_…；其他引用只能写在 config.toml 中。",
        )
        yield Problem("reference", where, what, _SEAL, field)


_FILE_ONLY = Text("A file of one's own is named in config.toml only.", "自有文件只能在 config.toml 中指定。")
_SEAL = Text(
    "Keep it in the database: holdfast secret set NAME, then sealed:NAME.",
    "请保存到数据库：holdfast secret set 名称，然后引用 sealed:名称。",
)


def _addresses(settings: dict[str, Any], where: str) -> Iterator[Problem]:
    """Addresses are looked at before anything is sent to them."""
    for key, value in settings.items():
        if isinstance(value, str) and (key.endswith("_url") or "://" in value):
            try:
                checked_url(value)
            except ConfigError as wrong:
                yield Problem("address", where, wrong.user, _ADDRESS, f"settings.{key}")


_ADDRESS = Text("Correct the address.", "请更正地址。")


def _paths(adapter: str, settings: dict[str, Any], where: str, base: Config) -> Iterator[Problem]:
    """Files lie below the folder of config.toml; adapters mark the settings that name any."""
    try:
        fields = adapters.load(adapter).settings.model_fields
    except HoldfastError:
        return
    marked = {
        key: value
        for key, value in settings.items()
        if key in fields and isinstance(extra := fields[key].json_schema_extra, dict) and extra.get("path")
    }
    in_workbook = any(isinstance(value, str) and value.lower().endswith(_WORKBOOKS) for value in marked.values())
    for key, value in marked.items():
        for path in _texts(value):
            if not (isinstance(value, str) or in_workbook or path.lower().endswith((*_TABLES, *_WORKBOOKS))):
                # The operator's secrets lie there, too: the first line of any file would be shown as its columns.
                what = Text("“{path}” is no file of tables.", "“{path}”不是表格文件。").fill(path=path)
                fix = Text(
                    "Here a name ends with .csv, .tsv or .xlsx; others are connected in config.toml.",
                    "此处的文件名须以 .csv、.tsv 或 .xlsx 结尾；其他文件须在 config.toml 中配置。",
                )
                yield Problem("path", where, what, fix, f"settings.{key}")
            windows = PureWindowsPath(path)
            if windows.drive or windows.root or PurePosixPath(path).is_absolute() or ".." in windows.parts:
                what = Text(
                    "“{path}” leads out of the folder of config.toml.", "“{path}”超出 config.toml 所在文件夹。"
                ).fill(path=path)
                fix = Text(
                    "Name a file below that folder; others are connected in config.toml.",
                    "请指定该文件夹内的文件；其他位置须在 config.toml 中配置。",
                )
                yield Problem("path", where, what, fix, f"settings.{key}")
            elif _is_ours(base, path):
                what = Text(
                    "“{path}” is the operator's: the configuration, keys, the database or the credit files.",
                    "“{path}”属于运维人员：配置、密钥、数据库或信用档案。",
                ).fill(path=path)
                fix = Text("Put the files into a folder of their own.", "请将文件放在单独的文件夹中。")
                yield Problem("path", where, what, fix, f"settings.{key}")


def _is_ours(base: Config, path: str) -> bool:
    """Whether a path leads to what no system may read, or into it: its records and problems would show it."""
    ours = [base.file or base.root / "config.toml", base.root / USUAL, base.files]
    ours += [base.path(r.removeprefix("file:")) for r in references_of(base) if r.startswith("file:")]
    if base.store_url.startswith("sqlite:///"):
        ours.append(base.path(base.store_url.removeprefix("sqlite:///")))
    try:
        there = base.path(path).resolve()
    except (OSError, ValueError, RuntimeError):
        return True  # no path at all, or one that goes in circles
    return any(one == there or one in there.parents for one in (each.resolve() for each in ours))


__all__ = ["of_file", "read_people", "read_system", "references_of"]
