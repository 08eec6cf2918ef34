"""Help pages, usage errors and start-up: both languages, every command and option, nothing heavy loaded."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from connector.cli import forward
from tests.cli.calling import ROOT, call

# Run in a process of its own for each language: help texts are made when the modules are loaded.
PAGES = """
import json, os, sys
from connector.cli import command
from connector.cli.common import choose_language
choose_language(["--lang", sys.argv[1]])
pages = {}
def walk(command, name, above=None):
    context = command.make_context(name, [], parent=above, resilient_parsing=True)
    pages[context.command_path] = {
        "page": command.get_help(context),
        "help": command.help,
        "options": {(max(p.opts, key=len)): [getattr(p, "help", None), p.opts] for p in command.params},
    }
    for child, inner in getattr(command, "commands", {}).items():
        walk(inner, child, context)
os.environ["COLUMNS"] = "80"
walk(command(), "holdfast")
pages[""] = {"loaded": sorted(sys.modules)}
print(json.dumps(pages))
"""


@cache
def pages(lang: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-c", PAGES, lang], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


NAMES = (
    "",
    *(f" {name}" for name in ["demo", "init", "check", "provision", "run", "serve", "pull", "evaluate", "push"]),
    *(
        f" {name}"
        for name in ["report", "explain", "diff", "score", "link", "outbox", "mapping", "adapters", "sandbox", "bench"]
    ),
    *(f" report {name}" for name in ["positions", "customer", "problems", "overdue", "portfolio", "ecl"]),
    *(f" {name}" for name in ["dun", "letter", "letter list", "letter show", "charge", "charge list", "charge settle"]),
    *(f" review{name}" for name in ["", " list", " show", " start", " decide", " approve", " return"]),
    *(f" {name}" for name in ["file", "attach", "warnings", "warning", "warning acknowledge"]),
    *(f" limit{name}" for name in ["", " propose", " approve", " reject", " set", " list"]),
    *(f" panel{name}" for name in ["", " link", " list"]),
    *(f" contact{name}" for name in ["", " add", " list"]),
    *(f" {name}" for name in ["import", "import statements", "statements"]),
    *(f" link {name}" for name in ["list", "confirm", "split"]),
    *(f" order{name}" for name in ["", " list", " explain", " check", " request", " release", " refuse", " hold"]),
    *(f" order {name}" for name in ["recheck", "exclude", "exclusions", "ask", "reservations", "return"]),
    *(f" notice{name}" for name in ["", " list", " resend", " drop"]),
    *(f" job{name}" for name in ["", " list", " run", " worker"]),
    *(f" outbox {name}" for name in ["list", "retry", "drop"]),
    *(
        f" hook{name}"
        for name in ["", " list", " address", " subscribe", " unsubscribe", " renew", " forget", " events", " replay"]
    ),
    " sign-in",
    *(f" key{name}" for name in ["", " create", " list", " rotate", " revoke"]),
    *(f" secret{name}" for name in ["", " key", " set", " list", " rotate", " remove"]),
    *(f" system{name}" for name in ["", " list", " show", " try", " add", " activate", " remove", " history"]),
    *(f" person{name}" for name in ["", " list", " add", " change", " confirm", " remove", " activate", " history"]),
    *(f" audit{name}" for name in ["", " list", " verify", " show", " replay", " export"]),
    *(f" policy{name}" for name in ["", " check", " show", " diff", " activate", " history", " try", " simulate"]),
    *(f" plugin{name}" for name in ["", " list", " build", " remove"]),
    *(f" mapping {name}" for name in ["check", "show", "diff", "export", "import", "activate", "history", "try"]),
)


def test_these_are_all_commands() -> None:
    assert {f"holdfast{n}" for n in NAMES} == set(pages("en")) - {""}


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_has_help_in_both_languages(name: str) -> None:
    english, chinese = pages("en")[f"holdfast{name}"], pages("zh")[f"holdfast{name}"]
    assert english["help"]
    assert not re.search(r"[\u4e00-\u9fff]", english["page"].replace("纷享销客", ""))
    assert re.search(r"[\u4e00-\u9fff]{2}", chinese["help"])
    assert chinese["page"].startswith(f"用法：holdfast{name} ")
    assert not re.search(r"Usage|Options:|Arguments:|Commands:|Show this|default:|required|env var", chinese["page"])
    for option, (words, opts) in english["options"].items():
        if option == "--help":
            continue
        assert words, f"{option} has no help"
        assert re.search(r"[\u4e00-\u9fff]", chinese["options"][option][0]), f"{option} has no Chinese help"
        if name:
            assert not {"-c", "--config", "--lang"} & set(opts), "these belong to the whole command line"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pages_fit_a_terminal_of_eighty(lang: str) -> None:
    from rich.cells import cell_len

    wide = {
        name: line
        for name, page in pages(lang).items()
        if name
        for line in page["page"].splitlines()
        if cell_len(line) > 80
    }
    assert wide == {}


def test_no_command_is_cut_in_the_list() -> None:
    assert "..." not in pages("en")["holdfast"]["page"].replace("[ARGS]...", "")


def test_commands_come_in_the_order_of_their_use() -> None:
    listed = re.findall(r"^  (\w+) ", pages("en")["holdfast"]["page"].partition("Begin:")[2], re.M)
    assert listed[:5] == ["demo", "init", "check", "provision", "run"]


HEAVY = [
    "alembic",
    "apscheduler",
    "openpyxl",
    "xlsxwriter",
    "responses",
    "sqlalchemy",
    "duckdb",
    "connector.store",
    "adapters",
]


@pytest.mark.parametrize("heavy", HEAVY)
def test_nothing_heavy_is_loaded_before_a_command_runs(heavy: str) -> None:
    assert not loaded(pages("en")[""]["loaded"], heavy)


def test_a_command_loads_only_what_it_needs() -> None:
    asked = "import sys; from connector.cli import command; command('report'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    for heavy in (*HEAVY, "requests", "simplejson", "connector.config", "connector.adapter", "connector.cli.mapping"):
        assert not loaded(done.stdout.split(), heavy)
    assert loaded(done.stdout.split(), "connector.cli.report")


def loaded(modules: list[str], name: str) -> list[str]:
    return [m for m in modules if m == name or m.startswith(f"{name}.")]


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        (["repor"], "there is no command repor. Did you mean report?", "没有命令 repor。是否应为 report？"),
        (["report", "position"], "there is no command position. Did you mean positions?", "是否应为 positions？"),
        (["report", "positions", "--asof", "x"], "there is no option --asof. Did you mean --as-of", "没有选项 --asof"),
        (["run", "--nonsense"], "there is no option --nonsense.", "没有选项 --nonsense。"),
        (["explain"], "CUSTOMER is missing.", "缺少 CUSTOMER。"),
        (["explain", "a", "b"], "too much was given: b", "多余的参数：b"),
        (["outbox", "retry", "x"], "a whole number is wanted.", "请填写整数。"),
        (["report", "positions", "--as-of"], "--as-of needs a value.", "--as-of 需要一个值。"),
        (["sandbox", "files", "--customers", "0"], "--customers: 1 is the least.", "--customers：最小为 1。"),
        (["sandbox", "nope"], "There is no adapter called “nope”", "没有名为“nope”的适配器"),
        (["adapters", "zoho"], "Did you mean “zoho_crm”?", "“zoho_crm”？"),
        (["--lang", "fr", "run"], "--lang: en or zh.", "--lang：en 或 zh。"),
    ],
)
def test_a_call_that_cannot_be_meant(arguments: list[str], english: str, chinese: str) -> None:
    done = call(*arguments)
    assert (done.code, done.out) == (2, "")
    assert english in done.err
    assert chinese in call(*arguments, lang="zh").err


def test_no_arguments_show_the_help() -> None:
    done = call()
    assert done.code != 1
    assert "\nBegin:\n" in done.out + done.err


def test_every_command_stands_in_one_group() -> None:
    page = pages("en")["holdfast"]["page"].partition("Begin:")[2].partition("Examples:")[0]
    listed = re.findall(r"^  ([a-z-]+) ", page, re.M)
    assert sorted(listed) == sorted(
        n for name in pages("en") if (n := name.removeprefix("holdfast").strip()) and " " not in n
    )


def test_every_example_is_a_call_that_is_understood() -> None:
    from connector.cli import command
    from connector.cli.examples import EXAMPLES

    whole = command()
    for name, lines in EXAMPLES.items():
        for line in lines:
            left, at = forward(shlex.split(line)), whole
            context = at.make_context("holdfast", left)
            path = []
            while getattr(at, "commands", None):
                found, at, left = at.resolve_command(context, [*context._protected_args, *context.args])
                path.append(found)
                context = at.make_context(found, left, parent=context)
            assert " ".join(path).startswith(name), line


def test_options_of_the_whole_may_stand_anywhere() -> None:
    assert forward(["run", "-c", "a.toml", "--lang=zh", "--full"]) == ["-c", "a.toml", "--lang=zh", "run", "--full"]
    assert forward(["explain", "--", "-c"]) == ["explain", "--", "-c"]


def test_the_language_comes_from_the_option_then_the_locale() -> None:
    assert call("run", "-c", "/no/such.toml", lang="zh_CN.UTF-8").err.startswith("错误：")
    assert call("run", "-c", "/no/such.toml", lang="C").err.startswith("Error: ")
    assert call("run", "-c", "/no/such.toml", "--lang", "en", lang="zh").err.startswith("Error: ")
    assert call("run", "-c", "/no/such.toml", "--lang", "zh-Hans").err.startswith("错误：")


def test_the_version() -> None:
    from connector import __version__

    assert call("--version").out == f"holdfast {__version__}\n"
