"""Plugins are built the same each time, from the mapping in use, without a secret, and speak both languages."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter_plugin import Site
from connector.connect import loaded
from connector.errors import ConfigError
from jobs import plugins
from tests.npm import package

ADDRESS = "https://credit.example.com"
WITH = [name for name in adapters.names() if adapters.load(name).plugins]
EVERY = [(name, p.name) for name in WITH for p in adapters.load(name).plugins]
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def site(name: str, address: str = ADDRESS, text: str | None = None) -> Site:
    adapter = adapters.load(name)
    mapping = loaded(text or mappings.shipped(name), f"{name}.toml", adapter)
    return plugins.site(adapter, mapping, system="crm", address=address)


def built(name: str, plugin: str, address: str = ADDRESS, text: str | None = None) -> dict[str, bytes]:
    [chosen] = plugins.chosen(adapters.load(name), plugin)
    return dict(plugins.build(chosen, site(name, address, text), Path(adapters.folder(name)) / "plugin").files)


def test_there_are_plugins_for_the_three_crms() -> None:
    assert {"zoho_crm", "fxiaoke", "odoo"} <= set(WITH)


@pytest.mark.parametrize(("name", "plugin"), EVERY)
def test_the_same_site_gives_the_same_bytes(name: str, plugin: str) -> None:
    first, second = built(name, plugin), built(name, plugin)
    assert first == second
    assert all(first.values()), "an empty file"
    for path, body in first.items():
        if path.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                entries = archive.infolist()
                assert [e.filename for e in entries] == sorted(e.filename for e in entries)
                assert {(e.date_time, e.compress_type) for e in entries} == {
                    ((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED)
                }
        else:
            assert b"\r" not in body
            assert "«" not in body.decode(), f"{path}: a blank was not filled"


@pytest.mark.parametrize(("name", "plugin"), EVERY)
def test_nothing_of_the_internet_is_named_but_the_vendors_own_and_our_service(name: str, plugin: str) -> None:
    allowed = {"https://live.zwidgets.com/js-sdk/1.5/ZohoEmbededAppSDK.min.js", "http://www.w3.org/2000/svg"}
    for path, body in built(name, plugin).items():
        if not path.endswith(".zip"):
            for found in re.findall(rb"https?://[^\s\"'<>)]+", body):
                address = found.decode()
                assert address.startswith(ADDRESS) or address in allowed, f"{path}: {address}"


@pytest.mark.parametrize(("name", "plugin"), EVERY)
def test_no_secret_and_no_place_for_one(name: str, plugin: str) -> None:
    """No value that could prove anything: not even a default that somebody might leave as it is."""
    for path, body in built(name, plugin).items():
        for found in re.findall(rb'(?i)secret[\w.]*["\']?\s*[:=]\s*["\']([^"\']{6,})["\']', body):
            assert found.decode().startswith(("env:", "holdfast_", "var_holdfast_")), f"{path}: {found!r}"


@pytest.mark.parametrize(("name", "plugin"), EVERY)
def test_what_people_read_of_it_is_in_both_languages(name: str, plugin: str) -> None:
    [chosen] = plugins.chosen(adapters.load(name), plugin)
    for text in (
        chosen.title,
        chosen.install,
        *(e.what for e in chosen.evidence),
        *([chosen.secret] if chosen.secret else []),
    ):
        assert _CHINESE.search(text.zh), text.zh
        assert not _CHINESE.search(text.en), text.en
    assert chosen.evidence, "nothing is said of what was seen"


@pytest.mark.parametrize("name", WITH)
def test_the_guide_says_how_each_is_installed(name: str) -> None:
    guide = (Path(adapters.folder(name)) / "README.md").read_text(encoding="utf-8")
    assert guide.count(f"holdfast plugin build {name}") >= 2, "once in each language"
    for plugin in adapters.load(name).plugins:
        assert guide.count(f"`{plugin.name}`") >= 2, plugin.name


def words(text: str, name: str) -> Any:
    """The table of words in a script, read by Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no Node on this machine")
    code = (
        text.replace("export default", "window.W =")
        if name == "fxiaoke"
        else text + "\nwindow.W = window.HOLDFAST_WORDS;"
    )
    done = subprocess.run(
        [node, "-e", f"const window = {{}};{code}\nprocess.stdout.write(JSON.stringify(window.W))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "path"), [("zoho_crm", "widget/app/words.js"), ("fxiaoke", "panel/words.js")])
def test_what_a_widget_says_it_says_in_both_languages(name: str, path: str) -> None:
    home = Path(adapters.folder(name)) / "plugin" / path
    said = words(home.read_text(encoding="utf-8"), name)
    assert said["en"].keys() == said["zh"].keys()
    assert said["en"]["levels"].keys() == said["zh"]["levels"].keys() == {"green", "yellow", "orange", "red"}
    for key, value in said["zh"].items():
        assert _CHINESE.search(str(value)), key
    for key, value in said["en"].items():
        assert not _CHINESE.search(str(value)), key
    used = set()
    for file in home.parent.iterdir():
        used |= set(re.findall(r"\b(?:words|w)\.(\w+)", file.read_text(encoding="utf-8"))) - {"js"}
    assert used <= said["en"].keys(), used - said["en"].keys()


# --- the company's own settings -------------------------------------------------------------------------------------------
def test_the_fields_are_those_of_the_mapping_in_use() -> None:
    own = mappings.shipped("zoho_crm").replace("\nCredit_Limit = {", "\nTheir_Own_Limit = {")
    told = json.loads(
        re.search(rb"window\.HOLDFAST = (.*);", built("zoho_crm", "widget", text=own)["app/settings.js"], re.S)[1]
    )  # type: ignore[index]
    fields = told["modules"]["Accounts"]["fields"]
    assert fields["limit"]["name"] == "Their_Own_Limit"
    assert fields["level"]["values"] == {"green": "Good", "yellow": "Watch", "orange": "Warning", "red": "Stop"}
    assert told["modules"]["Sales_Orders"]["fields"].keys() == {"hold", "hold_reason"}
    assert (told["signed"], told["address"]) == (True, ADDRESS)


def test_without_an_address_the_fields_are_shown_and_nothing_is_signed() -> None:
    settings = built("zoho_crm", "widget", address="")["app/settings.js"].decode()
    assert '"signed": false' in settings
    assert "credit.example.com" not in settings
    with pytest.raises(ConfigError, match="--address"):
        built("zoho_crm", "launch", address="")


@pytest.mark.parametrize(
    "address",
    ["http://credit.example.com", "https://credit.example.com?x=1", "https://a b", 'https://x"; alert(1); "', "javascript:alert(1)",
     "https://user:word@credit.example.com", "//credit.example.com"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError):
        plugins.checked_address(address)


def test_an_address_loses_its_slash_and_may_have_a_path() -> None:
    assert plugins.checked_address("https://example.com:8443/credit/") == "https://example.com:8443/credit"
    assert plugins.checked_address("http://127.0.0.1:8000") == "http://127.0.0.1:8000"
    assert plugins.checked_address(None) == ""


HOSTILE = "a\"b\\c$d${e}</script>\n' \u2028 «address»"


def test_no_value_leaves_its_quotes() -> None:
    for suffix in (".js", ".json", ".vue"):
        made = plugins.filled('x = "«v»";', suffix, {"v": HOSTILE})
        assert json.loads(made[4:-1]) == HOSTILE
        assert "</script>" not in made
        assert "\u2028" not in made
    assert plugins.filled('x = "«v»"', ".py", {"v": HOSTILE}).startswith('x = "a\\"b')
    assert eval(plugins.filled('"«v»"', ".py", {"v": HOSTILE})) == HOSTILE
    groovy = plugins.filled('x = "«v»"', ".apl", {"v": HOSTILE})
    assert "\\$d\\${e}" in groovy
    assert "\n" not in groovy
    assert (
        plugins.filled('x = "«v»"', ".apl", {"v": {"a": ["b", 1, True, None], "c": {}}})
        == 'x = ["a": ["b", 1, true, null], "c": [:]]'
    )
    assert plugins.filled("<a>«v»</a>", ".xml", {"v": '<b> & "c"'}) == "<a>&lt;b&gt; &amp; &quot;c&quot;</a>"
    assert plugins.filled("// «v»", ".js", {"v": "a\nb */ c"}) == "// a b * / c"


def test_a_blank_that_nobody_fills_is_an_error() -> None:
    with pytest.raises(KeyError):
        plugins.filled('"«unknown»"', ".js", {})


def test_a_wrong_name_shows_the_right_ones() -> None:
    with pytest.raises(ConfigError, match="widget"):
        plugins.chosen(adapters.load("zoho_crm"), "wiget")
    with pytest.raises(ConfigError, match="generic"):
        plugins.chosen(adapters.load("files"))


def test_the_page_for_any_other_system_carries_its_address_and_no_more() -> None:
    place = plugins.generic_site("crm2", ADDRESS + "/", "en")
    [frame] = plugins.GENERIC
    files = plugins.build(frame, place, plugins.generic_folder()).files
    assert b'"https://credit.example.com/launch/crm2"' in files["launch.py"]
    assert b'"https://credit.example.com/launch/crm2"' in files["launch.js"]
    compile(files["launch.py"], "launch.py", "exec")
    with pytest.raises(ConfigError):
        plugins.build(frame, replace(place, address=""), plugins.generic_folder())


# --- the vendor's own tool --------------------------------------------------------------------------------------------------
def test_zohos_own_tool_accepts_and_packs_the_widget(tmp_path: Path) -> None:
    """`zet validate` passes; what `zet pack` would upload is, file by file, what our archive holds."""
    zet = package("zoho-extension-toolkit", "1.0.24") / ".bin" / "zet"
    files = built("zoho_crm", "widget")
    ours = files.pop("holdfast-zoho-widget.zip")
    home = tmp_path / "widget"
    for path, body in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(body)
    said = _zet(zet, "validate", home, tmp_path)
    assert "passed" in said, said
    _zet(zet, "pack", home, tmp_path)
    assert _contents((home / "dist" / "widget.zip").read_bytes()) == _contents(ours)
    # The tool would have noticed: a file of a name that Zoho does not take.
    (home / "app" / "bad name.js").write_text("1")
    assert "passed" not in _zet(zet, "validate", home, tmp_path)


def _zet(zet: Path, command: str, home: Path, tmp_path: Path) -> str:
    import os

    done = subprocess.run(
        [str(zet), command], cwd=home, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "HOME": str(tmp_path), "NO_UPDATE_NOTIFIER": "1"},
    )  # fmt: skip
    return done.stdout + done.stderr


def _contents(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
