"""The folder: what an adapter brings besides its code: titles, a guide for admins, samples, evidence, honest exemptions."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from connector.adapter import Record
from connector.converters import Context
from tests.conformance.properties.connecting import speaks_both
from tests.conformance.stage import Stage

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def folder(stage: Stage, _: str = "") -> None:
    """Everything is there, in both languages, and the samples are read by the shipped mapping."""
    adapter, home = stage.adapter, stage.cast.folder
    assert home is not None
    assert adapter.name == home.name
    assert adapter.title.en
    assert adapter.title.zh
    for stream in adapter.streams:
        assert speaks_both(stream.title), f"{stream.name}: {stream.title}"
    for secret in adapter.secrets:
        assert speaks_both(secret.title), f"{secret.name}: {secret.title}"
    for name, setting in adapter.settings.model_fields.items():
        assert setting.description, f"the setting {name} is not described"
    assert adapter.settings.model_config.get("extra") == "forbid", "a mistyped setting would be ignored"
    assert adapter.evidence, "nothing is said of what was seen"
    for evidence in adapter.evidence:
        assert speaks_both(evidence.what), evidence
    _guide(home / "README.md")
    _samples(stage, home / "samples")
    _exemptions(stage)


def _guide(path: Path) -> None:
    assert path.exists(), "there is no README.md for admins"
    text = path.read_text(encoding="utf-8")
    assert len(_CHINESE.findall(text)) > 200, "the Chinese part of the README is missing"
    assert len(re.findall(r"[A-Za-z]{2,}", text)) > 200, "the English part of the README is missing"


def _samples(stage: Stage, home: Path) -> None:
    mapping = stage.mapping()
    context = Context(time_zone="Asia/Shanghai", base="CNY", system="sample")
    read = 0
    for path in sorted(home.glob("*.json")):
        records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        assert isinstance(records, list), path.name
        stage.adapter.stream(path.stem)
        for number, record in enumerate(records):
            _, problems = mapping.read(path.stem, Record(f"{path.name}:{number}", record), context=context)
            assert not problems, f"{path.name}: {problems[0]}"
            read += 1
    assert read, "there are no samples for `holdfast mapping try`"


def _exemptions(stage: Stage) -> None:
    from tests.conformance.properties import BY_NAME, details

    for name, reason in stage.adapter.exemptions.items():
        prop, _, detail = name.partition(":")
        assert prop in BY_NAME, f"there is no property {prop}"
        if detail:
            assert detail.partition("@")[0] in details(BY_NAME[prop], stage.cast), f"{prop} is not asked of {detail}"
        assert len(reason) > 10, f"why is {name} exempt?"
