"""Asks Holdfast for one look at the credit panel. Standard library only; runs on your server, never in a browser.

    HOLDFAST_PANEL_SECRET=…  python launch.py  customer  C-1001  anna@example.com

prints the address for the frame. It is good once, for 90 seconds: ask anew for every page you show. Take the user from
your own session, never from the page: what is signed here is believed there.
"""

import hashlib
import hmac
import json
import os
import secrets
import sys
import time
import urllib.request

LAUNCH = os.environ.get("HOLDFAST_LAUNCH", "«launch»")


def launch(object_name, record_id, user, language=None):
    """The address of the panel for this user and this record ("customer" or "order", its id in the system)."""
    told = {"object": object_name, "record_id": record_id, "crm_user": user, "nonce": secrets.token_hex(8)}
    if language:
        told["language"] = language
    body = json.dumps(told).encode()  # what is signed is exactly what is sent
    stamp = str(int(time.time()))
    secret = os.environ["HOLDFAST_PANEL_SECRET"].encode()
    signature = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", "X-Holdfast-Signature": f"t={stamp},v1={signature}"}
    asked = urllib.request.Request(LAUNCH, data=body, headers=headers, method="POST")
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.load(answer)["url"]


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    print(launch(*sys.argv[1:4]))
