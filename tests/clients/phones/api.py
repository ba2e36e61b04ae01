"""The server as its users see it: HTTP with nothing but the standard library."""

import json
import os
import time
import urllib.error
import urllib.request

PATIENCE = 20


def call(method, path, body=None, key=None):
    """The answer's body; what is refused is an error with it."""
    request = urllib.request.Request(os.environ["base"] + path, method=method)
    key = key or os.environ["test_key"]
    request.add_header("X-Auth-Token", key)
    request.add_header("Authorization", f"Bearer {key}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refused:
        raise AssertionError(f"{method} {path}: {refused.code} {refused.read().decode()}") from None


def buy():
    """A number that can be called."""
    found = call("GET", "/audian/v2/numbers/search?location=US-CA&features=voice&limit=1")
    number = found["data"]["numbers"][0]["number"]
    call("POST", "/audian/v2/numbers/purchase", {"number": number})
    return number


def configure(number, **config):
    call("PUT", f"/audian/v2/numbers/{number}/config", config)


def purse():
    """What can be spent, and what is set aside."""
    wallet = call("GET", f"/v1/accounts/{os.environ['account']}/environments/test/wallet", key=os.environ["operator_key"])
    return wallet["available"], wallet["held"]


def until(what, ask):
    """Asks until there is an answer."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited in vain until {what}")


def last_call(number):
    """The record of the latest call to a number, once it is over."""

    def over():
        calls = call("GET", "/audian/v2/calls")["calls"]
        ours = [one for one in calls if one["to"] == number]
        return ours and ours[0].get("ended_at") and ours[0]

    return until("the call is over", over)


def kinds(call_id):
    """The names of a call's events, in order."""
    return [event["kind"] for event in call("GET", f"/v1/events/{call_id}")["data"]]
