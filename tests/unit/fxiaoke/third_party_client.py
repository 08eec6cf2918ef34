"""A third party's Fxiaoke client (fxiaoke-python 0.0.3) at work against one address; prints what it got as JSON.

    python third_party_client.py PORT ACCOUNT_ID

It knows the legacy body style only, and its address is fixed: an adapter is mounted that leads it to the loopback.
"""

import json
import sys

from fxiaoke.api import FxiaokeApi
from fxiaoke.baseObj import baseObj
from fxiaoke.op_create import createObj
from fxiaoke.op_get import getObj
from fxiaoke.op_query import queryObj
from requests.adapters import HTTPAdapter

PORT, ACCOUNT = sys.argv[1], sys.argv[2]


class ToLoopback(HTTPAdapter):
    def send(self, request, **options):
        request.url = f"http://127.0.0.1:{PORT}{request.path_url}"
        return super().send(request, **options)


api = FxiaokeApi.init(
    app_id="FSAID_other1", app_secret="other-app-secret", permanent_code="other-code", open_user_id="FSUID_000003E8"
)
api._session.requests.mount("https://open.fxiaoke.com", ToLoopback())

told = {}
accounts = queryObj().query("AccountObj")
told["total"] = accounts.total()
told["accounts"] = [[a["_id"], a["name"], a["owner"]] for a in accounts]
told["filtered"] = [
    a["_id"]
    for a in queryObj().query(
        "AccountObj",
        filters=[{"field_name": "_id", "operator": "GT", "field_values": [ACCOUNT]}],
        orders=[{"fieldName": "_id", "isAsc": True}],
        fieldProjection=["_id"],
        limit=50,
    )
]
told["one"] = getObj().get(ACCOUNT, "AccountObj")["name"]
describing = baseObj()
describing.node_id, describing.endpoint = "object", "describe"
told["label"] = describing.describe("AccountObj")["describe"]["fields"]["name"]["label"]
told["created"] = createObj().create({"name": "第三方客户端新建的客户"}, {}, "AccountObj")["dataId"]
try:
    getObj().get("0" * 24, "AccountObj")
except RuntimeError as wrong:
    told["error"] = str(wrong)
print(json.dumps(told, ensure_ascii=False))
