"""A receiver with the published Python library of Standard Webhooks: it takes what a running server sends for genuine."""

import http.server
import json
import os
import queue
import threading
import urllib.request

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

BASE, KEY = os.environ["base"], os.environ["test_key"]
ARRIVED = queue.Queue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        ARRIVED.put((body, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def api(method, path, body=None):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    request = urllib.request.Request(BASE + path, json.dumps(body or {}).encode(), headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def refused(secret, body, headers):
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return True
    return False


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
made = api("POST", "/v1/webhooks", {"url": f"http://127.0.0.1:{server.server_port}/", "events": ["webhook.test"]})
old = made["signing_secret"]
new = api("POST", f"/v1/webhooks/{made['id']}/rotate-secret")["signing_secret"]
api("POST", f"/v1/webhooks/{made['id']}/test")
body, headers = ARRIVED.get(timeout=20)
for secret in (old, new):
    assert Webhook(secret).verify(body, headers)["type"] == "webhook.test"
    assert refused(secret, body + b" ", headers)
    assert refused(secret, body, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)})
assert refused("whsec_" + "A" * 43 + "=", body, headers)
assert api("POST", f"/v1/webhooks/{made['id']}/disable")["status"] == "disabled"
print("the published library takes a delivery for genuine with either secret, and nothing else")
