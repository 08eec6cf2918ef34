"""An OpenID Connect issuer of our own over a real socket: its document, its keys, and tokens good and bad."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwk, jws
from joserfc.jws import JWSRegistry

KINDS: dict[str, tuple[str, Any]] = {"RS256": ("RSA", 2048), "PS256": ("RSA", 2048), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}  # fmt: skip


@dataclass
class Issuer:
    """One issuer. `keys` are what it publishes, by kid; `asked` counts how often its keys were read."""

    url: str
    keys: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    says: dict[str, Any] = field(default_factory=dict)  # instead of the right document
    broken: bool = False
    slow_seconds: float = 0
    # Codes that were given to people who signed in there: what was asked, and the claims that the token will have.
    given: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)
    exchanged: list[dict[str, str]] = field(default_factory=list)

    def add(self, kid: str, algorithm: str = "RS256") -> Any:
        """A new key pair, published under a kid."""
        kind, size = KINDS[algorithm]
        made = jwk.generate_key(kind, size, {"kid": kid, "use": "sig"})
        self.keys[kid] = made
        return made

    def signs_in(self, asked: dict[str, str], claims: dict[str, Any]) -> str:
        """Somebody signs in for a question of ours; gives the code that he brings back."""
        code = f"code-{len(self.given)}"
        self.given[code] = (asked, claims)
        return code

    def exchange(self, fields: dict[str, str]) -> dict[str, Any] | None:
        """The token for a code, once, to whoever has the verifier of its challenge (RFC 7636)."""
        self.exchanged.append(fields)
        asked, claims = self.given.pop(fields.get("code", ""), ({}, {}))
        sha = hashlib.sha256(fields.get("code_verifier", "").encode()).digest()
        proved = base64.urlsafe_b64encode(sha).rstrip(b"=").decode() == asked.get("code_challenge")
        same = all(fields.get(name) == asked.get(name) for name in ("client_id", "redirect_uri"))
        if not proved or not same or fields.get("grant_type") != "authorization_code":
            return None
        return {"token_type": "Bearer", "id_token": self.token({"nonce": asked["nonce"], **claims})}

    def token(
        self, claims: dict[str, Any], *, kid: str | None = "k1", algorithm: str = "RS256", key: Any = None
    ) -> str:
        """A signed token of these claims."""
        head = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid is not None else {})
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        with_key = key if key is not None else self.keys[kid or "k1"]
        return jws.serialize_compact(
            head, json.dumps(claims).encode(), with_key, algorithms=[algorithm], registry=registry
        )


@cache
def usual_key() -> Any:
    """The key of every issuer's beginning: to make one takes a while."""
    return jwk.generate_key("RSA", 2048, {"kid": "k1", "use": "sig"})


@contextmanager
def issuing() -> Iterator[Issuer]:
    """An issuer that answers on a port of this machine."""
    made: list[Issuer] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            one = made[0]
            if one.broken:
                self.send_response(503)
                self.end_headers()
                return
            if self.path == "/.well-known/openid-configuration":
                body: Any = {
                    "issuer": one.url,
                    "jwks_uri": f"{one.url}/keys",
                    "authorization_endpoint": f"{one.url}/authorize",
                    "token_endpoint": f"{one.url}/token",
                    **one.says,
                }
            elif self.path.startswith("/keys"):
                one.asked += 1
                time.sleep(one.slow_seconds)
                body = {"keys": [key.as_dict(private=False) for key in one.keys.values()]}
            else:
                body = {}
            self.answer(200, body)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"])).decode()
            body = made[0].exchange(dict(parse_qsl(sent)))
            self.answer(400 if body is None else 200, body or {"error": "invalid_grant"})

        def answer(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.append(Issuer(f"http://127.0.0.1:{server.server_address[1]}"))
    made[0].keys["k1"] = usual_key()
    try:
        yield made[0]
    finally:
        server.shutdown()
        server.server_close()
