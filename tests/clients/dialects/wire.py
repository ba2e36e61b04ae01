"""Requests over HTTP, and a tally of the operations that were called."""

import base64
import http.client
import json
import time
import urllib.parse
import urllib.request

from shapes import Fault, check


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data
        self.json = json.loads(data) if data and "json" in headers.get("content-type", "") else None


class Wire:
    """One server; the operations of each dialect that it documents, and those that were called with success."""

    def __init__(self, base):
        self.address = urllib.parse.urlsplit(base).netloc
        self.documents, self.called = {}, set()

    def document(self, dialect):
        if dialect not in self.documents:
            self.documents[dialect] = self.send("GET", f"/openapi/{dialect}.json", {}, None).json
        return self.documents[dialect]

    def send(self, method, path, headers, body):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def left_out(self, dialect):
        """The documented operations of a dialect that nobody called."""
        paths = self.document(dialect)["paths"]
        every = {(dialect, method, path) for path, methods in paths.items() for method in methods}
        return sorted(every - self.called)

    def note(self, dialect, method, path):
        def fits(template):
            wanted, given = template.split("/"), path.split("?")[0].split("/")
            return len(wanted) == len(given) and all(a == b or a.startswith("{") for a, b in zip(wanted, given))
        templates = [template for template, methods in self.document(dialect)["paths"].items() if fits(template) and method.lower() in methods]
        if not templates:
            raise Fault(f"{method} {path} is not documented")
        self.called.add((dialect, method.lower(), min(templates, key=lambda template: template.count("{"))))


class Dialect:
    """Requests of one dialect with one credential."""

    def __init__(self, wire, name, prefix, headers):
        self.wire, self.name, self.prefix, self.headers = wire, name, prefix, headers

    def call(self, method, path, body=None, wants=None, status=200, content_type="application/json", raw=None):
        """Sends a request and checks status and body; `wants` none means that no body may come."""
        headers = dict(self.headers)
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        if data is not None:
            headers["Content-Type"] = content_type
        answer = self.wire.send(method, self.prefix + path, headers, data)
        for _ in range(10):
            if answer.status != 429 or status == 429:
                break
            time.sleep(int(answer.headers["retry-after"]))  # as every dialect's documentation asks of its clients
            answer = self.wire.send(method, self.prefix + path, headers, data)
        where = f"{self.name} {method} {path}"
        if answer.status != status:
            raise Fault(f"{where}: {answer.status} and not {status}: {answer.data[:2000]!r}")
        if not answer.headers.get("x-request-id", "").startswith("req_"):
            raise Fault(f"{where}: no request id")
        try:
            if wants is None:
                check(b"", answer.data)
            elif isinstance(wants, bytes):
                check(wants, answer.data)
            else:
                check("application/json", answer.headers.get("content-type"))
                check(wants, answer.json)
        except Fault as fault:
            raise Fault(f"{where}: {fault}") from None
        if answer.status < 300:
            self.wire.note(self.name, method, path)
        return answer.json

    def eventually(self, method, path, wants, patience=20):
        """Asks again while something else is still under way (409)."""
        end = time.monotonic() + patience
        while True:
            try:
                return self.call(method, path, {}, wants)
            except Fault as fault:
                if ": 409 and not 200" not in str(fault) or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def refuses(self, method, path, wants, status, body=None, **more):
        return self.call(method, path, body, wants, status, **more)


def challenged(base, path, user, password):
    """As a client that shows no credential until it is asked for one, which only a challenge makes it do."""
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, base, user, password)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    # Headers as an official client of one dialect sends them: an encoding that is none, and a content type that is empty.
    request = urllib.request.Request(base + path, headers={"AcceptEncoding": "utf-8", "Accept-Encoding": "utf-8", "Content-Type": ""})
    with opener.open(request, timeout=60) as answer:
        return answer.status


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
