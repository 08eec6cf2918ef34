"""Building the plugins that are installed inside the products: templates, the company's own settings, an archive.

The same site gives the same bytes on every machine: texts are written in UTF-8 with `\\n`, archives hold their files in
order of name, uncompressed (compressors differ by version) and dated 1980. Nothing here knows a secret.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from connector import adapter as adapters
from connector.adapter import Evidence
from connector.adapter_plugin import File, Plugin, Shown, Site
from connector.errors import ConfigError
from connector.mapping_write import WriteField
from connector.text import Text

if TYPE_CHECKING:
    from connector.adapter import Adapter, Need
    from connector.connect import Connected
    from connector.mapping import Mapping as FieldMapping
    from connector.text import Language

_BLANK = re.compile(r'"«(?P<literal>[\w.]+)»"|«(?P<text>[\w.]+)»')
_ADDRESS = re.compile(r"https://[A-Za-z0-9.\-]+(:\d{1,5})?(/[A-Za-z0-9._~/\-]*)?")
_AT_HOME = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/[A-Za-z0-9._~/\-]*)?")
_KINDS = ("customer_fields", "hold", "order_fields")


# --- what is built ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Built:
    """A plugin ready to be installed: its files by path, the archive among them; `left_out` waits for an address."""

    plugin: Plugin[Any]
    site: Site
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = field(default=())


def site(
    adapter: Adapter[Any],
    mapping: FieldMapping,
    *,
    system: str = "",
    address: str | None = None,
    language: Language = "en",
    settings: Any = None,
) -> Site:
    """For whom a plugin is built. ConfigError for an address that no product could call."""
    return Site(
        system or adapter.name,
        checked_address(address),
        language,
        settings,
        tuple(_shown(adapter, mapping)),
        tuple(_needs(adapter, mapping)),
    )


def site_of(connected: Connected, address: str | None = None) -> Site:
    """The site of a configured system; without an address of its own the service's is taken."""
    config = connected.config
    return site(
        connected.adapter,
        connected.mapping,
        system=connected.name,
        address=address or config.service.address,
        language=config.language_for(connected.system),
        settings=connected.connection.settings,
    )


def resolved(plugin: Plugin[Any], site: Site, client: Callable[[], Any]) -> Site:
    """The same site with the names that only the running system knows."""
    if plugin.resolve is None or not site.shown:
        return site
    return replace(site, shown=plugin.resolve(client(), site.shown))


def checked_address(address: str | None) -> str:
    """The address of the service without a slash at its end, empty for none. ConfigError where it will not do."""
    if not address:
        return ""
    bare = address.strip().rstrip("/")
    if _ADDRESS.fullmatch(bare) or _AT_HOME.fullmatch(bare):
        return bare
    raise ConfigError(
        Text(
            "“{address}” will not do as the address of the service: https://name, with nothing but a path behind it.",
            "“{address}”不能作为本服务的地址：应为 https://域名，其后只能是路径。",
        ).fill(address=address)
    )


def _shown(adapter: Adapter[Any], mapping: FieldMapping) -> list[Shown]:
    found = []
    for kind in _KINDS:
        channel = adapter.channel(kind)
        table = mapping.writes.get(kind)
        if channel is not None and table is not None:
            found += [
                Shown(channel.kind, channel.object, one.word, one.name, _label(one), dict(one.values))
                for one in table.fields
                if one.word
            ]
    return found


def _needs(adapter: Adapter[Any], mapping: FieldMapping) -> list[Need]:
    needs = [n for c in adapter.channels for n in mapping.needs(c.kind, c.object)]
    orders = adapter.channel("order_fields")
    return needs + (mapping.needs_to_read("release_request", orders.object) if orders else [])


def _label(one: WriteField) -> str:
    return one.need.label if one.need is not None else one.name


# --- building -----------------------------------------------------------------------------------------------------------
def chosen(adapter: Adapter[Any], name: str | None = None) -> list[Plugin[Any]]:
    """The plugins of an adapter, or the one that is named. ConfigError where there is none."""
    if not adapter.plugins:
        raise ConfigError(
            Text(
                "Nothing of ours is installed inside {adapter}. `holdfast plugin list` says where there is something; "
                "`holdfast plugin build generic` is a page for any system that can show one.",
                "{adapter} 没有可安装的插件。可用 `holdfast plugin list` 查看；任何能嵌入网页的系统可使用 "
                "`holdfast plugin build generic`。",
            ).fill(adapter=adapter.name)
        )
    if name is None:
        return list(adapter.plugins)
    found = [p for p in adapter.plugins if p.name == name]
    if not found:
        raise ConfigError(
            Text(
                "{adapter} has no plugin called “{name}”. Did you mean {near}?",
                "{adapter} 没有名为“{name}”的插件。是否应为 {near}？",
            ).fill(adapter=adapter.name, name=name, near=adapters.nearest(name, [p.name for p in adapter.plugins]))
        )
    return found


def build(plugin: Plugin[Any], site: Site, folder: Path) -> Built:
    """Fills a plugin's templates, which lie in `folder`. ConfigError where it needs an address and there is none."""
    if plugin.needs_address and not site.address:
        raise ConfigError(
            Text(
                "“{name}” is of no use without the address of the service: --address https://…, or [service] address.",
                "“{name}”需要本服务的地址：请使用 --address https://…，或在 [service] 中填写 address。",
            ).fill(name=plugin.title)
        )
    launch = f"{site.address}/launch/{site.system}" if site.address else ""
    values: dict[str, Any] = {"system": site.system, "address": site.address, "launch": launch}
    values |= plugin.fill(site) if plugin.fill else {}
    wanted = [f for f in plugin.files if site.address or not f.signed]
    files = {_path(f): _filled(folder / f.template, _path(f), values) for f in wanted}
    files |= {path: _encoded(text) for path, text in (plugin.make(site) if plugin.make else {}).items()}
    if plugin.archive is not None:
        inside = {p: body for p, body in files.items() if p.startswith(plugin.archive.folder + "/")}
        files[plugin.archive.name] = zipped(inside)
    left = tuple(_path(f) for f in plugin.files if f not in wanted)
    return Built(plugin, site, dict(sorted(files.items())), left)


def written(built: Built, out: Path) -> list[Path]:
    """Writes the files below `out`, what stands there under the same names is replaced. ConfigError where it cannot."""
    paths = []
    for path, body in built.files.items():
        to = out / path
        try:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(body)
        except OSError as wrong:
            raise ConfigError(
                Text("{path} cannot be written: {why}.", "无法写入 {path}：{why}。").fill(
                    path=to, why=wrong.strerror or type(wrong).__name__
                )
            ) from None
        paths.append(to)
    return paths


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files, the same bytes wherever and whenever it is made."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # as on Unix, wherever it is built
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return made.getvalue()


def _path(file: File) -> str:
    return file.path or file.template


# --- filling ------------------------------------------------------------------------------------------------------------
def _filled(template: Path, path: str, values: Mapping[str, Any]) -> bytes:
    return _encoded(filled(template.read_text(encoding="utf-8"), Path(path).suffix, values))


def _encoded(text: str) -> bytes:
    return text.replace("\r\n", "\n").encode("utf-8")


def filled(text: str, suffix: str, values: Mapping[str, Any]) -> str:
    """A template with its blanks filled, in the notation of files of that suffix."""

    def put(blank: re.Match[str]) -> str:
        if blank["literal"]:
            return literal(values[blank["literal"]], suffix)
        value = " ".join(str(values[blank["text"]]).split())
        return escape(value, {'"': "&quot;"}) if suffix in (".xml", ".html") else value.replace("*/", "* /")

    return _BLANK.sub(put, text)


def literal(value: Any, suffix: str) -> str:
    """A value as a literal of the language: JavaScript, JSON and the script of a .vue, Groovy (.apl), Deluge (.dg), Python.

    Tables and lists only where the language writes them; a text can leave its quotes in none of them.
    """
    if suffix == ".apl":
        return _groovy(value)
    if suffix in (".dg", ".py"):
        assert isinstance(value, str), f"{suffix} takes texts only"
        return json.dumps(value, ensure_ascii=True)
    # "<" could end the script of a page, U+2028 the line of an old one.
    made = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2 if isinstance(value, dict) else None)
    return made.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _groovy(value: Any) -> str:
    if isinstance(value, Mapping):
        return "[" + (", ".join(f"{_groovy(k)}: {_groovy(v)}" for k, v in sorted(value.items())) or ":") + "]"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_groovy(v) for v in value) + "]"
    made = json.dumps(value, ensure_ascii=False)
    return made.replace("$", "\\$") if isinstance(value, str) else made


# --- for any system that can show a page -----------------------------------------------------------------------------------
def generic_site(system: str | None, address: str | None, language: Language) -> Site:
    """The site of the page that any system may frame; `system` is the one in config.toml whose ids are sent."""
    return Site(system or "crm", checked_address(address), language, None, ())


def generic_folder() -> Path:
    """Where the templates of that page lie."""
    return Path(adapters.folder(adapters.names()[0])).parent / "generic" / "plugin"


GENERIC: tuple[Plugin[Any], ...] = (
    Plugin(
        name="frame",
        title=Text("A page of your own that frames the signed panel", "在自有页面中嵌入签名面板"),
        install=Text(
            "README.md in it: a server of yours asks for a launch (launch.py or launch.js), your page frames the address.",
            "见其中的 README.md：由您的服务器请求一次启动（launch.py 或 launch.js），页面再嵌入返回的地址。",
        ),
        files=(
            File("frame/README.md", "README.md"),
            File("frame/launch.py.txt", "launch.py"),
            File("frame/launch.js", "launch.js"),
            File("frame/frame.html", "frame.html"),
        ),
        needs_address=True,
        secret=Text(
            "an environment variable of your server (HOLDFAST_PANEL_SECRET)", "您服务器的环境变量 HOLDFAST_PANEL_SECRET"
        ),
        kind="page",
        evidence=(
            Evidence(
                "live",
                Text(
                    "launch.py (Python 3.11) and launch.js (Node 20) were run against this service, the page in Chromium.",
                    "launch.py（Python 3.11）与 launch.js（Node 20）已对接本服务运行，页面已在 Chromium 中验证。",
                ),
            ),
        ),
    ),
)
