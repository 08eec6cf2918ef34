"""Connecting: from a configured system to a client that is ready to read and write, with its mapping."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connector import adapter as adapters
from connector import mapping as mappings
from connector.adapter import ActionKind, Adapter, Connection, Need
from connector.clock import Clock, SystemClock
from connector.config import Config, System, secret
from connector.errors import ConfigError, Problem
from connector.http import Http, Limits, Throttle, hide
from connector.mapping import Mapping
from connector.text import Text, joined


def listed(problems: list[Problem]) -> Text:
    """Problems as one text, a line each."""
    return joined(
        [
            Text(
                f"  {p.where}{f' [{p.field}]' if p.field else ''}: {p.what.en} {p.fix.en}",
                f"  {p.where}{f' [{p.field}]' if p.field else ''}：{p.what.zh}{p.fix.zh}",
            )
            for p in problems
        ],
        "\n",
        "\n",
    )


@dataclass
class Connected:
    """One system, usable: its adapter, its mapping, and the client, which is opened when first asked for."""

    config: Config
    system: System
    clock: Clock

    @property
    def name(self) -> str:
        return self.system.name

    @cached_property
    def adapter(self) -> Adapter[Any]:
        return adapters.load(self.system.adapter)

    @cached_property
    def mapping(self) -> Mapping:
        """The system's mapping: its own file, else the shipped one. ConfigError lists all that is wrong with it."""
        if self.system.mapping:
            path = self.config.path(self.system.mapping)
            try:
                text, name = path.read_text(encoding="utf-8"), path.name
            except OSError as wrong:
                raise ConfigError(
                    Text("The mapping {path} cannot be read ({why}).", "无法读取映射 {path}（{why}）。").fill(
                        path=path, why=type(wrong).__name__
                    )
                ) from None
        else:
            text, name = mappings.shipped(self.system.adapter), f"{self.system.adapter}.toml"
        mapping, problems = mappings.load(text, name=name, adapter=self.adapter)
        if mapping is None:
            raise ConfigError(
                Text("The mapping has problems:\n{list}", "映射有问题：\n{list}").fill(list=listed(problems))
            )
        return mapping

    @cached_property
    def connection(self) -> Connection:
        throttle = Throttle(self.adapter.limits or Limits(), self.clock)

        def http(base_url: str, **options: Any) -> Http:
            own = {
                "system": self.name,
                "throttle": throttle,
                "clock": self.clock,
                "allow_private": self.system.allow_private,
            }
            return Http(base_url, **{**own, **options})

        def secret_of(name: str) -> str:
            reference = self.system.secrets.get(name)
            if reference is None:
                raise ConfigError(
                    Text(
                        "{system}: no secret called “{name}” is configured.", "{system}：未配置名为“{name}”的密钥。"
                    ).fill(system=self.name, name=name)
                )
            value = secret(reference, self.config.root, self.name)
            hide(value)  # wherever a vendor repeats it
            return value

        return Connection(
            name=self.name,
            settings=self.adapter.settings.model_validate(dict(self.system.settings)),
            secret=secret_of,
            http=http,
            clock=self.clock,
            language=self.config.language_for(self.system),
            business_time_zone=self.config.business.time_zone,
            roles=frozenset(self.system.roles),
            root=str(self.config.root),
        )

    @cached_property
    def client(self) -> Any:
        return self.adapter.open(self.connection)

    def needs(self) -> list[Need]:
        """The fields of ours that the mapping writes and provisioning is to make."""
        kinds: list[ActionKind] = [c.kind for c in self.adapter.channels]
        return [n for kind in kinds for n in self.mapping.needs(kind, self.channel_object(kind))]

    def channel_object(self, kind: ActionKind) -> str:
        channel = self.adapter.channel(kind)
        assert channel is not None
        return channel.object


def connect(config: Config, name: str, clock: Clock | None = None) -> Connected:
    """One configured system by name."""
    return Connected(config, config.system(name), clock or SystemClock())
