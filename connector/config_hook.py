"""The `[systems.hook]` of config.toml: that a system may call us by webhook, and the reference to its secret."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class HookSettings(BaseModel):
    """Webhooks of one system. Where it calls is `[service] address` and `/hooks/` and the system's name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: str = Field(
        description="Reference to the secret of its webhooks: the product's own key, or any long random text."
    )
    secret_before: str | None = Field(
        None, description="Reference to the former secret, accepted too while it is being changed."
    )
    pause_seconds: int = Field(
        2, ge=0, le=3600, description="After webhooks were heeded, so long until the next: a burst is read once."
    )
