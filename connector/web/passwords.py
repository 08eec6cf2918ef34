"""Passwords of people who sign in here: argon2id, made and checked; what may be one."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from connector.text import Text

# The recommendation of RFC 9106 for machines with little memory: 64 MiB, three passes. One check costs some 60 ms.
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
LEAST, MOST = 12, 200
_NOBODY: list[str] = []


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


def good(kept: str | None, password: str) -> bool:
    """Whether it is the right one. Takes as long where there is none, so that nobody learns who has one."""
    if len(password) > MOST:
        return False
    if kept is None:
        if not _NOBODY:
            _NOBODY.append(_HASHER.hash("nobody's password"))
        kept = _NOBODY[0]
        password += "\0"
    try:
        return _HASHER.verify(kept, password)
    except (Argon2Error, InvalidHashError):
        return False


def wrong(password: str, *, person: str, name: str) -> Text | None:
    """Why something cannot be a password; None: it can."""
    if len(password) < LEAST:
        return Text("At least {least} characters.", "至少 {least} 个字符。").fill(least=LEAST)
    if len(password) > MOST:
        return Text("At most {most} characters.", "最多 {most} 个字符。").fill(most=MOST)
    if len(set(password)) < 5:
        return Text("Too few different characters.", "不同字符过少。")
    plain = password.casefold()
    if any(len(part) > 3 and part in plain for part in (person.casefold(), name.casefold(), "holdfast", "password")):
        return Text("Too easy to guess: it contains a name.", "过于容易猜测：包含姓名或产品名。")
    return None
