"""References to secrets: env:NAME, file:PATH, keyring:NAME, sealed:NAME; and the value behind one, at the last moment.

`sealed:NAME` is kept encrypted in the database (`connector.store.sealed`). It is opened by whoever has a database: the
configuration carries a function for it, so that nobody below needs to know where secrets are kept.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from connector.errors import BadSetting, ConfigError
from connector.text import Text

SEALED = "sealed"
_PLAIN = ("env", "file", "keyring")
SEALED_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,79}")

# The value of a sealed secret by its name. Raises ConfigError where there is none, or no key opens it.
Sealed = Callable[[str], str]


def checked_reference(reference: str, *, sealed: bool = True) -> str:
    """A reference to a secret, unchanged. BadSetting (without the value) for what may be the secret itself.

    `sealed` False: what opens the database cannot be kept in it.
    """
    kind, _, rest = reference.partition(":")
    if kind == SEALED and sealed and SEALED_NAME.fullmatch(rest):
        return reference
    if kind not in _PLAIN or not rest:
        raise BadSetting(_WANTED if sealed else _PLAIN_WANTED)
    return reference


_WANTED = Text(
    "a reference is wanted: env:NAME, file:PATH, keyring:NAME or sealed:NAME; never the secret itself",
    "应为引用：env:变量名、file:路径、keyring:名称 或 sealed:名称；绝不能写密钥本身",
)
_PLAIN_WANTED = Text(
    "a reference is wanted: env:NAME, file:PATH or keyring:NAME; never the secret itself",
    "应为引用：env:变量名、file:路径 或 keyring:名称；绝不能写密钥本身",
)


def secret(reference: str, root: Path, owner: str, sealed: Sealed | None = None) -> str:
    """The value behind a reference, now. ConfigError names the reference, never the value."""
    kind, _, name = checked_reference(reference).partition(":")
    value: str | None = None
    try:
        if kind == "env":
            value = os.environ.get(name)
        elif kind == "file":
            path = Path(name) if Path(name).is_absolute() else root / name
            value = path.read_text(encoding="utf-8").strip()
        elif kind == SEALED:
            value = _opened(name, owner, sealed)
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
        example = {"env": f"export {name}=…", SEALED: f"holdfast secret set {name}"}.get(kind, name)
        raise ConfigError(
            Text(
                "{owner}: the secret {reference} is not set. Set it, for example: {example}",
                "{owner}：密钥 {reference} 未设置。请设置，例如：{example}",
            ).fill(owner=owner, reference=reference, example=example)
        )
    return value


def _opened(name: str, owner: str, sealed: Sealed | None) -> str:
    if sealed is None:
        raise ConfigError(
            Text(
                "{owner}: the secret sealed:{name} is kept in the database, which is not at hand here.",
                "{owner}：密钥 sealed:{name} 保存在数据库中，此处无法访问数据库。",
            ).fill(owner=owner, name=name)
        )
    return sealed(name)


__all__ = ["SEALED", "SEALED_NAME", "Sealed", "checked_reference", "secret"]
