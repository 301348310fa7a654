# SPDX-License-Identifier: BSD-2-Clause
"""A receiver on loopback that holds its callers to Standard Webhooks: an event without a
valid signature is a 401, an id is taken once, what is sent twice must be the same."""
import base64
import hashlib
import hmac
import json
import time

from . import web


class Fake:
    def __init__(self, secret, port=0):
        self.key = base64.b64decode(secret.removeprefix("whsec_"))
        self.events = {}    # id: body
        self.requests = []  # ids
        self.signed = []    # (headers, body) as they came, for an outside judge
        self.faults = []
        self.plans = []     # next answers: (status, headers, body), or "lose"
        fake = self

        class Handler(web.Handler):
            def do_POST(self):  # noqa: N802
                fake._post(self)

            def do_GET(self):  # noqa: N802
                fake.faults.append(f"GET {self.path}")
                self.send_error(404)
            do_PUT = do_DELETE = do_PATCH = do_GET

        self.server = web.Server(Handler, port)
        self.port = self.server.server_port
        self.url = f"{self.server.url}/hooks/tickets"

    def _fault_of(self, h, body):
        head = h.headers
        if h.path != "/hooks/tickets":
            return 404, f"path {h.path}"
        if head.get("content-type") != "application/json" or not head.get("user-agent"):
            return 415, "content-type or user-agent"
        given = head.get("webhook-id") or ""
        stamp = head.get("webhook-timestamp") or ""
        if not given or "." in given:
            return 400, "webhook-id"
        if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
            return 400, "webhook-timestamp"
        mac = hmac.new(self.key, f"{given}.{stamp}.".encode() + body, hashlib.sha256).digest()
        wanted = "v1," + base64.b64encode(mac).decode()
        if wanted not in (head.get("webhook-signature") or "").split(" "):
            return 401, "webhook-signature"
        event = json.loads(body)
        if not isinstance(event.get("type"), str) or not isinstance(event.get("data"), dict):
            return 422, "no event"
        if self.events.get(given, event) != event:
            return 409, "another event of the same id"
        return 0, None

    def _post(self, h):
        body = h.rfile.read(int(h.headers["content-length"]))
        status, fault = self._fault_of(h, body)
        given = h.headers.get("webhook-id")
        self.signed.append(({k.lower(): v for k, v in h.headers.items()}, body.decode()))
        plan = self.plans.pop(0) if self.plans else None
        if fault:
            self.faults.append(fault)
            plan = (status, {}, json.dumps({"error": fault}))
        elif plan is None or plan == "lose":
            self.events[given] = json.loads(body)
        self.requests.append(given)
        if plan == "lose":
            h.close_connection = True
            return
        status, headers, text = plan or (200, {}, json.dumps(
            {"id": f"T{1 + list(self.events).index(given)}", "number": "7"}))
        data = text.encode()
        h.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            h.send_header(name, value)
        h.send_header("Content-Length", str(len(data)))
        h.end_headers()
        h.wfile.write(data)

    def stop(self):
        self.server.stop()
