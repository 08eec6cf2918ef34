"""`holdfast adapters`: what can be set is told in the language that is asked for."""

from __future__ import annotations

import json
import re

import pytest

from connector import adapter as adapters
from tests.cli.calling import call

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("name", adapters.names())
def test_settings_are_described_in_the_language_of_the_call(name: str) -> None:
    keys = adapters.load(name).settings.model_fields
    for lang in ("en", "zh"):
        page = call("--lang", lang, "adapters", name)
        assert page.code == 0
        # The settings come first: a stream may bear the name of one.
        told = re.findall(r"^  (\w+)(?:（必填）| \(required\))?[:：] ?(.+)$", page.out, re.MULTILINE)
        lines = dict(reversed(told))
        schema = json.loads(call("--lang", lang, "adapters", name, "--format", "json").out)[0]["settings"]["properties"]
        for key in keys:
            assert bool(CHINESE.search(lines[key])) is (lang == "zh"), (key, lines[key])
            assert schema[key]["description"].startswith(lines[key][:20])
            assert "zh" not in schema[key]
