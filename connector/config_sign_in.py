"""The `[sign_in]` of config.toml: whose tokens of the company's own sign-in (OpenID Connect) the service takes, and for
how long API keys are good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, field_validator, model_validator

from connector.errors import BadSetting, ConfigError
from connector.http_peer import checked_url
from connector.policy_approval import Role
from connector.text import Text

# Signatures that only the issuer can make. "none" is no signature, and with HS256 whoever can check could sign, too.
Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]


class SignInSettings(BaseModel):
    """Sign-in to the service. Without an issuer only API keys open it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str | None = Field(None, description="Address of the OpenID Connect issuer, exactly as it names itself.")
    audience: str | None = Field(None, description="For whom its tokens must be made out (aud): our client id there.")
    algorithms: tuple[Algorithm, ...] = Field(
        ("RS256", "PS256", "ES256", "EdDSA"), min_length=1, description="Signatures that are taken."
    )
    leeway_seconds: StrictInt = Field(30, ge=0, le=300, description="How far the two clocks may be apart.")
    allow_private: bool = Field(False, description="Whether the issuer's public name may lead into a private network.")
    roles_claim: str | None = Field(None, description="Claim that holds a person's groups or roles, such as groups.")
    roles: Mapping[str, tuple[Role, ...]] = Field(
        default_factory=dict, description="Our roles, by a value of that claim; who decides stands in [[people]]."
    )
    client: str | None = Field(
        None, description="Our client id there, for signing in on pages; else only tokens and local passwords."
    )
    client_secret: str | None = Field(None, description="Reference to the secret of that client: env:NAME, file:PATH.")
    scopes: tuple[str, ...] = Field(("openid", "email", "profile"), description="What pages ask the issuer for.")
    key_days: StrictInt = Field(365, ge=1, le=3650, description="Days for which an API key is good.")
    key_overlap_hours: StrictInt = Field(
        24, ge=0, le=24 * 30, description="Hours for which the old secret stays good after a rotation."
    )

    @field_validator("issuer")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                checked_url(value)
            except ConfigError as wrong:
                why = wrong.user
                raise BadSetting(Text(why.en.rstrip("."), why.zh.rstrip("。"))) from None
        return value

    @model_validator(mode="after")
    def _together(self) -> SignInSettings:
        if (self.issuer is None) != (self.audience is None):
            raise BadSetting(
                Text(
                    "issuer and audience go together: a token for somebody else must not open this door",
                    "issuer 与 audience 必须同时填写：签发给其他系统的令牌不得用于登录本系统",
                )
            )
        if self.client is not None and self.issuer is None:
            raise BadSetting(Text("client needs issuer", "填写 client 时必须填写 issuer"))
        if self.roles and self.roles_claim is None:
            raise BadSetting(Text("roles needs roles_claim", "填写 roles 时必须填写 roles_claim"))
        return self
