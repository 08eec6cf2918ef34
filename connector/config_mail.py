"""The `[mail]` of config.toml: the mail server by which people are told; without a host no mail is sent."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connector.errors import BadSetting
from connector.text import Text

# What stands before and after the one @: no blanks, no control characters, nothing that a header could take for its own.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_HERE = ("localhost", "127.0.0.1", "::1")


class MailSettings(BaseModel):
    """How mail is handed to the company's mail server."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str | None = Field(None, description="Name of the mail server; without it no mail is sent.")
    port: int = Field(587, ge=1, le=65535, description="Its port: 587 for STARTTLS, 465 for TLS from the first byte.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the way there is secured; none only without a user, or on this machine."
    )
    user: str | None = Field(None, description="Name to sign in with, where the server asks for one.")
    password: str | None = Field(None, description="Reference to its password: env:NAME, file:PATH, keyring:NAME.")
    sender: str | None = Field(None, description="Address that the mails come from.")
    name: str = Field("Holdfast", description="Name beside that address.")
    timeout_seconds: int = Field(30, ge=1, le=600, description="How long one answer of the server is waited for.")
    digest_above: int = Field(
        5,
        ge=1,
        le=1000,
        description="Whoever is to be told of more orders than this at once gets one mail with a table.",
    )

    @field_validator("password")
    @classmethod
    def _reference(cls, value: str | None) -> str | None:
        from connector.config import checked_reference

        return value if value is None else checked_reference(value)

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not is_address(value):
            raise BadSetting(Text("not an e-mail address", "不是有效的电子邮件地址"))
        return value

    @model_validator(mode="after")
    def _whole(self) -> MailSettings:
        if self.host is not None and self.sender is None:
            raise BadSetting(Text("`sender` is wanted with `host`", "填写 `host` 时须同时填写 `sender`"))
        if self.security == "none" and self.user is not None and self.host not in _HERE:
            raise BadSetting(
                Text("a password never travels unsecured: starttls or tls", "不得以明文传送密码：请用 starttls 或 tls")
            )
        return self

    @property
    def on(self) -> bool:
        """Whether mail is sent at all."""
        return self.host is not None


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address and nothing else, so that it may stand in a header."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


__all__ = ["MailSettings", "is_address"]
