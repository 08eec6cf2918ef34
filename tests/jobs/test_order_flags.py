"""What of a hold's reasons is worth a call: a system is not told again what the day alone, or a sister company, has moved."""

from __future__ import annotations

import pytest

from connector.clock import FixedClock
from connector.config import Config
from connector.connect import Connected, connect
from connector.credit.reason import Reason
from connector.text import same
from jobs.order_flags import state
from tests.jobs.ledger import START


@pytest.fixture
def crm(monkeypatch: pytest.MonkeyPatch) -> Connected:
    for name in ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"):
        monkeypatch.setenv(f"HOLDFAST_{name}", "x")
    secrets = {n: f"env:HOLDFAST_{n.upper()}" for n in ("client_id", "client_secret", "refresh_token")}
    settings = {"accounts_url": "https://crm.test", "api_url": "https://crm.test"}
    system = {"name": "crm", "adapter": "zoho_crm", "roles": ["crm"], "settings": settings, "secrets": secrets}
    return connect(Config.model_validate({"systems": [system]}), "crm", FixedClock(START))


def digest(crm: Connected, rule: str, **numbers: str) -> str:
    said = {"hold": True, "hold_reason": f"{rule} {numbers}"}
    return state(crm, "hold", "7", 1, said, [Reason(rule, same("held"), numbers)]).digest


def test_days_overdue_are_no_news(crm: Connected) -> None:
    assert digest(crm, "oldest_overdue", days="41") == digest(crm, "oldest_overdue", days="42")
    assert digest(crm, "oldest_overdue", days="41") != digest(crm, "status", days="41")


def test_an_exposure_of_its_own_is_news_to_the_cent(crm: Connected) -> None:
    numbers = {"limit": "43065.00"}
    one, other = (digest(crm, "limit_exceeded", exposure=e, **numbers) for e in ("96969.23", "96969.24"))
    assert one != other


@pytest.mark.parametrize(
    ("exposure", "limit", "news"),
    [
        ("98397.81", "43065.00", False),  # 22.5 and 22.8 tenths of the limit
        ("101500.00", "43065.00", True),
        ("96969.23", "50000.00", True),
    ],
)
def test_a_groups_exposure_is_news_by_tenths_of_its_limit(
    crm: Connected, exposure: str, limit: str, news: bool
) -> None:
    before = digest(crm, "group_limit_exceeded", exposure="96969.23", limit="43065.00", group="G1")
    after = digest(crm, "group_limit_exceeded", exposure=exposure, limit=limit, group="G1")
    assert (after != before) is news


def test_of_a_group_without_credit_every_exposure_is_news(crm: Connected) -> None:
    one, other = (digest(crm, "group_limit_exceeded", exposure=e, limit="0.00") for e in ("10.00", "11.00"))
    assert one != other
