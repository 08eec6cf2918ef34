"""OpenID Connect: tokens of the company's own sign-in, checked against the keys that its issuer publishes.

Only signatures that nobody but the issuer can make are taken; what the token's header says decides nothing but which key
is tried. The keys are kept for an hour, and asked for anew where a token names one that is not among them, but never more
often than twice a minute, so that made-up tokens cannot make us call the issuer.
"""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from joserfc import jwk, jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jws import JWSRegistry

from connector.clock import Clock
from connector.config_sign_in import SignInSettings
from connector.errors import ConfigError, HoldfastError, ProtocolError, RejectedError
from connector.http import Http
from connector.http_peer import checked_url, names_private
from connector.text import Text

log = logging.getLogger("holdfast.web.oidc")
# That EdDSA has a new name, Ed25519, is nothing that an operator could act on: issuers use the old one.
warnings.filterwarnings("ignore", category=SecurityWarning, module=r"joserfc\..*")

TOKEN_MOST = 8192
_KEPT_SECONDS = 3600.0
_ASK_AGAIN_SECONDS = 30.0
_KEYS_MOST = 50
_RSA_LEAST_BITS = 2048
_BODY_MOST = 1024 * 1024
# The kind of key, and its curve, that each signature is made with: a key is never used for another.
_KIND = {"RS256": ("RSA", None), "PS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}


class NotGood(Exception):
    """A token that opens nothing; `reason` is one word, for the log and the counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysOld(Exception):
    """The keys at hand do not know the token's: they are to be asked for once more."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Where an issuer signs people in (`authorize`), and where it gives the token for what they bring back."""

    authorize: str
    token: str


@dataclass
class Issuer:
    """The issuer that is configured, with its keys."""

    settings: SignInSettings
    clock: Clock
    _keys: list[Mapping[str, Any]] = field(default_factory=list)
    _read_at: float | None = None
    _tried_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def claims(self, token: str, audience: str | None = None) -> Mapping[str, Any]:
        """What a token says, once it is proved. `audience`: whom it must be for, else `[sign_in] audience`.

        Raises NotGood, or KeysOld where `refresh` may help."""
        if len(token) > TOKEN_MOST:
            raise NotGood("token_too_long")
        header = _header(token)
        algorithm = header.get("alg")
        if algorithm not in self.settings.algorithms or algorithm not in _KIND:
            raise NotGood("token_algorithm")
        if self._read_at is None or time.monotonic() - self._read_at > _KEPT_SECONDS:
            if self._may_ask():
                raise KeysOld
            if self._read_at is None:
                raise NotGood("issuer_unreachable")
        fit = self._fitting(str(algorithm), header.get("kid"))
        if not fit:
            if self._may_ask():
                raise KeysOld
            raise NotGood("token_key")
        return self._checked(_proved(token, str(algorithm), fit), audience or self.settings.audience)

    def refresh(self) -> None:
        """Asks the issuer for its keys, where nobody has done so just now. Blocks; failures are logged, the keys at hand
        stay."""
        with self._lock:
            if not self._may_ask():
                return
            self._tried_at = time.monotonic()
            try:
                self._keys = _usable(self._published())
                self._read_at = time.monotonic()
            except HoldfastError as wrong:
                log.warning("the issuer's keys cannot be read: %s", wrong.log)

    def look(self) -> int:
        """How many keys the issuer publishes that can be used. Raises one of our errors where it cannot be asked."""
        return len(_usable(self._published()))

    def _may_ask(self) -> bool:
        return self._tried_at is None or time.monotonic() - self._tried_at > _ASK_AGAIN_SECONDS

    def ways(self) -> Ways:
        """Where people sign in. Blocks; raises one of our errors where the issuer cannot be asked."""
        found = self._document()
        authorize = found.get("authorization_endpoint")
        if not isinstance(authorize, str):
            raise ProtocolError(
                Text("The issuer names no authorization_endpoint.", "签发方未给出 authorization_endpoint。")
            )
        self._inside(authorize)
        token = found.get("token_endpoint")
        if not isinstance(token, str):
            raise ProtocolError(Text("The issuer names no token_endpoint.", "签发方未给出 token_endpoint。"))
        return Ways(authorize, token)

    def exchange(self, fields: Mapping[str, str]) -> Mapping[str, Any]:
        """What the issuer says of somebody who came back from it with a code. Blocks. Raises NotGood, or one of our
        errors."""
        address = self.ways().token
        base, rest = self._inside(address)
        try:
            answer = self._http(base).call("POST", rest, safe=False, data=dict(fields))
        except RejectedError:
            raise NotGood("token_exchange") from None
        given = answer.json() if answer.status == 200 else None
        token = given.get("id_token") if isinstance(given, dict) else None
        if not isinstance(token, str):
            raise NotGood("token_exchange")
        client = self.settings.client
        try:
            return self.claims(token, client)
        except KeysOld:
            self.refresh()
        try:
            return self.claims(token, client)
        except KeysOld:
            raise NotGood("token_key") from None

    def _document(self) -> Mapping[str, Any]:
        issuer = self.settings.issuer or ""
        found = _read(self._http(issuer), "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ConfigError(
                Text(
                    "The issuer calls itself otherwise than [sign_in] issuer: write it exactly so.",
                    "签发方自称的地址与 [sign_in] issuer 不一致：请照其原样填写。",
                )
            )
        return found

    def _published(self) -> Any:
        address = self._document().get("jwks_uri")
        if not isinstance(address, str):
            raise ProtocolError(Text("The issuer names no jwks_uri.", "签发方未给出 jwks_uri。"))
        base, rest = self._inside(address)
        return _read(self._http(base), rest).get("keys")

    def _inside(self, address: str) -> tuple[str, str]:
        """Host and rest of an address that the issuer gives, once it is one that we may go to."""
        parts = urlsplit(checked_url(address.partition("?")[0]))
        inside = self.settings.allow_private or names_private(urlsplit(self.settings.issuer or "").hostname or "")
        if not inside and (parts.scheme != "https" or names_private(parts.hostname or "")):
            raise ConfigError(
                Text(
                    "The issuer is a public one and sends us into a private network: refused.",
                    "签发方为公网地址，却将我们指向内网，已拒绝。",
                )
            )
        rest = parts.path + (f"?{urlsplit(address).query}" if urlsplit(address).query else "")
        return f"{parts.scheme}://{parts.netloc}", rest

    def _http(self, address: str) -> Http:
        return Http(
            address,
            system="sign-in",
            clock=self.clock,
            timeout=(3.0, 5.0),
            attempts=2,
            deadline=10.0,
            body_most=_BODY_MOST,
            allow_private=self.settings.allow_private,
        )

    def _fitting(self, algorithm: str, kid: Any) -> list[Mapping[str, Any]]:
        kind, curve = _KIND[algorithm]
        fit = [
            key
            for key in self._keys
            if key["kty"] == kind
            and (curve is None or key.get("crv") == curve)
            and key.get("alg") in (None, algorithm, curve)
        ]
        return fit if kid is None else [key for key in fit if key.get("kid") == kid]

    def _checked(self, claims: Mapping[str, Any], wanted: str | None) -> Mapping[str, Any]:
        now, leeway = self.clock.now().timestamp(), self.settings.leeway_seconds
        if claims.get("iss") != self.settings.issuer:
            raise NotGood("token_issuer")
        audience = claims.get("aud")
        if wanted not in (audience if isinstance(audience, list) else [audience]):
            raise NotGood("token_audience")
        ends = _moment(claims.get("exp"))
        if ends is None or now >= ends + leeway:
            raise NotGood("token_expired")
        for name in ("nbf", "iat"):
            if claims.get(name) is None:
                continue
            begins = _moment(claims[name])
            if begins is None or begins > now + leeway:
                raise NotGood("token_not_yet")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject or len(subject) > 255:
            raise NotGood("token_subject")
        return claims


def looks_like_one(token: str) -> bool:
    """Whether a credential has the form of a signed token: three parts."""
    return token.count(".") == 2


def email_of(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address of a token, where the issuer has verified it."""
    address = claims.get("email")
    verified = claims.get("email_verified") in (True, "true")
    return address if verified and isinstance(address, str) and "@" in address else None


def groups_of(claims: Mapping[str, Any], name: str | None) -> frozenset[str]:
    """The values of the claim that tells groups or roles; a dotted name leads into the token."""
    value: Any = claims
    if name is None:
        return frozenset()
    if name in claims:
        value = claims[name]
    else:
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(v for v in value if isinstance(v, str)) if isinstance(value, list) else frozenset()


def _header(token: str) -> Mapping[str, Any]:
    try:
        head = token.split(".")[0]
        found = _json(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        raise NotGood("token_malformed") from None
    if not isinstance(found, dict):
        raise NotGood("token_malformed")
    return found


def _proved(token: str, algorithm: str, keys: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What stands in a token, whose signature one of the keys has made. Raises NotGood."""
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    for key in keys:
        try:
            made = jws.deserialize_compact(token, jwk.import_key(dict(key)), algorithms=[algorithm], registry=registry)
            found = _json(made.payload)
        except (JoseError, ValueError, TypeError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    raise NotGood("token_signature")


def _json(text: bytes) -> Any:
    def refused(name: str) -> Any:
        raise ValueError(name)

    return json.loads(text, parse_constant=refused)


def _moment(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11 else None
    )


def _read(http: Http, path: str) -> Mapping[str, Any]:
    answer = http.call("GET", path, safe=True)
    found = answer.json() if answer.status == 200 else None
    if not isinstance(found, dict):
        raise ProtocolError(
            Text("The issuer answers with status {status}.", "签发方返回状态 {status}。").fill(status=answer.status)
        )
    return found


def _usable(published: Any) -> list[Mapping[str, Any]]:
    """The public keys of a set that signatures are checked with; secret ones and short ones are left out."""
    if not isinstance(published, list):
        raise ProtocolError(Text("The issuer publishes no keys.", "签发方未公布密钥。"))
    kinds = {kind for kind, _ in _KIND.values()}
    found: list[Mapping[str, Any]] = []
    for key in published[:_KEYS_MOST]:
        if not isinstance(key, dict) or key.get("kty") not in kinds or key.get("use") not in (None, "sig"):
            continue
        public = {name: value for name, value in key.items() if name in _PUBLIC and isinstance(value, str)}
        try:
            made: Any = jwk.import_key(dict(public))
            if public["kty"] == "RSA" and made.raw_value.key_size < _RSA_LEAST_BITS:
                continue
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        found.append(public)
    return found


_PUBLIC = frozenset({"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"})
