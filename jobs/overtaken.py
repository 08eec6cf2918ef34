"""Two people at once: whoever saves is told where another has saved meanwhile, instead of taking his work away unseen."""

from __future__ import annotations

from collections.abc import Sequence

from connector.errors import ConfigError
from connector.store.documents import Version
from connector.text import Text


class Overtaken(ConfigError):
    """Somebody else has saved since; `newest` is what he saved. Nothing was changed by this."""

    def __init__(self, newest: Version) -> None:
        self.newest = newest
        super().__init__(_SAVED.fill(who=newest.author, number=newest.number))


def not_overtaken(versions: Sequence[Version], seen: int | None) -> None:
    """Raises Overtaken where the newest version (`versions` begin with it) is another than the one that was seen; 0: none
    was there; None: whoever saves does not ask."""
    if seen is not None and versions and versions[0].number != seen:
        raise Overtaken(versions[0])


_SAVED = Text(
    "{who} has saved version {number} meanwhile. Nothing of yours is lost: look at what differs, then save again.",
    "{who} 已在此期间保存了版本 {number}。您的内容并未丢失：请查看差异后再次保存。",
)

__all__ = ["Overtaken", "not_overtaken"]
