"""The console's pages of what goes on: policy, runs, problems, outbox, people, health, audit trail; as one router."""

from __future__ import annotations

from fastapi import APIRouter

from connector.web import (
    admin_audit,
    admin_health,
    admin_outbox,
    admin_people,
    admin_policy,
    admin_problems,
    admin_runs,
)
from connector.web.front import Front

_ALL = (admin_policy, admin_runs, admin_problems, admin_outbox, admin_people, admin_health, admin_audit)


def router(front: Front) -> APIRouter:
    """All of them."""
    routes = APIRouter(include_in_schema=False)
    for one in _ALL:
        routes.include_router(one.router(front))
    return routes
