"""CRM pages in Chromium without a network: each host is a folder in memory, every other address is refused and remembered.

`Zoho` and `Fxiaoke` are stand-ins of the two vendors' pages, made by their documents: the page that frames a widget, and
the little of their script libraries that our plugins call.
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

SDK = "https://live.zwidgets.com/js-sdk/1.5/ZohoEmbededAppSDK.min.js"


class Stage:
    """A browser page, and what it asked for: `asked` are addresses that nobody serves, `said` what the console said.

    Whatever begins with one of `open` goes to a server that really runs (our own service).
    """

    def __init__(self, page: Any, hosts: Mapping[str, Mapping[str, bytes]], open_: tuple[str, ...]) -> None:
        self.page = page
        self.hosts = hosts
        self.open = open_
        self.asked: list[str] = []
        self.said: list[str] = []
        page.on("console", lambda m: self.said.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.said.append(str(e)))
        page.context.route("**/*", self._serve)

    def _serve(self, route: Any) -> None:
        url = route.request.url
        if self.open and url.startswith(self.open):
            route.continue_()
            return
        parts = urlsplit(url)
        body = self.hosts.get(f"{parts.scheme}://{parts.netloc}", {}).get(parts.path.lstrip("/"))
        if body is None:
            self.asked.append(url)
            route.abort()
            return
        kind = mimetypes.guess_type(parts.path)[0] or "text/html"
        route.fulfill(status=200, body=body, content_type=f"{kind}; charset=utf-8")


@contextmanager
def staged(
    chromium: Any,
    hosts: Mapping[str, Mapping[str, bytes]],
    *,
    width: int = 900,
    dark: bool = False,
    open_: tuple[str, ...] = (),
) -> Iterator[Stage]:
    """A page of a browser of its own that knows these hosts only."""
    context = chromium.new_context(
        viewport={"width": width, "height": 760},
        color_scheme="dark" if dark else "light",
        locale="en-GB",
        reduced_motion="reduce",
    )
    try:
        page = context.new_page()
        page.set_default_timeout(20_000)
        yield Stage(page, hosts, open_)
    finally:
        context.close()


# --- Zoho ---------------------------------------------------------------------------------------------------------------
# What the widget calls of the SDK 1.5, answering as its documents say: promises, `data` in a list, `details.output` a text.
ZOHO_SDK = """
(function () {
  var world = %s, calls = (window.calls = []), heard = null;
  function answer(value) { return new Promise(function (done) { setTimeout(done, 5, value); }); }
  function refuse(value) { return new Promise(function (_, no) { setTimeout(no, 5, value); }); }
  window.ZOHO = {
    embeddedApp: {
      on: function (name, then) { if (name === "PageLoad") heard = then; },
      init: function () { return answer().then(function () { heard(world.context); }); }
    },
    CRM: {
      API: {
        getRecord: function (asked) {
          calls.push(["getRecord", asked]);
          var found = (world.records[asked.Entity] || {})[asked.RecordID];
          return found ? answer({ data: [found] }) : refuse({ code: "NO_PERMISSION", status: "error" });
        }
      },
      CONFIG: {
        getCurrentUser: function () { return answer({ users: [world.user] }); },
        getUserPreference: function () { return answer({ theme: world.theme }); }
      },
      FUNCTIONS: {
        execute: function (name, told) {
          calls.push(["execute", name, JSON.parse(told.arguments)]);
          return answer({ code: "success", details: { output: world.launch } });
        }
      },
      UI: {
        Resize: function (size) { calls.push(["Resize", size]); return answer(); },
        Popup: { close: function () { calls.push(["close"]); return answer(); } }
      }
    }
  };
})();
"""

ZOHO_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Zoho CRM</title><style>
body { margin: 0; font: 14px system-ui, "Noto Sans CJK SC", sans-serif; background: #f4f5f9; color: #313949; }
header { background: #313949; color: #fff; padding: 10px 16px; font-weight: 600; }
h1 { font-size: 17px; margin: 16px; } .list { margin: 16px; background: #fff; border: 1px solid #dfe3ec; border-radius: 4px; }
.list h2 { margin: 0; padding: 12px 16px; font-size: 14px; border-bottom: 1px solid #dfe3ec; }
iframe { display: block; width: 100%%; height: 470px; border: 0; }
.night body { background: #1d222d; color: #d9dfec; } .night .list { background: #262c39; border-color: #39414f; }
.night .list h2 { border-color: #39414f; }
</style></head><body><header>CRM · %(module)s</header><h1>%(name)s</h1>
<div class="list"><h2>Credit · 信用</h2><iframe id="widget" title="Credit" src="https://widgets.zoho.example/app/%(place)s.html"></iframe></div>
</body></html>"""


def zoho(
    built: Mapping[str, bytes],
    records: Mapping[str, Mapping[str, Any]],
    entity: str,
    ids: Any,
    *,
    language: str = "en_GB",
    theme: str = "Day",
    launch: str = "{}",
    place: str = "related",
    hosts: Mapping[str, Mapping[str, bytes]] | None = None,
) -> dict[str, Mapping[str, bytes]]:
    """The hosts of a Zoho organisation that shows our widget in a record's related lists (or in a button's window)."""
    world = {
        "context": {"Entity": entity, "EntityId": ids},
        "records": records,
        "user": {"language": language, "email": "anna@example.com"},
        "theme": theme,
        "launch": launch,
    }
    page = ZOHO_PAGE % {"module": entity, "name": "Bright Metals Ltd", "place": place}
    if theme == "Night":
        page = page.replace('<html lang="en">', '<html lang="en" class="night">')
    parts = urlsplit(SDK)
    return {
        "https://crm.zoho.example": {"": page.encode()},
        "https://widgets.zoho.example": dict(built),
        f"{parts.scheme}://{parts.netloc}": {parts.path.lstrip("/"): (ZOHO_SDK % json.dumps(world)).encode()},
        **(hosts or {}),
    }


# --- Fxiaoke ------------------------------------------------------------------------------------------------------------
# The page of a record with our component on its layout. FxUI is the only global a component may use; its calls answer as in
# the vendor's samples: a promise of the record, and `Value.functionResult` of a controller function.
FXIAOKE_PAGE = """<!DOCTYPE html><html lang="%(language)s"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>纷享销客</title>
<link rel="stylesheet" href="/page.css"><link rel="stylesheet" href="/component.css"></head>
<body><nav>CRM · %(title)s</nav><main><h1>%(name)s</h1><section><h2>Holdfast</h2><div id="here"></div></section></main>
<script src="/world.js"></script><script type="module" src="/page.js"></script></body></html>"""

FXIAOKE_CSS = """body { margin: 0; font: 14px system-ui, "Noto Sans CJK SC", sans-serif; background: #f2f4fb; color: #181c25; }
nav { background: #fff; border-bottom: 1px solid #e1e4ea; padding: 10px 16px; color: #a34a00; font-weight: 600; }
main { padding: 16px; } h1 { font-size: 17px; margin: 0 0 12px; }
section { background: #fff; border-radius: 6px; } h2 { font-size: 14px; margin: 0; padding: 12px; border-bottom: 1px solid #e1e4ea; }
"""

FXIAOKE_WORLD = """
var world = %s; window.calls = [];
window.FxUI = {
  objectApi: { fetch_data: function (object, id) {
    calls.push(["fetch_data", object, id]);
    var found = (world.records[object] || {})[id];
    return found ? Promise.resolve(found) : Promise.reject(new Error("no right"));
  } },
  userDefine: { call_controller: function (name, params) {
    calls.push(["call_controller", name, params]);
    return Promise.resolve({ Result: { StatusCode: 0 }, Value: { functionResult: world.launch } });
  } }
};
"""

FXIAOKE_SCRIPT = """
import Vue from "/vue.js";
import component from "/credit_panel/credit_panel.js";
Vue.config.productionTip = false;
Vue.config.devtools = false;
// On a detail layout the platform gives a component the record by $context.
Vue.prototype.$context = { getData: function () { return window.world.here; } };
new Vue({ render: function (h) { return h(component); } }).$mount("#here");
"""


def fxiaoke(
    compiled: Mapping[str, Any],
    built: Mapping[str, bytes],
    vue: bytes,
    records: Mapping[str, Mapping[str, Any]],
    entity: str,
    record: str,
    *,
    language: str = "zh-CN",
    launch: str = "{}",
    hosts: Mapping[str, Mapping[str, bytes]] | None = None,
) -> dict[str, Mapping[str, bytes]]:
    """The hosts of a tenant that shows our component on a record's page."""
    here = {"_id": record, "object_describe_api_name": entity}
    world = {"records": records, "launch": launch, "here": here}
    page = FXIAOKE_PAGE % {"language": language, "title": entity, "name": "长风五金制品有限公司"}
    return {
        "https://www.fxiaoke.example": {
            "": page.encode(),
            "page.css": FXIAOKE_CSS.encode(),
            "component.css": str(compiled["style"]).encode(),
            "world.js": (FXIAOKE_WORLD % json.dumps(world)).encode(),
            "page.js": FXIAOKE_SCRIPT.encode(),
            "vue.js": vue,
            "credit_panel/credit_panel.js": str(compiled["module"]).encode(),
            **{path: body for path, body in built.items() if path.endswith(".js")},
        },
        **(hosts or {}),
    }


# --- any other: our own page around a frame ----------------------------------------------------------------------------------
def generic(snippet: str, address: str) -> dict[str, Mapping[str, bytes]]:
    """The hosts of a system of somebody's own that frames the panel by our snippet."""
    page = f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Own CRM</title></head><body><h1>Customer C-1001</h1>{snippet.replace("THE_ADDRESS_FROM_LAUNCH", address)}</body></html>'
    return {"https://crm.own.example": {"": page.encode()}}
