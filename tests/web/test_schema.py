"""The OpenAPI document is true: whatever it allows is asked with a signed-in caller, and each answer is of its schema.

Asked are all operations, with made-up values and with orders and customers that there are; 5xx and undocumented answers fail.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connector.config_people import PersonSettings
from connector.model import Customer
from connector.web.app import make
from connector.web.front import Front
from tests.jobs.shop import Shop
from tests.web.conftest import Made, bearer
from tests.web.listening import listening

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
KNOWN = {
    "order": ("SO1", "books/SO1", "N-2", "SO3", "books/nothing", "SO1/release"),
    "customer": ("C1", "books/C2", "C3", "nobody", "C1/../C2"),
    "number": (1, 2, 99),
}


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """A shop with customers that have limits, held orders and late invoices."""
    rows = [Customer(id=f"C{n}", name=f"客户 {n} <b>&", currency="CNY", owner="u7") for n in (1, 2, 3)]
    shop.customers(*rows, limits={"C1": 1000, "C2": 50_000})
    shop.order("SO1", "C1", 1500, number="N-1")
    shop.order("SO2", "C2", "10.50", number="N-2", owner="u7")
    shop.order("SO3", "C3", 900)
    shop.invoice("INV1", "C1", 700, shop.today.replace(month=9))
    shop.run()
    return shop


def asked(busy: Shop, key: Made, examples: int) -> dict[str, Counter[int]]:
    """Asks every operation so often; gives how often each answered with which status."""
    everything = PersonSettings(id="anna", roles=("sales", "credit_controller", "approver", "admin", "auditor"))
    config = busy.config.model_copy(update={"people": (*busy.config.people, everything)})
    app = make(Front(busy.store, config, busy.clock))
    headers = bearer(key("anna"))
    found: dict[str, Counter[int]] = {}
    with listening(app) as url, requests.Session() as session:
        for amount in ("200", "100"):
            body = {"customer": "C2", "amount": amount, "why": "smaller"}
            asking = session.post(f"{url}/api/v1/limits", json=body, headers=bearer(key("wang.fang")))
            assert asking.status_code == 200, asking.text
        schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", headers=headers)
        for operation in [one.ok() for one in schema.get_all_operations()]:
            assert operation.path.startswith(("/api/v1/", "/healthz", "/readyz", "/hooks/"))
            found[operation.label] = _ask(url, session, headers, operation, examples)
    return found


def _ask(url: str, session: requests.Session, headers: dict[str, str], operation: Any, examples: int) -> Counter[int]:
    statuses: Counter[int] = Counter()

    # Three times of four things that there are, else whatever the document allows.
    @seed(20261123)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), which=st.integers(0, 71))
    def one(case: Any, which: int) -> None:
        if which % 4:
            known = {name: values[which // 4 % len(values)] for name, values in KNOWN.items()}
            there = {name: known[name] for name in case.path_parameters if name in known}
            case.path_parameters = {**case.path_parameters, **there}
            if isinstance(case.body, dict) and "customer" in case.body:
                case.body = {**case.body, "customer": known["customer"]}
        response = case.call(base_url=url, session=session, headers=headers)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    one()
    return statuses


def test_every_answer_is_of_its_schema(busy: Shop, key: Made) -> None:
    found = asked(busy, key, 8)
    assert len(found) > 25
    # That they answer at all, and not only that there is no such order, is part of it.
    assert sum(1 for statuses in found.values() if statuses[200]) > 16, found


@pytest.mark.slow
def test_every_answer_is_of_its_schema_asked_long(busy: Shop, key: Made) -> None:
    found = asked(busy, key, 300)
    assert sum(1 for statuses in found.values() if statuses[200]) > 22, found
