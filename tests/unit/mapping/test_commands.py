"""`holdfast mapping …`: what each command prints and changes; every shipped mapping is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import Record
from connector.cli import mapping as commands
from connector.cli.common import Cli
from connector.errors import ConfigError
from connector.mapping import Context

CONFIG = """
[business]
currency = "CNY"
[[systems]]
name = "books"
adapter = "files"
roles = ["erp"]
settings = { path = "book" }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "customers.csv").write_text("id,name,terms\nC1,Acme,30天\nC2,Blue,never\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()

    @app.callback()
    def _options(context: typer.Context) -> None:
        context.obj = Cli(folder / "config.toml")

    commands.register(app)
    result = CliRunner().invoke(app, ["mapping", *arguments], catch_exceptions=True)
    if isinstance(result.exception, ConfigError):
        raise result.exception
    # What is told beside an answer (who acts) is none of it.
    return result.exit_code, result.stdout if "json" in arguments else result.output


def edited(folder: Path, old: str, new: str) -> Path:
    file = folder / "edited.toml"
    file.write_text(mappings.shipped("files").replace(old, new, 1), encoding="utf-8")
    return file


@pytest.mark.parametrize("name", adapters.names())
def test_every_shipped_mapping_is_right(name: str) -> None:
    adapter = adapters.load(name)
    mapping, problems = mappings.load(mappings.shipped(name), name=f"{name}.toml", adapter=adapter)
    assert problems == []
    assert mapping is not None
    assert mapping.streams()
    assert {c.kind for c in adapter.channels} >= set(mapping.writes)


def test_check(folder: Path) -> None:
    code, said = run(folder, "check")
    assert code == 0
    assert said.startswith("files.toml: fine. Reads ")
    code, said = run(folder, "check", str(edited(folder, 'owner = "owner"', 'ower = "owner"')))
    assert code == 2
    assert "There is no field of “customer” called “ower”. Did you mean “owner”?" in said


def test_show_and_export_give_the_file_back(folder: Path) -> None:
    code, said = run(folder, "show", "books")
    origin = "# the mapping shipped with files\n"  # on the error stream, so that `show > FILE` gives the file back
    assert (code, said.count(origin)) == (0, 1)
    assert said.replace(origin, "") == mappings.shipped("files")
    assert run(folder, "export", "books", str(folder / "out.toml"))[0] == 0
    assert (folder / "out.toml").read_text(encoding="utf-8") == mappings.shipped("files")
    with pytest.raises(ConfigError, match="is there already"):
        run(folder, "export", "books", str(folder / "out.toml"))


def test_diff(folder: Path) -> None:
    file = edited(folder, 'owner = "owner"', 'owner = { from = "rep", default = "x" }\nexternal_id = "crm"')
    code, said = run(folder, "diff", str(file))
    assert (code, said.splitlines()) == (
        0,
        [
            '+ read.customer.fields.external_id = "crm"',
            '~ read.customer.fields.owner: "owner" → { from = "rep", default = "x" }',
        ],
    )
    assert run(folder, "diff", "books", "files")[1] == "No difference.\n"


def test_try_on_an_adapter_s_samples(folder: Path) -> None:
    code, said = run(folder, "try", "files", "--stream", "customers", "--format", "json")
    assert code == 0
    fields = {(f["record"], f["field"]): (f["before"], f["after"]) for f in json.loads(said)["fields"]}
    assert fields["C001", "name"] == ("华远机械有限公司", "华远机械有限公司")
    assert fields["C002", "terms"] == ("eom:30", "eom:30")


def test_try_on_what_the_system_says_now_with_an_edited_mapping(folder: Path) -> None:
    file = edited(folder, 'owner = "owner"', 'owner = { from = "name", prefix = "for " }')
    code, said = run(folder, "try", "books", str(file), "--stream", "customers", "--format", "json")
    fields = {(f["record"], f["field"]): f for f in json.loads(said)["fields"]}
    assert code == 1, "one of the records has a problem"
    assert fields["customers.csv:2", "terms"]["after"] == "net:30"
    assert fields["customers.csv:2", "owner"]["after"] == "for Acme"
    assert fields["customers.csv:3", "terms"]["problem"].startswith("The payment terms “never” are not understood.")


def test_try_on_records_of_your_own(folder: Path) -> None:
    (folder / "r.json").write_text('{"id": "X", "name": "Own"}', encoding="utf-8")
    _, said = run(
        folder, "try", "files", "--stream", "customers", "--record", str(folder / "r.json"), "--format", "json"
    )
    assert [f["after"] for f in json.loads(said)["fields"] if f["field"] == "name"] == ["Own"]
    with pytest.raises(ConfigError, match="is not JSON"):
        commands.as_records("{", "r.json")
    with pytest.raises(ConfigError, match="must hold an object or a list of objects"):
        commands.as_records("[1]", "r.json")


def test_an_unknown_name_is_told_with_the_nearest(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"“boks” is neither .* Did you mean “books”\?"):
        run(folder, "show", "boks")


def test_trying_is_pure(folder: Path) -> None:
    mapping = commands.subject(Cli(folder / "config.toml"), "files").loaded()
    ((record, steps),) = commands.tried(mapping, "customers", [Record("1", {"id": "1", "name": ""})], Context())
    assert record.key == "1"
    assert [s.problem.code for s in steps if s.problem] == ["missing"]
