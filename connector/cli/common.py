"""What all commands share: the language, the configuration and store of this call, exit codes, bars and tables."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connector.clock import Clock, SystemClock
from connector.errors import ConfigError, HoldfastError, Problem, RejectedError
from connector.text import Language, Text, language_here, language_of
from jobs.run_words import COUNT_NAMES, JOB_NAMES, doing

if TYPE_CHECKING:
    from rich.console import Console

    from connector.config import Config
    from connector.connect import Connected
    from connector.credit.authority import Person
    from connector.policy import Policy
    from connector.store.db import Store
    from jobs.progress import Progress
    from jobs.run import Run

OK, PROBLEMS, CONFIG, TROUBLE, STOPPED = 0, 1, 2, 3, 130

_language: Language = "en"


def choose_language(arguments: Sequence[str]) -> None:
    """Takes the language from `--lang`, else from the locale. Done before help texts are made."""
    global _language
    _language = language_here()
    for at, argument in enumerate(arguments):
        given = ""
        if argument == "--lang" and at + 1 < len(arguments):
            given = arguments[at + 1]
        elif argument.startswith("--lang="):
            given = argument.partition("=")[2]
        if known_language(given):
            _language = language_of(given)


def known_language(name: str) -> bool:
    """Whether a name such as zh, zh_CN or en-US is one of the two languages."""
    return name.lower().replace("-", "_").partition("_")[0].partition(".")[0] in ("en", "zh")


def language() -> Language:
    """The language of this call."""
    return _language


def t(en: str, zh: str) -> str:
    """A sentence in the language of this call."""
    return zh if _language == "zh" else en


def say(text: Text) -> str:
    """A text in the language of this call."""
    return text.say(_language)


def near(wrong: str, right: Sequence[str], most: int = 3) -> str:
    """The right names that look most like a wrong one, else the first few."""
    from difflib import get_close_matches

    found = get_close_matches(wrong, right, most, 0.5)
    if found or len(right) <= 2 * most:
        return ", ".join(found or right) or "-"
    return ", ".join(right[:most]) + ", …"


def console(error: bool = False) -> Console:
    """Where people read; plain when it is not a terminal."""
    from rich.console import Console

    # Into a file or a pipe nothing is cut: there is no window that could be too narrow.
    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 220
    return Console(stderr=error, highlight=False, width=wide, soft_wrap=False)


_DRIVERS = ("sqlite3", "psycopg")


def guarded(command: Callable[[], object]) -> int:
    """Runs a command; our own errors become one clear message and an exit code, never a traceback."""
    import typer

    from connector.cli.usage import UsageError, message

    try:
        command()
        sys.stdout.flush()
    except SystemExit as wanted:
        return wanted.code if isinstance(wanted.code, int) else OK
    except typer.Exit as wanted:
        return _flushed(wanted.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        tell(t("Stopped.", "已停止。"))
        return STOPPED
    except BrokenPipeError:
        return _reader_gone()
    except UsageError as wrong:
        tell(message(wrong))
        return CONFIG
    except HoldfastError as wrong:
        tell(f"{t('Error: ', '错误：')}{say(wrong.user)}")
        return trouble(wrong)
    except Exception as wrong:
        # Of the database nothing is imported here; its errors, and those of its drivers, are known by their classes.
        if not any(c.__name__ == "DBAPIError" or c.__module__.split(".")[0] in _DRIVERS for c in type(wrong).__mro__):
            raise
        logging.getLogger("holdfast").debug("database", exc_info=wrong)
        tell(f"{t('Error: ', '错误：')}{gone(wrong)}")
        return TROUBLE
    return OK


def gone(wrong: Exception) -> str:
    """What is said of an error of the database."""
    why = str(getattr(wrong, "orig", wrong)).strip() or type(wrong).__name__
    return t(f"the database is in trouble: {why}", f"数据库出现故障：{why}")


def tell(words: str) -> None:
    """A message beside the answer, on the error stream; nothing is wrong where nobody reads it."""
    with contextlib.suppress(OSError):
        print(words, file=sys.stderr)


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_gone()
    return code


def _reader_gone() -> int:
    """The reader of our pipe has gone (`| head`); nothing is wrong, and nothing more is to be written at the end."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


@dataclass
class Cli:
    """One call of the command line: everything is opened when first asked for."""

    path: Path
    command: str = ""
    verbose: int = 0
    given: bool = False
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        level = logging.WARNING if not self.verbose else (logging.INFO if self.verbose == 1 else logging.DEBUG)
        logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr)
        logging.getLogger("holdfast").setLevel(level)

    @cached_property
    def file(self) -> Config:
        """What config.toml alone says: all that is needed to find the database."""
        from connector import config

        return config.load(self.path, whole=False)

    @cached_property
    def config(self) -> Config:
        """What config.toml says, with the systems and people that the database has in use."""
        file = self.file
        prefix = "sqlite:///"
        if file.store_url.startswith(prefix) and not Path(file.store_url[len(prefix) :]).exists():
            # Nothing is kept yet, and who only asks makes no database.
            from connector.config import refusal, together

            if problems := together(file, self.path.name):
                raise refusal(problems)
            return file
        from jobs.configured import configured

        return configured(self.store, file)

    @cached_property
    def store(self) -> Store:
        from connector.config import store_url
        from connector.store.db import Store

        return Store.open(store_url(self.file))

    @cached_property
    def policy(self) -> Policy:
        """The policy in force: the copy in the database, else the file named in config.toml, else the shipped one."""
        from jobs.policy import in_force

        with self.store.reading() as tx:
            return in_force(tx, self.config)

    def acting(self, name: str | None = None) -> Person:
        """Who acts: the person that `--as` or HOLDFAST_USER names, else the user of this machine.

        Where no people are configured a note says that nobody's authority is checked.
        """
        from connector.config_people import acting

        person = acting(self.config.people, name)
        if person.alone:
            tell(
                t(
                    f"Note: nobody is entered in {self.path.name} or the database: {person.id} acts with every role.",
                    f"提示：{self.path.name} 与数据库中均未登记人员，{person.id} 拥有全部角色。",
                )
            )
        return person

    def connected(self, names: Sequence[str] = ()) -> list[Connected]:
        """The named systems, or all that are configured."""
        from connector.connect import connect

        chosen = names or [s.name for s in self.config.systems]
        if not chosen:
            raise ConfigError(
                Text(
                    "No system is configured yet. Add one with `holdfast init`, `holdfast system add`, or in the console.",
                    "尚未配置任何系统。请用 `holdfast init`、`holdfast system add` 或在管理台中添加。",
                )
            )
        return [connect(self.config, name, self.clock, lambda: self.store) for name in chosen]


# --- what a run did ---
def show_run(run: Run, problems_most: int = 5) -> None:
    """One line a run, and its first problems; what several records have in common is said once."""
    from rich.text import Text as Rich

    from connector.cli.drawing import padded

    counts = t(", ", "，").join(f"{say(COUNT_NAMES[k])} {v:,}" for k, v in run.counts.items() if v and k in COUNT_NAMES)
    job = say(JOB_NAMES.get(run.job, Text(run.job, run.job)))
    mark, colour = ("✗", "red") if run.failed else (("!", "yellow") if run.problems else ("✓", "green"))
    idle = t("failed", "失败") if run.failed else t("nothing to do", "无事可做")
    seconds = t(f"({run.seconds:.1f} s)", f"（{run.seconds:.1f} 秒）")
    line = Rich(f"{mark} {padded(job, 9)} {padded(run.system, 12)} {counts or idle}  {seconds}")
    line.stylize(colour, 0, 1)
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in run.problems:
        alike.setdefault((say(problem.what), say(problem.fix)), []).append(problem)
    told = [show_problem(same[0], len(same) - 1) for same in list(alike.values())[:problems_most]]
    if len(alike) > problems_most:
        rest = sum(len(same) for same in list(alike.values())[problems_most:])
        told.append(
            t(f"… and {rest:,} more: holdfast report problems", f"…… 另有 {rest:,} 个：holdfast report problems")
        )
    out = console()
    with aside():
        out.print(line, soft_wrap=True)
        for words in told:
            out.print(f"    {words}", markup=False, soft_wrap=True)


def show_problem(problem: Problem, others: int = 0) -> str:
    """A problem as one line; `others` are so many more of the same kind elsewhere."""
    from connector.cli.output import clean

    field = f" [{problem.field}]" if problem.field else ""
    also = t(f" (and {others:,} more)", f"（另有 {others:,} 处）") if others else ""
    gap = t(" ", "")
    return clean(f"{problem.where}{field}{also}{t(': ', '：')}{say(problem.what)}{gap}{say(problem.fix)}").rstrip()


def exit_code(runs: Sequence[Run], strict: bool = False) -> int:
    """The exit code that several runs deserve together; a stream that could not be read counts as its run does."""
    stopped = {p.code.removeprefix(f"{r.job}_") for r in runs for p in r.problems}
    if "config" in stopped:
        return CONFIG
    if any(r.failed for r in runs) or stopped & {"transient", "protocol"}:
        return TROUBLE
    return PROBLEMS if strict and any(r.problems for r in runs) else OK


# The bar that is on the screen now, and stands aside while a line is printed.
_bar: Any = None


@contextlib.contextmanager
def bars() -> Iterator[Progress]:
    """A progress bar where a person watches; nothing elsewhere."""
    global _bar
    out = console(error=True)
    if not out.is_terminal:
        from jobs.progress import silent

        yield silent
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown: dict[str, Any] = {}

    def told(what: str, done: int, of: int | None = None) -> None:
        count = f"{done:,}" if of is None else f"{done:,} / {of:,}"
        if what not in shown:
            # One line, of what is being done now: what is done has been told.
            for task in shown.values():
                bar.remove_task(task)
            shown.clear()
            shown[what] = bar.add_task(say(doing(what)), total=of, count=count)
        bar.update(shown[what], completed=done, total=of, count=count)

    with Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24),
        TextColumn("{task.fields[count]}"), TimeElapsedColumn(),
        console=out, transient=True, redirect_stdout=False, redirect_stderr=False,
    ) as bar:  # fmt: skip
        _bar = bar
        try:
            yield told
        finally:
            _bar = None


@contextlib.contextmanager
def aside() -> Iterator[None]:
    """Takes the bar off the screen while something else is printed."""
    bar = _bar
    if bar is not None:
        bar.stop()
    try:
        yield
    finally:
        if bar is not None:
            bar.start()


def trouble(wrong: HoldfastError) -> int:
    """The exit code of one error: a person must act, or the system is in trouble."""
    return CONFIG if isinstance(wrong, (ConfigError, RejectedError)) else TROUBLE
