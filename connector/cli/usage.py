"""Usage: help pages and usage errors in the language of this call, and commands in the order in which one meets them.

The command-line library writes its own words in English around our help texts. They are replaced here, on the finished
page, so that no command needs to know of it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import typer

from connector.cli.common import language, t
from connector.text import Text

# The library exports only the child of the class that all usage errors have in common.
UsageError = cast(type[Exception], typer.BadParameter.__base__)

_WIDTH_MOST = 80

# What the library writes, for everybody; then in Chinese.
_PLAIN = (
    (re.compile(r"<(?:list\[)?str\]?>|<TEXT>"), "TEXT"),
    (re.compile(r"<(?:list\[)?int\]?>|<(?:list\[)?INTEGER\]?>"), "NUMBER"),
    (re.compile(r"<(?:int|INTEGER) range>|<(?:int|INTEGER) RANGE>"), "NUMBER"),
    (re.compile(r"<path>|<PATH>"), "PATH"),
    (re.compile(r"<%Y-%m-%d>|\[%Y-%m-%d\]"), "YYYY-MM-DD"),
)
_CHINESE = (
    (re.compile(r"^Usage: ", re.M), "用法："),
    (re.compile(r"\[OPTIONS\]"), "[选项]"),
    (re.compile(r"COMMAND \[ARGS\]\.\.\."), "命令 [参数]..."),
    (re.compile(r"^Options:$", re.M), "选项："),
    (re.compile(r"^Arguments:$", re.M), "参数："),
    (re.compile(r"^Commands:$", re.M), "命令："),
    (re.compile(r"Show this message and exit\."), "显示本帮助。"),
    (re.compile(r"(?<=[\[; ])env\s+var:\s+"), "环境变量："),
    (re.compile(r"(?<=\[)default:\s+"), "默认："),
    (re.compile(r";\s+default:\s+"), "；默认："),
    (re.compile(r"(?<=[\[; ])required\]"), "必填]"),
    (re.compile(r"\bTEXT\b"), "文本"),
    (re.compile(r"\bNUMBER\b"), "数字"),
    (re.compile(r"\bPATH\b"), "路径"),
)


def dressed(command: Any, groups: Mapping[Text, Sequence[str]] | None = None, name: str = "") -> Any:
    """A command, and everything under it, whose help pages speak the language of this call.

    `groups` are names of sub-commands in the order in which they are listed, below what each group is called; `name` is
    the command's own, with those above it, as its examples know it.
    """
    plain: Callable[[Any], str] = command.get_help
    command.get_help = lambda context: page(_grouped(plain(context), groups or {}) + _examples(name))
    children = getattr(command, "commands", None)
    if children:
        for child in (one for names in (groups or {}).values() for one in names):
            if child in children:
                children[child] = children.pop(child)
        for called, child in children.items():
            child.short_help = (child.help or "").partition("\n")[0]  # else it is cut in the list
            dressed(child, name=f"{name} {called}".strip())
    return command


def _grouped(text: str, groups: Mapping[Text, Sequence[str]]) -> str:
    """A help page whose list of commands has a line above each group of them."""
    head, _, rest = text.partition("\nCommands:")
    for title, names in groups.items():
        line = f"\n{title.say(language())}{t(':', '：')}"
        rest = rest.replace(f"\n  {names[0]} ", f"\n{line}\n  {names[0]} ", 1)
    return head + rest.removeprefix("\n") if groups else text


def _examples(name: str) -> str:
    from connector.cli.examples import EXAMPLES

    lines = EXAMPLES.get(name, ())
    head = t("Examples", "示例") if len(lines) > 1 else t("Example", "示例")
    return "\n".join((f"\n\n{head}{t(':', '：')}", *(f"  holdfast {line}" for line in lines))) if lines else ""


def page(text: str, width: int | None = None) -> str:
    """A help page in the language of this call: its lists set in two columns, folded by cells."""
    from connector.cli.drawing import folded

    for pattern, word in _PLAIN + (_CHINESE if language() == "zh" else ()):
        text = pattern.sub(word, text)
    width = width or min(shutil.get_terminal_size().columns, _WIDTH_MOST) - 1
    done: list[str] = []
    entries: list[list[str]] = []
    listing = False
    for line in [*text.split("\n"), ""]:
        if listing and (entry := re.match(r"  (\S.*?)(?:  +(\S.*))?$", line)):
            entries.append([entry.group(1), entry.group(2) or ""])
        elif listing and entries and line.startswith("   "):
            entries[-1][1] = f"{entries[-1][1]} {line.strip()}".strip()
        else:
            done += _columns(entries, width)
            entries = []
            listing = not line.startswith(" ") and line.endswith((":", "："))
            indent = line[: len(line) - len(line.lstrip())]
            done += [indent + part for part in folded(line.strip(), width - len(indent))]
    ending = text[len(text.rstrip("\n")) :]
    return "\n".join(done).rstrip("\n") + ending


def _columns(entries: Sequence[Sequence[str]], width: int) -> list[str]:
    """Names and what they are about, in two columns."""
    from connector.cli.drawing import cell_len, folded, padded

    left = max((cell_len(name) for name, _ in entries), default=0)
    done = []
    for name, about in entries:
        for at, part in enumerate(folded(about, max(20, width - left - 4))):
            done.append(f"  {padded(name if at == 0 else '', left)}  {part}".rstrip())
    return done


def message(wrong: Exception) -> str:
    """What is wrong with a call, and where to read how it is meant."""
    context: Any = getattr(wrong, "ctx", None)
    if type(wrong).__name__ == "NoArgsIsHelpError" and context is not None:
        return str(context.get_help())
    text = f"{t('Error: ', '错误：')}{_wrong(wrong)}"
    if context is not None:
        asked = f"{context.command_path} --help"
        text += "\n" + t(f"How it is meant: {asked}", f"用法见：{asked}")
    return text


def _wrong(wrong: Any) -> str:
    said = str(wrong.message).removeprefix("Value error, ").rstrip(".")
    kind, parameter = type(wrong).__name__, getattr(wrong, "param", None)
    if kind == "NoSuchOption":
        near = list(wrong.possibilities or ())
        return _one(
            Text("there is no option {it}.", "没有选项 {it}。"),
            Text("there is no option {it}. Did you mean {near}?", "没有选项 {it}。是否应为 {near}？"),
            wrong.option_name,
            near,
        )
    if kind == "MissingParameter" and parameter is not None:
        return t(f"{_name(parameter)} is missing.", f"缺少 {_name(parameter)}。")
    if found := re.match(r"No such command '(.*?)'", said):
        known = list(getattr(wrong.ctx.command, "commands", ())) if wrong.ctx else []
        return _one(
            Text("there is no command {it}.", "没有命令 {it}。"),
            Text("there is no command {it}. Did you mean {near}?", "没有命令 {it}。是否应为 {near}？"),
            found.group(1),
            _near(found.group(1), known),
        )
    if found := re.match(r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)", said):
        return t(f"too much was given: {found.group(1)}", f"多余的参数：{found.group(1)}")
    if found := re.match(r"Option '?(.*?)'? requires an argument", said):
        return t(f"{found.group(1)} needs a value.", f"{found.group(1)} 需要一个值。")
    if said.startswith("Missing command"):
        return t("a command is missing.", "缺少命令。")
    if parameter is None:
        return said
    return f"{_name(parameter)}{t(': ', '：')}{_value(said)}"


def _value(said: str) -> str:
    """What is wrong with the value of one option."""
    if found := re.search(r"'(.*)' does not match the formats?", said):
        return t(f"“{found.group(1)}” is no day: write YYYY-MM-DD.", f"“{found.group(1)}”不是日期：请写成 YYYY-MM-DD。")
    if found := re.search(r"'(.*)' is not one of (.*)", said):
        known = found.group(2).replace("'", "")
        return t(f"“{found.group(1)}” is none of {known}.", f"“{found.group(1)}”无效，可选：{known}。")
    if re.search(r"valid int|int_parsing", said):
        return t("a whole number is wanted.", "请填写整数。")
    if found := re.search(r"greater than or equal to (\S+)", said) or re.search(r"in the range x>=(\d+)", said):
        return t(f"{found.group(1)} is the least.", f"最小为 {found.group(1)}。")
    if found := re.search(r"less than or equal to (\S+)", said):
        return t(f"{found.group(1)} is the most.", f"最大为 {found.group(1)}。")
    return said


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name).strip("{}[].").upper()
    return str(max(parameter.opts, key=len))


def _near(wrong: str, known: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(wrong, known, 3, 0.6)


def _one(alone: Text, guessed: Text, it: str, near: Sequence[str]) -> str:
    text = guessed.fill(it=it, near=", ".join(near)) if near else alone.fill(it=it)
    return text.say(language())
