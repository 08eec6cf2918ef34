"""TOML as people write it, read so that whatever is wrong with a text is told in one way.

Python's reader raises other errors for a number of thousands of figures, for one that no Decimal has, and for tables inside
each other without end. Whoever wrote such a text is told so like for any other slip.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

_NO_NUMBER = "a number is too large"
_TOO_DEEP = "too many tables or lists inside each other"


def toml_of(text: str, parse_float: Callable[[str], Any] = Decimal) -> dict[str, Any]:
    """The document of a text. Raises tomllib.TOMLDecodeError, and nothing else, for a text that is none."""
    try:
        return tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, InvalidOperation) as wrong:
        raise tomllib.TOMLDecodeError(_NO_NUMBER) from wrong
    except RecursionError as wrong:
        raise tomllib.TOMLDecodeError(_TOO_DEEP) from wrong
