"""Fields that a mapping wants beyond ours: asked for where they exist, refused by name where they do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.adapter import nearest
from connector.errors import ConfigError
from connector.text import Text

from .client import Tryton


def sorted_out(
    client: Tryton, stream: str, wanted: Sequence[str], models: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """The wanted paths by the part of the record they belong to.

    `models` says which model stands under which first word (`{"": "account.move", "lines": "account.move.line"}`).
    Derived members (`_kind`) and positions in lists (`addresses.0.city`) are ours to deal with. ConfigError names a field
    that the server does not know, with the nearest one it does.
    """
    found: dict[str, dict[str, None]] = {part: {} for part in models}
    for path in wanted:
        words = [w for w in path.split(".") if w not in ("", "^") and not w.isdigit()]
        if not words or any(w.startswith("_") for w in words) or words == ["id"]:
            continue
        part, rest = (words[0], words[1:]) if words[0] in models else ("", words)
        if not rest:
            continue
        if rest[0] not in client.fields(models[part], [rest[0]]):
            known = client.call(f"model.{models[part]}.fields_get", None)
            raise ConfigError(
                Text(
                    "Tryton's {model} has no field “{name}”, which the mapping reads in stream “{stream}” as “{path}”. "
                    "Did you mean {near}? Correct the line, or install the module that has the field.",
                    "Tryton 的 {model} 没有字段“{name}”，而映射在数据流“{stream}”中以“{path}”读取它。"
                    "是否应为 {near}？请更正该行，或安装提供该字段的模块。",
                ).fill(
                    model=models[part], name=rest[0], stream=stream, path=path, near=nearest(rest[0], list(known)[:400])
                )
            )
        found[part][".".join(rest)] = None
    return {part: tuple(paths) for part, paths in found.items()}
