"""What an administrator may keep in the database of a system or a person, and what stays the operator's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import Config, parse
from connector.config_kept import read_people, read_system, references_of
from connector.config_toml import toml_key, toml_value

FILE = """
[store]
password = "env:HOLDFAST_DB_PASSWORD"
[mail]
host = "localhost"
port = 25
security = "none"
sender = "a@example.com"
[[systems]]
name = "crm"
adapter = "zoho_crm"
roles = ["crm"]
[systems.secrets]
client_id = "sealed:crm/client_id"
client_secret = "env:HOLDFAST_ZOHO_SECRET"
refresh_token = "file:refresh.txt"
"""
GOOD = """
[[systems]]
name = "erp"
adapter = "tryton"
roles = ["erp"]
settings = { base_url = "https://erp.example.com", database = "tryton", user = "connector" }
[systems.secrets]
password = "sealed:erp/password"
"""
BOOKS = '[[systems]]\nname = "books"\nadapter = "files"\nroles = ["erp"]\nsettings = { path = "book" }\n'


@pytest.fixture
def base() -> Config:
    made, problems = parse(FILE, "config.toml", Path())
    assert made is not None, problems
    return made


@pytest.mark.parametrize(
    "text", [GOOD, BOOKS, GOOD.replace("\n", "\r\n"), GOOD.replace("sealed:erp/password", "env:HOLDFAST_ERP")]
)
def test_a_good_one_is_read(base: Config, text: str) -> None:
    system, problems = read_system(text, "new", base)
    assert (system is not None, problems) == (True, [])


REFUSED = [
    (GOOD.replace("sealed:erp/password", "file:/etc/shadow"), "secrets.password", "sealed:NAME", "只能写在 config.toml 中"),
    (GOOD.replace("sealed:erp/password", "file:seal.key"), "secrets.password", "sealed:NAME", "只能写在 config.toml 中"),
    (GOOD.replace("sealed:erp/password", "keyring:bank"), "secrets.password", "sealed:NAME", "只能写在 config.toml 中"),
    (GOOD.replace("sealed:erp/password", "env:AWS_SECRET_ACCESS_KEY"), "secrets.password", "env:HOLDFAST_", "只能写在 config.toml 中"),
    (GOOD.replace("sealed:erp/password", "env:HOLDFAST_DB_PASSWORD"), "secrets.password", "is used in config.toml", "已在 config.toml 中使用"),
    (GOOD.replace("sealed:erp/password", "env:HOLDFAST_ZOHO_SECRET"), "secrets.password", "is used in config.toml", "已在 config.toml 中使用"),
    (GOOD.replace("sealed:erp/password", "sealed:crm/client_id"), "secrets.password", "is used in config.toml", "已在 config.toml 中使用"),
    (GOOD.replace("roles", 'mapping = "../secret.toml"\nroles'), "mapping", "config.toml only", "只能在 config.toml 中指定"),
    (GOOD.replace("https://erp.example.com", "http://169.254.169.254"), "settings.base_url", "use https", "请使用 https"),
    (GOOD.replace("https://erp.example.com", "file:///etc/passwd"), "settings.base_url", "not an http(s) address", "不是 http(s) 地址"),
    (GOOD.replace("https://erp.example.com", "https://u:pw@erp.example.com"), "settings.base_url", "must not hold a user", "不得包含用户名或密码"),
    (BOOKS.replace('"book"', '"/etc"'), "settings.path", "leads out of the folder", "超出 config.toml 所在文件夹"),
    (BOOKS.replace('"book"', '"../../etc"'), "settings.path", "leads out of the folder", "超出 config.toml 所在文件夹"),
    (BOOKS.replace('"book"', "'book\\..\\..\\x'"), "settings.path", "leads out of the folder", "超出 config.toml 所在文件夹"),
    (BOOKS.replace('"book"', "'C:\\x'"), "settings.path", "leads out of the folder", "超出 config.toml 所在文件夹"),
    (BOOKS.replace('path = "book"', 'path = "book", files = { customers = "../../etc/passwd" }'), "settings.files", "leads out", "超出"),
    (BOOKS.replace('path = "book"', 'path = ".", files = { customers = "seal.key" }'), "settings.files", "no file of tables", "不是表格文件"),
    (BOOKS.replace('path = "book"', 'path = "secrets", files = { customers = "*" }'), "settings.files", "no file of tables", "不是表格文件"),
    (GOOD + BOOKS, "systems", "One [[systems]] is wanted, there are 2", "实际有 2 个"),
    ("", "systems", "One [[systems]] is wanted, there are 0", "实际有 0 个"),
    (GOOD + '[business]\ncurrency = "EUR"\n', "business", "Only [[systems]] is kept here", "此处只保存 [[systems]]"),
    ('systems = "x"', "systems", "begins with [[systems]]", "以 [[systems]] 开头"),
    ("[[systems]\n", "", "not valid TOML", "不是有效的 TOML"),
    ("a = " + "[" * 5000, "", "not valid TOML", "不是有效的 TOML"),
    ("#" * 200_001, "", "longer than 200000", "超过 200000"),
    (GOOD.replace('adapter = "tryton"', 'adapter = "trytn"'), "adapter", "Did you mean “tryton”", "是否应为 “tryton”"),
    (GOOD.replace('database = "tryton", ', ""), "settings.database", "is missing", "缺少"),
    (GOOD.replace('"erp"\n', '"ERP 1"\n', 1), "name", "does not match", "不符合格式"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field", "en", "zh"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_an_administrators_is_refused_with_its_field(
    base: Config, text: str, field: str, en: str, zh: str
) -> None:
    system, problems = read_system(text, "new", base)
    assert system is None
    found = [(p.field, p.what.en + p.fix.en, p.what.zh + p.fix.zh) for p in problems]
    assert any(f == field and en in e and zh in z for f, e, z in found), found
    assert "pw@" not in str(found)


@pytest.mark.parametrize(
    "path",
    ["config.toml", "seal.key", "refresh.txt", "holdfast.db", "holdfast-files", "holdfast-files/2026", "./x/../seal.key", "link"],
)  # fmt: skip
def test_no_system_reads_what_is_the_operators(tmp_path: Path, path: str) -> None:
    """A file that is read as a book is shown, line by line, in what is wrong with it."""
    (tmp_path / "holdfast-files").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "holdfast-files")
    base, problems = parse(FILE, "config.toml", tmp_path)
    assert base is not None, problems
    system, found = read_system(BOOKS.replace('"book"', f'"{path}"'), "new", base)
    assert system is None
    assert [(p.code, p.field) for p in found] == [("path", "settings.path")]


def test_a_secret_in_place_of_its_reference_is_never_repeated(base: Config) -> None:
    system, problems = read_system(GOOD.replace("sealed:erp/password", "hunter2-hunter2"), "new", base)
    assert system is None
    assert [p.field for p in problems] == ["secrets"]
    assert "hunter2" not in str([(str(p), p.what.zh) for p in problems])


def test_all_references_of_the_file_are_known(base: Config) -> None:
    assert references_of(base) == {
        "env:HOLDFAST_DB_PASSWORD", "sealed:crm/client_id", "env:HOLDFAST_ZOHO_SECRET", "file:refresh.txt"
    }  # fmt: skip


def test_what_opens_the_database_cannot_be_kept_in_it() -> None:
    for key in ("password", "seal_key"):
        made, problems = parse(f'[store]\n{key} = "sealed:x"\n', "config.toml", Path())
        assert made is None
        assert "env:NAME, file:PATH or keyring:NAME" in problems[0].what.en


def test_a_slip_in_one_person_does_not_hide_the_others() -> None:
    text = (
        '[[people]]\nid = "ada"\nroles = ["admin"]\n[[people]]\nid = "bob"\nroles = ["boss"]\n[[people]]\nid = "eve"\n'
    )
    people, problems = read_people(text, "people@1")
    assert [p.id for p in people] == ["ada", "eve"]
    assert [p.field for p in problems] == ["people.bob.roles.0"]


# --- whatever is typed ---------------------------------------------------------------------------------------------------
WORD = st.sampled_from(
    [
        *("name", "adapter", "roles", "settings", "secrets", "mapping", "hook", "panel", "write", "undone", "secret"),
        *("path", "files", "base_url", "database", "odoo", "tryton", "zoho_crm", "fxiaoke", "erp", "crm"),
        *("sealed:a", "env:HOLDFAST_A", "file:/x", "https://e.example.com", "http://[", "..", "\0", "a" * 5000, ""),
    ]
)
VALUE = st.recursive(
    WORD | st.text(max_size=5) | st.booleans() | st.integers(-5, 2**62),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=10,
)


@given(st.text(max_size=200))
def test_any_text_is_answered_with_problems(text: str) -> None:
    base = Config()  # type: ignore[call-arg]
    system, problems = read_system(text, "new", base)
    assert system is None
    assert problems
    assert read_people(text, "people") is not None


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(WORD, VALUE, max_size=9), st.sampled_from(["files", "odoo", "tryton", "zoho_crm", "fxiaoke"]))
def test_any_table_is_a_system_or_has_problems_in_both_languages(table: dict[str, Any], adapter: str) -> None:
    base = Config()  # type: ignore[call-arg]
    text = "\n".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in {"adapter": adapter, **table}.items())
    system, problems = read_system(f"[[systems]]\n{text}\n", "new", base)
    assert (system is None) == bool(problems)
    for problem in problems:
        assert problem.what.en
        assert problem.what.zh


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(max_size=12), VALUE, max_size=6), st.sampled_from(["ada", "Ada L", ""]))
def test_any_person_is_one_or_has_problems(values: dict[str, Any], name: str) -> None:
    text = "\n".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in {"id": name, **values}.items())
    people, problems = read_people(f"[[people]]\n{text}\n", "people")
    assert bool(people) != bool(problems)
