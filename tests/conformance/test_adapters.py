"""Every adapter × every property. An adapter inherits all of it by existing; see `world.py` for what its author adds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector import adapter as adapters
from tests.conformance.properties import BY_NAME, PROPERTIES, details, marks
from tests.conformance.stage import cast_of, staged

NAMES = adapters.names()


def _cases() -> Iterator[object]:
    for name in NAMES:
        try:
            cast = cast_of(name)
        except Exception as wrong:  # the property `world` tells it; the others cannot be asked
            yield pytest.param(name, "world", repr(wrong), "", id=f"{name}-world")
            continue
        for prop in PROPERTIES:
            for detail in details(prop, cast):
                for variant in ("", *(cast.world.extra_variants if prop.variants else ())):
                    shown = "".join((f":{detail}" if detail else "", f"@{variant}" if variant else ""))
                    shown = f"{name}-{prop.name}{shown}"
                    yield pytest.param(name, prop.name, detail, variant, id=shown, marks=marks(cast, prop, detail))


@pytest.mark.parametrize(("name", "prop", "detail", "variant"), list(_cases()))
def test_property(name: str, prop: str, detail: str, variant: str, tmp_path: Path) -> None:
    assert prop != "world", f"worlds/{name}.py is missing or cannot be loaded: {detail}"
    with staged(cast_of(name), tmp_path, variant) as stage:
        BY_NAME[prop].holds(stage, detail)


def test_there_are_adapters() -> None:
    assert len(NAMES) >= 5, NAMES
