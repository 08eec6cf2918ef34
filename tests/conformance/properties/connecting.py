"""Connecting: sign-in and rights are proved, what is missing is said and made, wrong secrets are not hammered with."""

from __future__ import annotations

import re
import socket

from connector.adapter import Connection, Finding
from connector.errors import ConfigError, HoldfastError
from connector.text import Text
from tests.conformance.stage import Stage

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def speaks_both(text: Text) -> bool:
    """Whether a text is there in both languages."""
    return bool(text.en.strip()) and bool(_CHINESE.search(text.zh)) and not _CHINESE.search(text.en.split("“")[0])


def _well_said(findings: list[Finding]) -> None:
    for finding in findings:
        assert all((finding.what.en, finding.what.zh)), finding
        if finding.state in ("todo", "wrong"):
            assert finding.fix is not None, f"what is to be done about “{finding.what.en}”?"
            assert speaks_both(finding.fix), finding.fix


def _checked(stage: Stage, connection: Connection) -> tuple[list[Finding], HoldfastError | None]:
    """What a check finds, or the error in which it ends."""
    try:
        return list(stage.adapter.check(stage.adapter.open(connection), [])), None
    except HoldfastError as error:
        return [], error


def connect(stage: Stage, _: str = "") -> None:
    """With the right secrets, and our fields made, a check finds nothing wrong; it says so in both languages."""
    client = stage.prepared()
    findings = list(stage.adapter.check(client, stage.needs()))
    _well_said(findings)
    assert any(f.state == "fine" for f in findings), "the check looked at nothing"
    assert [f.what.en for f in findings if f.state == "wrong"] == []
    if stage.adapter.provision:
        assert [f.what.en for f in findings if f.state == "todo"] == []


def connect_refused(stage: Stage, _: str = "") -> None:
    """Wrong secrets are an error for a person, or a finding, after a handful of attempts; and nobody quotes them."""
    assert stage.adapter.secrets, "there are no secrets to be wrong"
    wrong = (
        dict(stage.world.wrong_secrets(stage.sandbox))
        if stage.world.wrong_secrets
        else dict.fromkeys(stage.secrets(), "not-the-right-secret")
    )
    findings, error = _checked(stage, stage.connection(secrets=wrong))
    if error is None:
        assert any(f.state == "wrong" for f in findings), "nobody minds the wrong secrets"
        said = [f"{f.what.en} {f.what.zh} {f.fix}" for f in findings]
    else:
        assert isinstance(error, ConfigError), f"{type(error).__name__}: trying again makes no sense"
        said = [error.user.en, error.user.zh, error.log]
        assert speaks_both(error.user), error.user
    assert 1 <= len(stage.heard) <= 6, f"{len(stage.heard)} calls with the wrong secrets: some products lock one out"
    for secret in wrong.values():
        assert not any(secret in text for text in said), "the message repeats the secret"


def connect_nobody(stage: Stage, _: str = "") -> None:
    """Where nobody listens, the error is one of ours, and says whom we wanted to reach."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    assert stage.adapter.secrets or stage.adapter.limits, "nothing is reached over a network"
    findings, error = _checked(stage, stage.connection(url=url))
    wrong = [f.what.en for f in findings if f.state == "wrong"] if error is None else [error.user.en]
    assert wrong, "nobody is there, and the check is content"
    assert any("127.0.0.1" in text or "conformance" in text for text in wrong), wrong


def provision(stage: Stage, _: str = "") -> None:
    """A dry run makes nothing, the real one makes what is needed, and once more there is nothing to do."""
    assert stage.adapter.provision is not None, "the adapter provisions nothing"
    needs = stage.needs()
    assert needs, "the mapping needs no fields"
    client = stage.client()
    dry = list(stage.adapter.provision(client, needs, True))
    _well_said(dry)
    assert not stage.write_calls(), "a dry run has written something"
    assert any(f.state in ("would", "todo") for f in dry), "in a new system everything is there already"
    made = list(stage.adapter.provision(client, needs, False))
    _well_said(made)
    calls = len(stage.write_calls())
    assert calls, "nothing was made"
    assert {"made"} <= {f.state for f in made}
    again = list(stage.adapter.provision(stage.client(), needs, False))
    assert len(stage.write_calls()) == calls, "it made something again"
    assert not [f for f in again if f.state in ("made", "would", "wrong")], again
