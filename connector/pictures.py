"""Pictures: charts as SVG without scripts or links, that a screen reader can tell of, and as PNG where that can be made.

Drawing needs the extra `charts`. Nothing here knows what it draws: it takes words, labels and numbers. Numbers become
floats only as places on paper; nothing is reckoned with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from connector.errors import ConfigError
from connector.text import Text

_SVG = "http://www.w3.org/2000/svg"
# Where Chinese is written, any of these; the browser takes the first it has.
_FONTS = (
    "'Noto Sans SC', 'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', 'PingFang SC', "
    "'WenQuanYi Micro Hei', 'DejaVu Sans', Arial, sans-serif"
)
# Young to old, calm to alarming; told apart by lightness, too.
AGES = ("#4e9a6b", "#e3c34a", "#e09a3a", "#cf6134", "#a32c2c", "#7a1f3d", "#531a45", "#2f1538")
LEVEL_COLOURS = ("#b3261e", "#e07b1f", "#e3c34a", "#4e9a6b")  # red, orange, yellow, green
_LABELS_MOST = 12
LINES = ("#1f5f9e", "#b3261e", "#4e9a6b", "#7a4fa3", "#8a6d3b")
LINES_DARK = ("#8eb2ff", "#ff9b92", "#74d3a0", "#c9a6f5", "#f0c069")


@dataclass(frozen=True, slots=True)
class Look:
    """Ground, words and guides of a picture; `titled`: its title stands in it, else whoever shows it says so. `size` is that of
    its letters; of more labels than `labels_most` some are left out."""

    ground: str = "#ffffff"
    words: str = "#333333"
    strong: str = "#111111"
    subtle: str = "#666666"
    guide: str = "#d5d5d5"
    guide_strong: str = "#bbbbbb"
    titled: bool = True
    lines: tuple[str, ...] = LINES
    width: int = 960
    height: int = 440
    size: int = 12
    labels_most: int = _LABELS_MOST


PAPER = Look()


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture: its file's name without ending, what it shows, in one language."""

    name: str
    title: str
    about: str
    svg: str


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one colour of bars: a name and a number for each label; None is a gap."""

    name: str
    values: Sequence[Decimal | int | None]


def grouped(value: float) -> str:
    """A number for people, in thousands groups; decimals only where it is small."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}".rstrip("0").rstrip(".")


def lines(
    name: str,
    title: str,
    about: str,
    labels: Sequence[str],
    series: Sequence[Series],
    look: Look = PAPER,
    **more: Any,
) -> Picture:
    """Lines over months."""
    return _drawn("Line", name, title, about, labels, series, look.lines, look, show_dots=True, dots_size=2, **more)


def stacked(
    name: str,
    title: str,
    about: str,
    labels: Sequence[str],
    series: Sequence[Series],
    colours: Sequence[str] = AGES,
    look: Look = PAPER,
) -> Picture:
    """Bars over months, each made of parts."""
    return _drawn("StackedBar", name, title, about, labels, series, colours, look)


def bars(
    name: str, title: str, about: str, labels: Sequence[str], series: Sequence[Series], look: Look = PAPER
) -> Picture:
    """Lying bars, one for each label, the first on top."""
    turned = [Series(one.name, list(one.values)[::-1]) for one in series]
    return _drawn("HorizontalBar", name, title, about, list(labels)[::-1], turned, look.lines, look, show_legend=False)


def _drawn(
    kind: str,
    name: str,
    title: str,
    about: str,
    labels: Sequence[str],
    series: Sequence[Series],
    colours: Sequence[str],
    look: Look,
    **more: Any,
) -> Picture:
    try:
        import pygal
        from pygal.style import Style
    except ImportError:
        raise ConfigError(
            Text(
                "Pictures need the extra charts: pip install '.[charts]' in Holdfast's own folder.",
                "生成图表需要安装附加组件：请在 Holdfast 所在文件夹执行 pip install '.[charts]'。",
            )
        ) from None
    style = Style(
        background=look.ground,
        plot_background=look.ground,
        foreground=look.words,
        foreground_strong=look.strong,
        foreground_subtle=look.subtle,
        font_family=_FONTS,
        opacity="1",
        opacity_hover=".85",
        stroke_opacity="1",
        stroke_width="2",
        stroke_width_hover="3",
        guide_stroke_color=look.guide,
        guide_stroke_dasharray="1,0",
        major_guide_stroke_color=look.guide_strong,
        major_guide_stroke_dasharray="1,0",
        title_font_size=18,
        label_font_size=look.size,
        major_label_font_size=look.size,
        legend_font_size=look.size + 1,
        colors=tuple(colours),
    )
    chart = getattr(pygal, kind)(
        style=style,
        js=(),
        width=look.width,
        height=look.height if kind != "HorizontalBar" else max(180, 90 + 34 * len(labels)),
        title=title if look.titled else None,
        legend_at_bottom=True,
        legend_at_bottom_columns=min(len(series), 6),
        value_formatter=grouped,
        max_scale=9,
        truncate_label=-1,
        truncate_legend=-1,
        **more,
    )
    chart.uuid = name
    chart.x_labels = list(labels)
    if kind != "HorizontalBar" and len(labels) > look.labels_most:
        # As many as can be read without turning the head, the newest among them.
        chart.x_labels_major = list(labels)[:: -ceil(len(labels) / look.labels_most)]
        chart.show_minor_x_labels = False
    for one in series:
        values = [None if value is None else float(value) for value in one.values]
        chart.add(one.name, values)
    return Picture(name, title, about, _cleaned(chart.render(is_unicode=True), name, title, about))


def _cleaned(svg: str, name: str, title: str, about: str) -> str:
    """The drawing without scripts, comments and links, with a title and a description for who cannot see it."""
    Xml.register_namespace("", _SVG)
    root = Xml.fromstring(svg)  # noqa: S314 -- our own drawing of a moment ago
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{{{_SVG}}}script", f"{{{_SVG}}}title"):
                parent.remove(child)
    for node in root.iter():
        _hint(node)
        if node is not root:
            node.attrib.pop("id", None)  # for the library's script, and the same in every picture of a page
    told = Xml.Element(f"{{{_SVG}}}title", {"id": f"{name}-title"})
    told.text = title
    more = Xml.Element(f"{{{_SVG}}}desc", {"id": f"{name}-desc"})
    more.text = about
    root.insert(0, told)
    root.insert(1, more)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
    return re.sub(r"[ \t]+\n", "\n", Xml.tostring(root, encoding="unicode"))


def _hint(node: Xml.Element) -> None:
    """Turns the library's notes for its own script into titles, which browsers show by themselves."""
    notes = [child for child in node if child.tag == f"{{{_SVG}}}desc"]
    said = {child.get("class", ""): (child.text or "") for child in notes}
    for child in notes:
        node.remove(child)
    if said.get("value"):
        hint = Xml.SubElement(node, f"{{{_SVG}}}title")
        hint.text = ": ".join(words for words in (said.get("x_label"), said["value"]) if words)


# --- PNG --------------------------------------------------------------------------------------------------------------
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/Library/Fonts",
            "/System/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts")  # fmt: skip
_CHINESE = re.compile(
    r"cjk|(noto|source ?han).*(sc|cn|hans)|wqy|wenquanyi|sim(sun|hei|kai|fang)|msyh|yahei|pingfang|hiragino|heiti|songti"
    r"|droidsansfallback|uming|ukai|fangsong|dengxian|deng\.ttf|sarasa|lxgw",
    re.IGNORECASE,
)


def chinese_font() -> bool:
    """Whether this machine has a font with Chinese characters, as far as names tell: PNG holds what was drawn here."""
    for folder in _FOLDERS:
        place = Path(folder).expanduser()
        if place.is_dir() and any(_CHINESE.search(file.name) for file in place.rglob("*.[to]t[fc]")):
            return True
    return False


def as_png(picture: Picture) -> bytes | None:
    """The picture as PNG, twice as large; None where the library for it is not installed."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        return None
    return bytes(svg_to_bytes(svg_string=picture.svg, background="#ffffff", zoom=2, sans_serif_family="DejaVu Sans"))
