"""What of ours is installed inside a product: files whose blanks are filled with the company's own settings.

An adapter declares its plugins as data; the templates lie in `adapters/<name>/plugin/`, each of which is valid code as it
stands. In a template

    "«name»"   with its quotes becomes a literal (text, list, table) in the notation of that file
    «name»     elsewhere (comments, text, XML) becomes plain text, escaped for the file

and the values come from `fill`. The same site gives the same bytes. No secret is ever filled in: what a plugin needs to
prove itself is entered by an administrator inside the product, where `secret` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from connector.adapter import ActionKind, Evidence, Finding, Need
    from connector.text import Language, Text

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Shown:
    """A field that the mapping in use writes, for plugins that show it.

    `word` is ours (`limit`), `name` the field's name there, `label` what people read beside it. `values` leads from our
    words to theirs where the mapping has a table of values (`red` → `Stop`).
    """

    kind: ActionKind
    object: str
    word: str
    name: str
    label: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Site:
    """For whom a plugin is built.

    `system` is the name in config.toml, or the adapter's own where it is built without one; `address` that of our service
    as the product reaches it (https, no slash at its end), empty where it is built without; `settings` those of the
    system, None without one; `needs` the fields of ours that must exist there, as provisioning would make them.
    """

    system: str
    address: str
    language: Language
    settings: Any
    shown: tuple[Shown, ...]
    needs: tuple[Need, ...] = ()

    def field(self, kind: ActionKind, word: str) -> str:
        """The name of the field that says a word of ours, empty where the mapping writes none."""
        return next((s.name for s in self.shown if s.kind == kind and s.word == word), "")


@dataclass(frozen=True, slots=True)
class File:
    """One file: the template below `adapters/<name>/plugin/`, and its path in what is built (else the same).

    `signed`: only where the address of our service is known; such files belong to the signed panel.
    """

    template: str
    path: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """The zip that is uploaded: its name, and the folder of which everything goes into it."""

    name: str
    folder: str


Fill = Callable[[Site], Mapping[str, Any]]


@dataclass(frozen=True)
class Plugin(Generic[C]):
    """One thing of ours that is installed inside a product.

    `make` gives files that no template can hold (views made of the mapping's fields). `resolve(client, shown)` asks the
    running system for names that only it knows (the generated names of Fxiaoke's own fields). `needs_address`: it is of
    no use without our service. `install` says where it goes in one sentence; the steps are in the adapter's README.
    `remove(client, dry)` takes away what provisioning has made of it, where the product lets us. `secret`: where in the product an administrator enters the secret of `[systems.panel]`, where one is needed.
    `evidence`: what was validated, by which tool; never more than was seen.
    """

    name: str
    title: Text
    install: Text
    evidence: tuple[Evidence, ...]
    files: tuple[File, ...] = ()
    archive: Archive | None = None
    fill: Fill | None = None
    make: Fill | None = None
    resolve: Callable[[C, tuple[Shown, ...]], tuple[Shown, ...]] | None = None
    remove: Callable[[C, bool], Sequence[Finding]] | None = None
    needs_address: bool = False
    secret: Text | None = None
    kind: Literal["component", "function", "view", "page"] = "component"
