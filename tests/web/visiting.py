"""A browser that has signed in, for tests of pages: a client with a session, and forms that carry its token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from connector.store import sessions
from connector.web.app import make
from connector.web.front import Front
from connector.web.session import csrf_of

HTML = {"Accept": "text/html"}


@dataclass
class Browser:
    """A person of config.toml in front of the pages; `client` follows no redirect."""

    client: TestClient
    token: str

    def get(self, address: str, **how: Any) -> Response:
        return self.client.get(address, **how)

    def post(self, address: str, /, **fields: Any) -> Response:
        """Sends a form of ours."""
        return self.client.post(address, data={"csrf": csrf_of(self.token), **fields})


def visit(front: Front, person: str, language: str = "en") -> Browser:
    """A browser in which a person has signed in."""
    with front.store.writing() as tx:
        token = sessions.begin(tx, person, (), "password", front.clock.now())
    client = TestClient(
        make(front),
        raise_server_exceptions=False,
        follow_redirects=False,
        headers={**HTML, "Accept-Language": language},
        cookies={"holdfast": token},
    )
    return Browser(client, token)
