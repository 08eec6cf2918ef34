"""`init`: from answers to a configuration that is accepted, for every adapter, and never a secret in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pydantic import BaseModel, model_validator

from connector import adapter as adapters
from connector.config import parse
from tests.cli.calling import call

# What each adapter must know; whoever adds an adapter adds its answers.
ANSWERS = {
    "files": ["book"],
    "fxiaoke": ["1000", ""],
    "odoo": ["https://company.example", ""],
    "tryton": ["https://erp.example", "company", "connector", ""],
    "zoho_crm": [""],
}


def answers(name: str, changed: tuple[str, ...] = (), language: str = "") -> list[str]:
    product = adapters.load(name)
    roles = [""] if len(product.roles) > 1 else []
    also = ["" for secret in product.secrets if not secret.required]
    return ["", "", language, name, "", *roles, *ANSWERS[name], *changed, "", *also, ""]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", adapters.names())
def test_every_adapter_gets_a_configuration_that_is_accepted(name: str, lang: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    done = call("-c", path, "init", given="\n".join(answers(name)) + "\n", lang=lang)
    assert done.code == 0, done
    text = path.read_text(encoding="utf-8")
    config, problems = parse(text, "config.toml", tmp_path)
    assert config is not None, problems
    [system] = config.systems
    assert (system.name, system.adapter) == (name, name)
    assert system.roles == adapters.load(name).roles[:1]
    assert config.business.language == lang
    wanted = {s.name for s in adapters.load(name).secrets if s.required}
    assert set(system.secrets) == wanted
    assert all(reference.startswith("env:HOLDFAST_") for reference in system.secrets.values())
    for reference in system.secrets.values():
        assert f"export {reference.removeprefix('env:')}=…" in done.out
    assert ("Then: holdfast check" if lang == "en" else "然后：holdfast check") in done.out


def test_answers_that_will_not_do_are_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    given = [
        "yuan", "usd",  # currency
        "Asia/Shangai", "Asia/Shanghai",
        "fr", "zh",
        "filez", "files",
        "My Books!", "books",
        "bank", "erp, rates",
        "folder",
        "page_rows=many", "page_rows=500", "nonsense=1", "incremental=true", 'unused=["a", "b"]', "",
        "files", "books", "more", "erp", "other", "",
        "",
    ]  # fmt: skip
    done = call("-c", path, "init", given="\n".join(given) + "\n")
    assert done.code == 0, done
    for words in (
        "Three letters of ISO 4217, such as CNY.",
        "No such time zone. Did you mean Asia/Shanghai",
        "en or zh.",
        "Did you mean files",
        "Small letters, digits, - and _, a letter first.",
        "One or more of erp, rates, bureau.",
        "page_rows: a whole number is wanted",
        "Write NAME=VALUE.",
        "Another system is called that.",
    ):
        assert words in done.out, words
    config, problems = parse(path.read_text(encoding="utf-8"), "config.toml", tmp_path)
    assert config is not None, problems
    first, second = config.systems
    assert (config.business.currency, config.business.language) == ("USD", "zh")
    assert first.roles == ("erp", "rates")
    assert first.settings == {"path": "folder", "page_rows": 500, "incremental": True, "unused": ["a", "b"]}
    assert (second.name, second.settings) == ("more", {"path": "other"})


def test_no_secret_is_taken_for_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    tried = ("client_secret=s3cr3t", "base_url=https://me:s3cr3t@zoho.example", "data_center=cn")
    done = call("-c", path, "init", given="\n".join(answers("zoho_crm", tried)) + "\n")
    assert done.code == 0
    assert "secrets are only referred to" in done.out
    text = path.read_text(encoding="utf-8")
    assert "s3cr3t" not in text
    assert 'settings = { data_center = "cn" }' in text


def test_a_secret_that_is_not_needed_is_referred_to_where_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    given = ["", "", "", "tryton", "erp", "", *ANSWERS["tryton"][:-1], "admin", "", "maybe", "y", ""]
    done = call("-c", path, "init", given="\n".join(given) + "\n")
    assert "y or n." in done.out
    assert "export HOLDFAST_ERP_ADMIN_PASSWORD=…" in done.out
    text = path.read_text(encoding="utf-8")
    assert 'admin_user = "admin"' in text
    assert '\nadmin_password = "env:HOLDFAST_ERP_ADMIN_PASSWORD"\n' in text


def test_settings_that_do_not_go_together_are_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Settings(BaseModel):
        transport: str = "new"
        login: str = ""

        @model_validator(mode="after")
        def _both(self) -> Settings:
            if self.transport == "old" and not self.login:
                raise ValueError("transport old needs a login")
            return self

    real = adapters.load("zoho_crm")
    monkeypatch.setattr(adapters, "load", lambda name: dataclasses.replace(real, settings=Settings))
    path = tmp_path / "config.toml"
    tried = ("transport=old", "", "login=me")
    done = call("-c", path, "init", given="\n".join(["", "", "", "zoho_crm", "", *tried, "", ""]) + "\n")
    assert (done.code, "transport old needs a login" in done.out) == (0, True), done
    assert 'settings = { transport = "old", login = "me" }' in path.read_text(encoding="utf-8")


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n", encoding="utf-8")
    done = call("-c", path, "init")
    assert (done.code, done.out) == (2, "")
    assert "--force replaces it" in done.err
    assert path.read_text(encoding="utf-8") == "# mine\n"
    forced = call("-c", path, "init", "--force", given="\n\n\n\n", lang="zh")
    assert forced.code == 0
    assert "尚未连接任何系统" in forced.out
    assert "[business]" in path.read_text(encoding="utf-8")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = call("-c", tmp_path / "no" / "config.toml", "init", given="\n\n\n\n")
    assert (done.code, "cannot be written" in done.err) == (2, True)


@pytest.mark.parametrize("value", ['say "hi"', "C:\\books", "a\tb", "中文\x7f"])
def test_any_text_survives_toml(value: str) -> None:
    import tomllib

    from connector.config_toml import toml_value

    assert tomllib.loads(f"it = {toml_value({'k e y': [value, 1, True]})}") == {"it": {"k e y": [value, 1, True]}}
