"""How a system calls us: its product's hook, the secrets it is judged by, the address and tokens it is told."""

from __future__ import annotations

from connector import adapter as adapters
from connector.config import Config, System
from connector.errors import ConfigError
from connector.hook import Callback, Hook, address_token, channel_token
from connector.http import hide
from connector.text import Text

_SHORTEST = 16


def hook_of(config: Config, system: System) -> Hook[object]:
    """How a system calls us. ConfigError where its product cannot, or no `[systems.hook]` is configured."""
    hook = adapters.load(system.adapter).hook
    if hook is None:
        raise ConfigError(
            Text("{system}: {adapter} sends no webhooks that we know; it is polled.",
                 "{system}：{adapter} 没有已知的 Webhook，改由定时拉取。").fill(system=system.name, adapter=system.adapter)
        )  # fmt: skip
    if system.hook is None:
        raise ConfigError(
            Text(
                "{system} has no [systems.hook] in config.toml: add one with the reference to its secret.",
                "{system} 在 config.toml 中没有 [systems.hook]：请添加，并填写密钥引用。",
            ).fill(system=system.name)
        )
    return hook


def secrets_of(config: Config, system: System) -> tuple[str, ...]:
    """The secrets of a system's webhooks, the newest first. ConfigError where one is not set or will not do."""
    hook = hook_of(config, system)
    assert system.hook is not None
    references = [r for r in (system.hook.secret, system.hook.secret_before) if r]
    found = [config.secret(reference, f"{system.name} hook") for reference in references]
    for value in found:
        hide(value, address_token(value, system.name))
        if hook.fit and (wrong := hook.fit(value)):
            raise ConfigError(
                Text(
                    "{system}: the secret of its webhooks will not do: {why}", "{system}：Webhook 密钥不可用：{why}"
                ).fill(system=system.name, why=wrong)
            )
        if len(value) < _SHORTEST:
            raise ConfigError(
                Text("{system}: the secret of its webhooks is shorter than 16 characters.",
                     "{system}：Webhook 密钥不足 16 个字符。").fill(system=system.name)
            )  # fmt: skip
    return tuple(found)


def address(config: Config, system: System) -> str:
    """Where a system is to call: it ends with a token where the product proves itself by nothing better, and is then a
    secret. ConfigError where `[service] address` or the system's `[systems.hook]` is missing."""
    hook = hook_of(config, system)
    if not config.service.address:
        raise ConfigError(
            Text(
                "Nobody knows where webhooks are to go: set address under [service] to how this service is reached from "
                "outside.",
                "不知道 Webhook 应发往何处：请在 [service] 中设置 address，即从外部访问本服务的地址。",
            )
        )
    base = f"{config.service.address}/hooks/{system.name}"
    newest = secrets_of(config, system)[0]
    if not hook.address_is_secret:
        return base
    token = address_token(newest, system.name)
    hide(token)
    return f"{base}/{token}"


def callback(config: Config, system: System) -> Callback:
    """What a system is told when it is asked to call."""
    newest = secrets_of(config, system)[0]

    def token(channel: str) -> str:
        made = channel_token(newest, system.name, channel)
        hide(made)
        return made

    return Callback(address(config, system), token)
