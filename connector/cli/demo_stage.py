"""The stage of the demo: sandboxes or a real ERP on this machine, and a configuration that names them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from connector.cli.common import Cli, console, language, say, t
from connector.errors import ConfigError
from connector.text import Text

if TYPE_CHECKING:
    from connector.sandbox import Sandbox, SandboxOptions


@dataclass
class Stage:
    """What the story is told with: an open configuration, and the sandboxes behind it, where there are any.

    `again` are the commands that bring the sandboxes of a kept demo back.
    """

    cli: Cli
    sandboxes: list[Sandbox] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def writes(self) -> int:
        """Write calls that the sandboxes have seen."""
        return sum(len(s.writes()) for s in self.sandboxes)


@dataclass
class _Setting:
    """The configuration as it grows, with the secrets of our own sandboxes beside it."""

    folder: Path
    kept: bool
    blocks: list[str] = field(default_factory=list)

    def add(self, name: str, adapter: str, settings: dict[str, str], secrets: dict[str, str]) -> None:
        from connector.config_toml import quoted

        lines = ["[[systems]]", f'name = "{name}"', f'adapter = "{adapter}"', f'roles = ["{name}"]']
        lines.append("settings = { " + ", ".join(f"{k} = {quoted(v)}" for k, v in settings.items()) + " }")
        if secrets:
            lines.append("[systems.secrets]")
        lines += [f'{key} = "{self._reference(f"{name}_{key}", value)}"' for key, value in secrets.items()]
        self.blocks.append("\n".join(lines))

    def _reference(self, name: str, value: str) -> str:
        """Where a secret is: in this process, or in a file of its own where the configuration outlives it."""
        if not self.kept:
            variable = f"HOLDFAST_DEMO_{name}".upper()
            os.environ[variable] = value
            return f"env:{variable}"
        (self.folder / "secrets").mkdir(exist_ok=True, mode=0o700)
        path = self.folder / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(value, encoding="utf-8")
        return f"file:secrets/{name}"

    def write(self) -> Path:
        path = self.folder / "config.toml"
        head = f'[business]\ncurrency = "CNY"\ntime_zone = "Asia/Shanghai"\nlanguage = "{language()}"\nmade_up = true\n'
        path.write_text("\n\n".join([head, *self.blocks]) + "\n", encoding="utf-8")
        return path


@contextlib.contextmanager
def set_up(folder: Path, erp: str, crm: str, customers: int, seed: int, *, kept: bool = False) -> Iterator[Stage]:
    """Sandboxes (or a real ERP) on this machine, and a configuration that names them. `kept`: it is to outlive us."""
    from connector import adapter as adapters
    from connector.clock import SystemClock, day_in
    from connector.sandbox import SandboxOptions
    from jobs.demo_company import made_folder

    made_folder(folder)
    if (folder / "config.toml").exists():
        raise ConfigError(
            Text(
                "{path} already holds a configuration. Choose another folder for this demo.",
                "{path} 中已有配置。请为本次演示另选文件夹。",
            ).fill(path=folder)
        )
    today = day_in(SystemClock().now(), "Asia/Shanghai")
    options = SandboxOptions(customers=customers, seed=seed, as_of=today, language=language())
    setting = _Setting(folder, kept)
    boxes: list[Sandbox] = []
    again: list[str] = []
    with contextlib.ExitStack() as stack:

        def open_sandbox(role: str, name: str) -> None:
            _must_have_role(name, role)
            own = replace(options, data=folder / f"sandbox-{role}" if kept else None, settings={"role": role})
            box, url = _opened(stack, name, own)
            boxes.append(box)
            adapter = adapters.load(name)
            place = str(getattr(box, "folder", url))  # a book is a folder, everything else answers at an address
            settings = {k: v.format(url=url) for k, v in adapter.demo_settings.items()} or {"path": place}
            setting.add(role, name, settings, dict(box.credentials()))
            console().print(
                f"{role.upper()}{t(': ', '：')}{say(adapter.title)}{t(', a sandbox on ', '，沙箱 ')}{place}",
                markup=False,
                soft_wrap=True,
            )
            if place == url:
                again.append(f"holdfast sandbox {name} --port {url.rpartition(':')[2]} --data {quote(str(own.data))}")

        if erp == "sandbox" or erp.endswith("-sandbox"):
            open_sandbox("erp", erp.removesuffix("sandbox").rstrip("-") or "tryton")
        else:
            _must_have_role(erp, "erp")
            with console(error=True).status(
                t("Bringing up a real ERP (minutes the first time) …", "正在启动真实 ERP（首次需数分钟）……")
            ):
                live = stack.enter_context(adapters.server(erp, customers=customers, seed=seed, as_of=today))
            setting.add("erp", erp, dict(live.settings), dict(live.secrets))
            console().print(
                t(f"ERP: a real {live.version} on {live.url}", f"ERP：真实的 {live.version}，{live.url}"),
                soft_wrap=True,
            )
        open_sandbox("crm", crm)
        cli = Cli(setting.write())
        try:
            yield Stage(cli, boxes, again)
        finally:
            cli.store.close()


def _must_have_role(name: str, role: str) -> None:
    from connector import adapter as adapters

    adapter = adapters.load(name)
    if role not in adapter.roles:
        raise ConfigError(
            Text("{title} cannot be the {role} of the demo.", "{title} 不能作为演示的 {role}。").fill(
                title=adapter.title, role=role.upper()
            )
        )


def _opened(stack: contextlib.ExitStack, name: str, options: SandboxOptions) -> tuple[Sandbox, str]:
    from connector import adapter as adapters

    box = adapters.sandbox(name, options)
    return box, stack.enter_context(box.served())


__all__ = ["Stage", "set_up"]
