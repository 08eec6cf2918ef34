"""The application: all routes of the service on one front. `make(front)` gives what a server or a test client runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from connector.store.backlog import Backlog, backlog
from connector.web import (
    admin,
    admin_connect,
    admin_first,
    admin_links,
    admin_mappings,
    admin_systems,
    api_check,
    api_customers,
    api_limits,
    api_orders,
    api_state,
    desk,
    desk_limit_new,
    desk_limits,
    desk_orders,
    desk_portfolio,
    desk_simulator,
    documents,
    health,
    hooks,
    panel,
    sign_in,
    sign_in_issuer,
)
from connector.web.auth import SignIn
from connector.web.calculating import Calculating
from connector.web.checks import Checks
from connector.web.front import Front
from connector.web.guards import Guarded
from connector.web.pages import Pages
from connector.web.problem import install
from connector.web.quick import Quick

API = "/api/v1"

# Each gives its routes for a front; addresses below /api/v1 are relative to it.
_API: tuple[Callable[[Front], APIRouter], ...] = (
    api_check.router,
    api_orders.router,
    api_customers.router,
    api_limits.router,
    api_state.router,
)
_PLAIN: tuple[Callable[[Front], APIRouter], ...] = (health.router, documents.router, hooks.router)
# Pages for people; none is part of the API's document.
_PAGES: tuple[Callable[[Front], APIRouter], ...] = (
    sign_in.router,
    sign_in_issuer.router,
    panel.router,
    desk.router,
    desk_orders.router,
    desk_portfolio.router,
    desk_simulator.router,
    desk_limits.router,
    desk_limit_new.router,
    admin_links.router,
    admin_mappings.router,
    admin_systems.router,
    admin_connect.router,
    admin_first.router,
    admin.router,
)


def make(front: Front) -> FastAPI:
    """The application. Its own documents and pages never load anything from elsewhere."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        beside = [asyncio.create_task(one()) for one in front.beside]
        yield
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await app.state.sign_in.end()
        app.state.calculating.end()
        front.close()

    app = FastAPI(
        title="Holdfast",
        version="1",
        summary="Credit checks and credit holds on orders.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    app.state.front, app.state.sign_in, app.state.pages = front, SignIn(front), Pages(front)
    front.early.append(app.state.pages.ready)
    app.state.calculating = Calculating(front)
    install(app)
    app.state.checks = Checks(front)
    app.state.quick = Quick(app, API + api_check.PATH)
    for api in _API:
        app.include_router(api(front), prefix=API)
    for plain in (*_PLAIN, *_PAGES):
        app.include_router(plain(front))

    documents.describe(app)

    def waiting() -> Backlog:
        with front.store.reading() as tx:
            return backlog(tx)

    front.metrics.watch(waiting, front.clock.now)
    app.add_middleware(Guarded, front=front)
    return app
