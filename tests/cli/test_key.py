"""`holdfast key`: keys for people and programs, shown once, narrowed, rotated, revoked, each step in the audit trail."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connector.config import load, store_url
from connector.store import api_keys
from connector.store.db import Store
from tests.cli.calling import Called, call, shop

PEOPLE = """
[[people]]
id = "root"
name = "Ada Root"
roles = ["admin"]
[[people]]
id = "chen.jie"
roles = ["sales"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return shop(tmp_path, PEOPLE, customers="id,name\nC1,One")


def key(config: Path, *arguments: str, who: str = "root", lang: str = "en") -> Called:
    return call("-c", config, "--lang", lang, "key", *arguments, "--as", who, lang=lang)


def check(config: Path, token: str) -> str:
    """Why a token opens nothing; "" where it does."""
    store = Store.open(store_url(load(config)))
    parts = api_keys.split(token)
    assert parts is not None
    try:
        with store.reading() as tx:
            from connector.clock import SystemClock

            return api_keys.check(tx, *parts, SystemClock().now())[1]
    finally:
        store.close()


def test_a_key_is_shown_once_and_opens(config: Path) -> None:
    made = key(config, "create", "--person", "chen.jie", "--note", "phone")
    assert made.code == 0, made.err
    token = made.out.strip()
    assert check(config, token) == ""
    assert "shown this once" in made.err
    assert token not in made.err
    listed = call("-c", config, "key", "list", "--format", "json")
    (one,) = listed.json["keys"]
    assert (one["owner"], one["state"], one["rights"], one["note"]) == ("person:chen.jie", "active", None, "phone")
    assert token.split("_", 2)[2] not in listed.out
    trail = call("-c", config, "audit", "list", "--format", "json")
    (entry,) = [e for e in trail.json["audit"] if e["action"] == "key.create"]
    assert (entry["actor"], entry["subject"]) == ("person:root", f"key:{one['id']}")
    assert token.split("_", 2)[2] not in trail.out


def test_a_program_has_roles_of_its_own_and_may_be_narrowed(config: Path) -> None:
    made = key(config, "create", "--app", "webshop", "--role", "sales", "--right", "check", "--right", "read")
    assert made.code == 0, made.err
    (one,) = call("-c", config, "key", "list", "--format", "json").json["keys"]
    assert (one["owner"], one["roles"], one["rights"]) == ("app:webshop", ["sales"], ["read", "check"])


@pytest.mark.parametrize(
    ("arguments", "who", "en", "zh"),
    [
        (["create"], "chen.jie", "Keys are made and ended by an administrator; chen.jie is none.", "chen.jie 不是管理员"),
        (["create", "--person", "chen.jei"], "root", "Nobody who works here is called “chen.jei”. Entered: “chen.jie”.", "没有名为“chen.jei”的人员"),
        (["create", "--app", "Web Shop", "--role", "sales"], "root", "--app: small letters, digits, dots and dashes.", "仅限小写字母"),
        (["create", "--app", "shop"], "root", "Say what the program is: --role", "请指定程序的角色"),
        (["create", "--app", "shop", "--role", "boss"], "root", "--role: there is no role boss", "没有角色 boss"),
        (["create", "--role", "sales"], "root", "--role goes with --app", "--role 仅用于 --app"),
        (["create", "--app", "shop", "--person", "chen.jie", "--role", "sales"], "root", "One of --person and --app.", "只能指定一个"),
        (["create", "--app", "shop", "--role", "sales", "--right", "decide"], "root", "--right decide: the roles of app:shop do not allow it. They allow: read, check", "没有该权限"),
        (["create", "--person", "chen.jie", "--right", "audit"], "root", "They allow: read, check, request", "没有该权限"),
        (["revoke", "nokey"], "root", "There is no key with that id: holdfast key list", "没有该编号的密钥"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(config: Path, arguments: list[str], who: str, en: str, zh: str) -> None:
    one, other = key(config, *arguments, who=who), key(config, *arguments, who=who, lang="zh")
    assert (one.code, one.out, other.code) == (2, "", 2)
    assert en in one.err
    assert zh in other.err


def test_rotating_and_revoking(config: Path) -> None:
    old = key(config, "create", "--person", "chen.jie").out.strip()
    number = old.split("_")[1]
    new = key(config, "rotate", number, "--overlap", "1", who="chen.jie")
    assert new.code == 0, "one's own key needs no administrator"
    assert "The old one is good until" in new.err
    assert [check(config, t) for t in (old, new.out.strip())] == ["", ""]
    longer = key(config, "rotate", number, "--days", "3000", "--overlap", "1", who="chen.jie")
    until = next(line for line in longer.err.splitlines() if "good until" in line)
    assert int(until.split("good until ")[1][:4]) - dt.datetime.now(dt.UTC).year <= 1, "not longer than any other key"
    new = longer
    newest = key(config, "rotate", number, "--overlap", "0").out.strip()
    assert [check(config, t) for t in (old, new.out.strip(), newest)] == ["wrong_secret", "rotated_out", ""]
    assert key(config, "revoke", newest, "--why", "laptop lost").code == 0, "the whole token names it, too"
    assert check(config, newest) == "revoked"
    assert "was revoked before" in key(config, "revoke", number).err
    assert "was revoked: make a new one" in key(config, "rotate", number).err


def test_where_nobody_is_configured_a_key_is_ones_own(tmp_path: Path) -> None:
    config = shop(tmp_path, customers="id,name\nC1,One")
    made = key(config, "create", who="anna")
    assert made.code == 0, made.err
    (one,) = call("-c", config, "key", "list", "--format", "json").json["keys"]
    assert one["owner"] == "person:anna"
    assert "approver" in one["roles"]
