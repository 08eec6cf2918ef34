"""The key under which secrets of the database are sealed: read by its reference, made as a file, changed by adding one.

A key file may hold several keys, a line each: everything is sealed under the first, and opened by whichever fits. So a
new key is put first, everything is sealed anew (`holdfast secret rotate`), and the old line is then taken out. What is
sealed holds its own name inside: put under another name in the database it does not open.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import simplejson

from connector.config_secret import Sealed, secret
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from connector.config import Config

# The file beside config.toml that is the key where [store] names none.
USUAL = "seal.key"
# How a key is made, for messages.
HOW = Text(
    "Make one with `holdfast secret key seal.key` in the folder of config.toml, and keep a copy of the file in a safe place; "
    "or set seal_key under [store] to another place.",
    "请在 config.toml 所在文件夹中用 `holdfast secret key seal.key` 生成并妥善备份该文件；也可在 [store] 中用 seal_key 指定其他位置。",
)
_NO_KEY = Text(
    "Secrets cannot be kept in the database: there is no key to seal them with. {how}",
    "无法在数据库中保存密钥：尚无加密主密钥。{how}",
)
_BAD_KEY = Text(
    "[store] seal_key {reference} holds no key of the right form (44 characters a line). {how}",
    "[store] seal_key {reference} 中没有格式正确的主密钥（每行 44 个字符）。{how}",
)
_NO_EXTRA = Text(
    "Sealing secrets needs the extra “web”: pip install '.[web]' in Holdfast's own folder.",
    "加密保存密钥需要附加组件 “web”：请在 Holdfast 所在文件夹执行 pip install '.[web]'。",
)
_NOT_OPENED = Text(
    "The secret sealed:{name} cannot be opened: it was sealed under another key than [store] seal_key holds. Put the old "
    "key back as a further line of it, or set the secret anew: holdfast secret set {name}",
    "无法打开密钥 sealed:{name}：它由另一主密钥加密。请把旧主密钥作为新的一行加回 [store] seal_key，或重新设置："
    "holdfast secret set {name}",
)


@dataclass(frozen=True)
class Seal:
    """What seals and opens. Its text never shows the key."""

    _fernet: MultiFernet

    def __repr__(self) -> str:
        return "Seal()"

    def close(self, name: str, value: str) -> str:
        """A secret sealed, as the database keeps it."""
        inside = simplejson.dumps([name, value], ensure_ascii=False).encode("utf-8", "surrogatepass")
        return self._fernet.encrypt(inside).decode("ascii")

    def open(self, name: str, token: str) -> str:
        """The secret of that name. ConfigError where no key opens it, or it is another's."""
        from cryptography.fernet import InvalidToken

        try:
            inside, value = simplejson.loads(self._fernet.decrypt(token.encode("ascii")))
        except (InvalidToken, ValueError, UnicodeError):
            raise ConfigError(_NOT_OPENED.fill(name=name)) from None
        if inside != name:
            raise ConfigError(_NOT_OPENED.fill(name=name))
        return str(value)


def key_reference(config: Config) -> str | None:
    """Where the key is: what [store] seal_key says, else the file seal.key beside config.toml; None: there is none."""
    if config.store.seal_key is not None:
        return config.store.seal_key
    return f"file:{USUAL}" if config.file is not None and (config.root / USUAL).is_file() else None


def seal_of(config: Config) -> Seal:
    """The seal of a configuration. ConfigError that says how to make a key where there is none."""
    reference = key_reference(config)
    if reference is None:
        raise ConfigError(_NO_KEY.fill(how=HOW))
    try:
        from cryptography.fernet import Fernet, MultiFernet
    except ModuleNotFoundError:
        raise ConfigError(_NO_EXTRA) from None
    words = secret(reference, config.root, "store").split()
    try:
        return Seal(MultiFernet([Fernet(word) for word in words]))
    except ValueError:
        raise ConfigError(_BAD_KEY.fill(reference=reference, how=HOW)) from None


def make_key(path: Path, *, before: bool = False) -> None:
    """Writes a new key to a file that only its owner may read. ConfigError where the file is there already.

    `before`: the file holds keys already; the new one is put first, and seals from now on.
    """
    try:
        from cryptography.fernet import Fernet
    except ModuleNotFoundError:
        raise ConfigError(_NO_EXTRA) from None
    key = Fernet.generate_key().decode("ascii") + "\n"
    try:
        if before:
            _put_first(path, key)
            return
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key)
    except FileExistsError:
        raise ConfigError(
            Text(
                "{path} is there already. A further key is put first in it with --add.",
                "{path} 已存在。如需在其中加入新的主密钥，请使用 --add。",
            ).fill(path=path)
        ) from None
    except OSError as wrong:
        raise ConfigError(
            Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                path=path, why=wrong.strerror or type(wrong).__name__
            )
        ) from None


def _put_first(path: Path, key: str) -> None:
    """Whole or not at all: a key file that is cut short opens nothing any more."""
    kept = path.read_text(encoding="ascii")
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key + kept)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


__all__ = ["HOW", "USUAL", "Seal", "Sealed", "key_reference", "make_key", "seal_of"]
