"""Goal P13: the panel of one customer, from a used code to the bytes of the page, at the size of the whole book."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

from connector.cli.bench_row import Different, Row
from connector.cli.bench_scene import SYSTEM, Scene
from connector.config import Config
from connector.text import Text

_VIEWS = 200
_LIMIT_MS = 100
_REFERENCE = "env:HOLDFAST_BENCH_PANEL"  # never asked for: the views begin with a code


def views(scene: Scene) -> Row:
    """P13: made, told in the audit trail, and rendered; the slowest in twenty, drawn as orders are."""
    from connector.web.front import Front
    from connector.web.pages import Pages
    from jobs import panel_launch
    from jobs.panel import Viewer, panel

    drawn = dict.fromkeys(one.customer_id for one in scene.book.changed(_VIEWS, -1))
    refs = Random(scene.book.seed).sample(sorted(drawn), min(_VIEWS, len(drawn)))  # noqa: S311
    (system,) = scene.config.systems
    shown = system.model_dump() | {"panel": {"secret": _REFERENCE}}
    config = Config.model_validate({"systems": [shown], "people": [{"id": "bench", "roles": ["credit_controller"]}]})
    front = Front(scene.store, config, scene.clock)
    try:
        pages, policy = Pages(front), front.policy()
        viewer = Viewer("person:bench", config.people[0].person, figures=True, asks=True)
        look = panel_launch.Look(SYSTEM, "customer", "customer", "", "", "bench")
        spent: list[float] = []
        largest = 0
        for ref in refs:
            made = panel_launch.launch(scene.store, scene.clock, replace(look, record=ref))
            server, own = scene.places.server_seconds(), time.process_time()
            found = panel_launch.redeem(scene.store, scene.clock, config.systems[0], made.code)
            if found is None or found[0].record != ref:
                raise Different("P13", ref)
            panel_launch.seen(scene.store, scene.clock, found[0], viewer.actor, "figures")
            with scene.store.reading() as tx:
                one = panel(tx, config, policy, scene.clock, found[0], viewer)
            body = pages.framed(
                "zh", "panel/panel.html", panel=one, viewer=viewer, session=found[1], once="bench", done=None,
                given={}, theme="auto", here=f"/panel/{SYSTEM}",
            )  # fmt: skip
            spent.append(time.process_time() - own + scene.places.server_seconds() - server)
            largest = max(largest, len(body.encode()))
            if one.figures is None:
                raise Different("P13", ref)
    finally:
        front.close()
    spent.sort()
    middle, slow = spent[len(spent) // 2] * 1000, spent[len(spent) * 95 // 100] * 1000
    return Row(
        "P13",
        Text("the panel of a customer in a CRM, p95", "CRM 中一个客户的信用面板，p95"),
        _LIMIT_MS,
        unit="ms",
        ours=slow,
        figure=slow,
        why=Text(
            f"{len(spent)} customers; p50 {middle:.1f} ms; the largest page {largest / 1000:.0f} kB",
            f"{len(spent)} 个客户；p50 {middle:.1f} 毫秒；最大页面 {largest / 1000:.0f} kB",
        ),
    )
