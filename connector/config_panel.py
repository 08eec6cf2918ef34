"""The `[systems.panel]` of config.toml: that a CRM may show the credit panel inside its own pages, and the secret by which
its server-side code asks for it."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connector.errors import BadSetting
from connector.text import Text

# One origin, or all hosts below a domain: nothing else may stand in the header that it goes into.
_ORIGIN = re.compile(r"https?://(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[0-9]{1,5})?")


class PanelSettings(BaseModel):
    """The panel of one system. Where it is asked for is `[service] address` and `/launch/` and the system's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="Whether the panel is shown at all.")
    secret: str = Field(description="Reference to the secret with which the CRM's server-side code signs: at least 32 characters.")  # fmt: skip
    secret_before: str | None = Field(
        None, description="Reference to the former secret, accepted too while it is being changed."
    )
    frame_ancestors: tuple[str, ...] = Field(
        (), max_length=20, description="Whose pages may frame it, as origins; else those that the adapter knows."
    )
    unknown: Literal["refuse", "reduced", "figures"] = Field(
        "reduced",
        description="What a user sees who is none of the people here: nothing, band and hold, or all figures.",
    )

    @field_validator("frame_ancestors")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not _ORIGIN.fullmatch(one):
                raise BadSetting(
                    Text(
                        "an origin is wanted, such as https://crm.example.com or https://*.example.com",
                        "应为来源地址，例如 https://crm.example.com 或 https://*.example.com",
                    )
                )
        return value


def is_origin(text: str) -> bool:
    """Whether this may stand among those who frame the panel."""
    return _ORIGIN.fullmatch(text) is not None
