"""For all tests: each begins in English, whatever language the one before it chose."""

from __future__ import annotations

import pytest

from connector.cli.common import choose_language


@pytest.fixture(autouse=True)
def _english() -> None:
    choose_language(["--lang", "en"])
