"""The `[service]` of config.toml: where `holdfast serve` listens, how it is reached from outside, what it shows openly."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connector.errors import BadSetting
from connector.text import Text


class ServiceSettings(BaseModel):
    """The HTTP front door. Without a proxy that speaks TLS before it, it belongs on this machine or a private network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all, behind a proxy with TLS.")
    port: int = Field(8787, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer; more than one needs PostgreSQL.")
    address: str | None = Field(
        None, description="How it is reached from outside, https://…: in links, webhooks and notices."
    )
    proxies: tuple[str, ...] = Field(
        (), description="Addresses of proxies whose X-Forwarded-For is believed; else the peer is the client."
    )
    metrics: Literal["open", "key", "off"] = Field("key", description="Who may read /metrics.")
    documents: Literal["open", "key", "off"] = Field("key", description="Who may read the OpenAPI document.")
    body_kib: int = Field(256, ge=1, le=16 * 1024, description="Largest body of a request, in KiB.")
    kept_customers: int = Field(
        20_000,
        ge=0,
        description="Customers whose judgement each answering process keeps for order checks, about 12 KB each; 0: none.",
    )
    paper_mib: int = Field(
        20, ge=1, le=50, description="Largest attachment of a credit file that a page takes, in MiB."
    )

    @property
    def at(self) -> str:
        """Where people reach it: the address from outside, else this machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return self.address or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @field_validator("address")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise BadSetting(Text("the address from outside begins with https://", "对外地址必须以 https:// 开头"))
        return value.rstrip("/") if value else value
