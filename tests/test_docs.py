"""The documentation is true: commands it names exist, every key is shown, both languages say the same."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connector import adapter as adapters
from connector.config import Config, System
from connector.config_people import PersonSettings

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
GUIDES = tuple(f"adapters/{name}/README.md" for name in adapters.names())


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", text(name), re.MULTILINE | re.DOTALL)


@cache
def commands() -> dict[str, set[str]]:
    """Every command of the command line, with its subcommands: the options of each."""
    import typer.main

    from connector.cli import build

    root: Any = typer.main.get_command(build())
    found: dict[str, set[str]] = {}
    for name, command in root.commands.items():
        found[name] = {option for p in command.params for option in p.opts}
        for sub, inner in getattr(command, "commands", {}).items():
            found[f"{name} {sub}"] = {option for p in inner.params for option in p.opts}
    return found


def misnamed(call: str) -> list[str]:
    """What there is not in one call of `holdfast`: the command, its subcommand, an option."""
    known = commands()
    words = re.sub(r"^-c \S+ ", "", call).split()
    if words[:1] == ["COMMAND"] or words[:1] == ["命令"] or call.startswith("--"):
        return []
    name = words[0]
    if name not in known:
        return [name]
    groups = {one.partition(" ")[0] for one in known if " " in one}
    if name in groups and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
        name = f"{name} {words[1]}"
        if name not in known:
            return [name]
    given = re.findall(r"(?<![\w-])(--[a-z][a-z-]*)", call)
    return [f"{name} {option}" for option in given if option not in {*known[name], "--help", "--lang"}]


@pytest.mark.parametrize("name", READMES)
def test_exactly_two_set_up_lines_of_one_line_each(name: str) -> None:
    found = blocks(name)
    assert len(found) == 2
    assert all(b.count("\n") == 1 for b in found)
    assert found[0].rstrip().endswith("holdfast demo")
    assert "pytest" in found[1]


def test_both_languages_give_the_same_commands_and_links() -> None:
    one, other = (text(n) for n in READMES)
    assert blocks("README.md") == blocks("README.zh-CN.md")
    assert one.count("\n## ") == other.count("\n## ")
    assert set(re.findall(r"\(adapters/[^)]+\)", one)) == set(re.findall(r"\(adapters/[^)]+\)", other))
    named = r"`?holdfast ([a-z-]+)"
    assert set(re.findall(named, one)) == set(re.findall(named, other))


@pytest.mark.parametrize("name", READMES)
def test_every_command_it_names_exists(name: str) -> None:
    known = commands()
    for command in re.findall(r"^holdfast ([a-z-]+)", text(name), re.MULTILINE):
        assert command in known
    subcommands = re.findall(r"^holdfast ([a-z]+) +([a-z]+(?: \| [a-z]+)+)", text(name), re.MULTILINE)
    assert len(subcommands) > 10
    for command, subs in subcommands:
        for sub in subs.split(" | "):
            assert f"{command} {sub}" in known


@pytest.mark.parametrize("name", [*READMES, "config.example.toml", *GUIDES])
def test_every_call_it_shows_can_be_made(name: str) -> None:
    shown = re.findall(r"`holdfast ([^`]+)`", text(name))
    shown += re.findall(r"^(?: *)holdfast ([a-z-]+(?: [a-z]+)?(?: -\S+)*) {2,}", text(name), re.MULTILINE)
    shown += re.findall(r"(?:\d|then|执行|\(|\") +holdfast ([a-z-]+(?: [a-z]+)? --[^;,\n\")]+)", text(name))
    assert shown
    assert [wrong for call in shown for wrong in misnamed(call)] == []


@pytest.mark.parametrize("name", READMES)
def test_pages_have_the_doors_and_buttons_that_it_names(name: str) -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "connector/web/locale/zh_CN").glob("*.po"))
    part = text(name).partition("```text\nmkdir credit")[2].partition("```text\nholdfast init")[0]
    named = re.findall(r"\*([A-Z][\w ,]+)\*|“([^”]+)”", part)
    assert len(named) >= 4
    assert [word for pair in named for word in pair if word and f'"{word}"' not in said] == []


def test_nothing_tells_to_install_a_stranger_s_package() -> None:
    """The name belongs to somebody else where packages are published: extras come from this folder alone."""
    import subprocess

    told = subprocess.run(
        ["git", "grep", "-n", "-F", "install '" + "holdfast"], cwd=ROOT, capture_output=True, check=False
    )
    assert told.stdout.decode().splitlines() == []


@pytest.mark.parametrize("name", READMES)
def test_every_link_and_folder_exists(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", text(name)) + re.findall(r"\| `([a-z_/]+/)` \|", text(name))
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_example_configuration_shows_every_key() -> None:
    example = text("config.example.toml")
    tomllib.loads(example)
    sections: dict[str, type[BaseModel]] = {"people": PersonSettings, "systems": System}
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            sections[name] = field.annotation
    assert len(sections) > 6
    keys = [("", key) for key in Config.model_fields if key not in sections and key != "root"]
    for section, model in sections.items():
        assert re.search(rf"^(# ?)?\[{{1,2}}{section}\]", example, re.MULTILINE), section
        keys += [(section, key) for key in model.model_fields]
    for section, key in keys:
        inner = rf"^(# ?)?\[{section}\.{key}\]"
        shown = rf"^(# ?)?{key} = " if key != "secrets" else r"^\[systems\.secrets\]"
        there = re.search(shown, example, re.MULTILINE) or re.search(inner, example, re.MULTILINE)
        assert there, f"{section}.{key} is not in config.example.toml"


def test_the_example_configuration_is_valid() -> None:
    from connector.config import parse

    config, problems = parse(text("config.example.toml"), "config.example.toml", ROOT)
    assert [str(p) for p in problems] == []
    assert config is not None
    assert [s.name for s in config.systems] == ["erp", "crm"]


@pytest.mark.parametrize("name", adapters.names())
def test_every_adapter_has_a_guide_in_both_languages(name: str) -> None:
    guide = text(f"adapters/{name}/README.md")
    assert len(re.findall(r"[\u4e00-\u9fff]", guide)) > 200, "no Chinese part"
    assert len(re.findall(r"[A-Za-z]{3,}", guide)) > 150, "no English part"
    assert all(f in guide for f in adapters.load(name).settings.model_fields), "a setting is not explained"
    assert f"adapters/{name}/README.md" in text("README.md")


def test_no_path_of_a_machine_and_no_registry_in_any_tracked_file() -> None:
    import subprocess

    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    assert files
    pattern = re.compile(r"(^|[^a-z.])/(root|home|work)/[a-z]")
    bad = []
    for name in files.split("\0"):
        path = ROOT / name
        if name and path.is_file() and path.suffix in (".py", ".md", ".toml", ".json", ".txt", ".cfg", ""):
            try:
                content = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            bad += [name] if pattern.search(content) else []
    assert bad == []
