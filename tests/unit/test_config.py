"""The configuration: all that is wrong with it is told at once, in both languages, and no secret is ever repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector.config import Config, load, parse, secret, store_url
from connector.errors import ConfigError

GOOD = """
[business]
currency = "CNY"
time_zone = "Asia/Shanghai"

[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""


def problems(text: str) -> list[tuple[str, str, str]]:
    config, found = parse(text, "config.toml", Path())
    assert config is None
    return [(p.field, p.what.en + " " + p.fix.en, p.what.zh + p.fix.zh) for p in found]


def test_a_good_one_loads() -> None:
    config, found = parse(GOOD, "config.toml", Path())
    assert found == []
    assert config is not None
    assert config.system("books").roles == ("erp",)
    assert config.business.currency == "CNY"


BAD = [
    ("[business\n", "", "not valid TOML", "不是有效的 TOML"),
    (GOOD.replace("currency", "curency"), "business.curency", "Did you mean “currency”?", "是否应为 “currency”？"),
    (GOOD.replace('"CNY"', '"RMB元"'), "business.currency", "three capital letters of ISO 4217", "三个大写字母"),
    (GOOD.replace("Shanghai", "Shangai"), "business.time_zone", "no such time zone", "没有该时区"),
    (GOOD + "[[systems]]\nadapter = 'files'\nroles = ['erp']\nsettings = {path='x'}\n", "systems.1.name", "This key is missing", "缺少该键"),
    (GOOD.replace('"files"', '"file"'), "adapter", "Did you mean “files”?", "是否应为 “files”？"),
    (GOOD.replace('path = "book"', 'pth = "book"'), "settings.pth", "Did you mean “path”?", "是否应为 “path”？"),
    (GOOD.replace('["erp"]', '["crm"]'), "roles", "cannot be used as crm", "不能用作 crm"),
    (GOOD.replace('["erp"]', '["boss"]'), "systems.0.roles.0", "one of erp, crm, bureau or rates is wanted", "可选值：erp、crm、bureau、rates"),
    (GOOD.replace('["erp"]', "[]"), "systems.0.roles", "at least 1", "至少 1 项"),
    (GOOD + GOOD[GOOD.index("[[systems]]") :], "systems.name", "Two systems are called “books”", "有两个系统都叫“books”"),
    (GOOD.replace('"books"', '"My Books"'), "systems.0.name", "not usable", "值不可用"),
    (GOOD + "\n[schedule]\nnightly_at = \"25:00\"\n", "schedule.nightly_at", "does not match the pattern", "不符合格式"),
    (GOOD + "\n[schedule]\nevery_minutes = 0\n", "schedule.every_minutes", "at least 1", "不得小于 1"),
    (GOOD + '\n[systems.secrets]\npasword = "env:X"\n', "secrets.pasword", "needs no secret called “pasword”", "不需要名为“pasword”的密钥"),
    ("colour = 1\n" + GOOD, "colour", "Unknown key", "未知的键"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field", "en", "zh"), BAD, ids=[b[1] or "toml" for b in BAD])
def test_what_is_wrong_is_told_with_its_remedy(text: str, field: str, en: str, zh: str) -> None:
    found = problems(text)
    assert any(f == field and en in e and zh in z for f, e, z in found), found


def test_everything_is_told_at_once() -> None:
    text = GOOD.replace("currency", "curency").replace('"files"', '"file"') + "[stor]\n"
    assert {f for f, _, _ in problems(text)} >= {"business.curency", "adapter", "stor"}


ZOHO = """
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
[systems.secrets]
client_id = "env:A"
client_secret = "{secret}"
"""


def test_a_missing_secret_is_named() -> None:
    found = problems(ZOHO.format(secret="env:B"))
    assert [(f, e.split(" (")[0]) for f, e, _ in found] == [("secrets.refresh_token", "The secret “refresh_token”")]


@pytest.mark.parametrize("value", ["1000.hunter2-the-secret", "env:", "vault:x"])
def test_a_secret_in_the_file_is_refused_and_never_repeated(value: str) -> None:
    found = problems(ZOHO.format(secret=value))
    assert any("never the secret itself" in e for _, e, _ in found)
    assert all("hunter2" not in e + z for _, e, z in found)


def test_secrets_come_from_environment_and_file_and_errors_name_only_the_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDFAST_TEST_SECRET", "s3cret-value")
    (tmp_path / "key.txt").write_text("from-file\n", encoding="utf-8")
    assert secret("env:HOLDFAST_TEST_SECRET", tmp_path, "crm") == "s3cret-value"
    assert secret("file:key.txt", tmp_path, "crm") == "from-file"
    monkeypatch.delenv("HOLDFAST_TEST_SECRET")
    with pytest.raises(ConfigError) as missing:
        secret("env:HOLDFAST_TEST_SECRET", tmp_path, "crm")
    assert "env:HOLDFAST_TEST_SECRET is not set" in missing.value.user.en
    assert "未设置" in missing.value.user.zh
    with pytest.raises(ConfigError) as absent:
        secret("file:nothing.txt", tmp_path, "crm")
    assert "file:nothing.txt cannot be read" in absent.value.user.en


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(GOOD, encoding="utf-8")
    config = load(tmp_path / "config.toml")
    assert config.store_url == f"sqlite:///{tmp_path / 'holdfast.db'}"
    assert config.path("book") == tmp_path / "book"


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as wrong:
        load(tmp_path / "config.toml")
    assert "holdfast init" in wrong.value.user.en
    assert "holdfast init" in wrong.value.user.zh


def test_the_password_of_the_store_is_only_put_in_by_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.config import store_url

    monkeypatch.setenv("HOLDFAST_TEST_DB", "pa:ss@word")
    text = GOOD + '\n[store]\nurl = "postgresql+psycopg://me@127.0.0.1/x"\npassword = "env:HOLDFAST_TEST_DB"\n'
    config, found = parse(text, "config.toml", Path())
    assert found == []
    assert isinstance(config, Config)
    assert "pa:ss" not in repr(config)
    assert store_url(config) == "postgresql+psycopg://me:pa%3Ass%40word@127.0.0.1/x"
    assert os.environ["HOLDFAST_TEST_DB"] == "pa:ss@word"


def test_a_store_url_that_is_none_is_told_where_the_store_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.store.db import Store

    monkeypatch.setenv("PG", "hunter2")
    for url in ("postgresql://db:abc/x", "what is this"):
        text = f'[store]\nurl = "{url}"\npassword = "env:PG"\n'
        config, problems = parse(text, "config.toml", tmp_path)
        assert (config is not None, problems) == (True, [])
        assert config is not None
        with pytest.raises(ConfigError, match="The store's URL is not one"):
            Store.open(store_url(config))
