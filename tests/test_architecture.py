"""The import rule, read from the syntax tree: imports point down only, and a few things live in one place only."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the bottom up. A module may import its own layer's package mates and everything below; adapters are beside jobs.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "connector.text",
        "connector.toml_text",
        "connector.errors",
        "connector.money",
        "connector.clock",
        "connector.logs",
    ),
    ("connector.model", "connector.identity", "connector.credit", "connector.policy"),
    (
        "connector.adapter",
        "connector.hook",
        "connector.http",
        "connector.paging",
        "connector.sandbox",
        "connector.example",
    ),
    (
        "connector.mapping",
        "connector.converters",
        "connector.config",
        "connector.connect",
        "connector.mail",
        "connector.store",
        "connector.statement_file",
        "connector.pictures",
    ),
    ("jobs", "adapters"),
    ("connector.cli", "connector.web"),
)
KIT = {f"connector.{name}" for name in ("adapter", "hook", "http", "paging", "sandbox", "example")}


def modules() -> dict[str, Path]:
    found = {}
    for top in ("connector", "adapters", "jobs", "mappings"):
        for path in (ROOT / top).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "samples" in parts or "plugin" in parts or "versions" in parts:
                continue
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions and type checks, by full name."""
    found: set[str] = set()
    package = list(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *((node.module or "").split(".") if node.module else [])])
            found.add(module)
            found.update(f"{module}.{a.name}" for a in node.names if f"{module}.{a.name}" in MODULES)
    return found


def layer(module: str) -> int | None:
    for height, prefixes in enumerate(LAYERS):
        if any(module == p or module.startswith((p + ".", p + "_")) for p in prefixes):
            return height
    return None


def test_every_module_has_a_layer() -> None:
    bare = {"connector", "mappings"}
    assert [m for m in MODULES if m not in bare and layer(m) is None] == []
    assert len(MODULES) > 40, "nothing was looked at"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down_only(module: str) -> None:
    own = layer(module)
    for name in imports(MODULES[module]):
        other = layer(name)
        if own is not None and other is not None:
            assert other <= own, f"{module} imports {name}, which is above it"
        if module.split(".")[0] == "adapters":
            mine = ".".join(module.split(".")[:2])
            assert not (name.startswith("adapters.") and not name.startswith(mine)), f"{module} knows {name}"
            assert not name.startswith("jobs"), f"{module} knows the jobs"
            low = other is None or other < 2 or any(name.startswith(k) for k in KIT) or name.startswith("adapters")
            assert low, f"{module} imports {name}: an adapter sees only the kit"
        elif name.startswith("adapters."):
            raise AssertionError(f"{module} imports {name}: nobody imports an adapter by name")


ONLY_IN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sqlalchemy", ("connector.store", "connector.config")),  # config renders the store's URL with its password
    ("alembic", ("connector.store",)),
    ("apscheduler", ("jobs.scheduler",)),
    ("requests", ("connector.http", "connector.sandbox")),
    ("responses", ("connector.sandbox",)),
    ("typer", ("connector.cli",)),
    ("rich", ("connector.cli",)),
    ("fastapi", ("connector.web",)),
    ("starlette", ("connector.web",)),
    ("uvicorn", ("connector.web",)),
    ("procrastinate", ("jobs.queue_procrastinate",)),
    ("prometheus_client", ("connector.web",)),
    ("structlog", ("connector.logs",)),
    ("smtplib", ("connector.mail",)),
    ("cryptography", ("connector.config_seal", "adapters.fxiaoke")),
    ("pickle", ()),
)


@pytest.mark.parametrize(("library", "homes"), ONLY_IN, ids=[n for n, _ in ONLY_IN])
def test_a_library_has_one_home(library: str, homes: tuple[str, ...]) -> None:
    users = {m for m, p in MODULES.items() if any(i == library or i.startswith(library + ".") for i in imports(p))}
    assert {u for u in users if not u.startswith(homes or ("-",))} == set()


def test_no_float_near_money() -> None:
    """`float(...)` and float literals stay out of the credit core, the store's arithmetic and the adapters."""
    for module, path in MODULES.items():
        if not module.startswith(("connector.credit", "connector.money", "connector.model")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"
            is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
            wrong = is_call or is_literal
            assert not wrong, f"{module}: a float in {ast.unparse(node)}"


def test_every_module_says_what_lives_there() -> None:
    silent = [m for m, p in MODULES.items() if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []
