"""sipp calls through the server, on both sides by scenarios of ours; what came of it is asked of the server afterwards."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "phones"))
import api  # noqa: E402
from phone import free_port  # noqa: E402

SCENARIOS = Path(__file__).resolve().parents[2] / "external" / "sipp"
CALLER = "+14155550177"  # as the scenarios say it
BEYOND = "+1212555020{}"  # numbers of the trunk of each transport
FOLDER = tempfile.TemporaryDirectory(prefix="sipp-")
TALK = ["call.initiated", "call.ringing", "call.answered", "call.completed"]
LOSS = "12"  # of a hundred messages, each way


class Sipp:
    """One sipp with one scenario. It succeeds if each of its calls went as the scenario says."""

    def __init__(self, scenario, *more, calls=1, port=None, transport="u1", patience=60):
        self.scenario, self.patience = scenario, patience
        self.folder = Path(FOLDER.name) / f"{scenario}-{time.monotonic_ns()}"
        self.folder.mkdir()
        (self.folder / "said.ulaw").write_bytes((b"\x10" * 8 + b"\x90" * 8) * 5_000)  # ten seconds, 500 Hz
        self.port = port or free_port()
        arguments = ["sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1",
                     "-mp", str(free_port(2)), "-m", str(calls), "-t", transport, "-nostdin", "-trace_err", "-trace_msg", "-trace_counts",
                     "-timeout", f"{patience}s", "-timeout_error", "-default_behaviors", "all,-bye", *more]
        self.output = (self.folder / "output").open("wb")
        self.process = subprocess.Popen(arguments, cwd=self.folder, stdout=self.output, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def end(self):
        """Waits until it has made or taken all its calls as it should."""
        status = self.process.wait(timeout=self.patience + 10)
        if status != 0:
            told = "".join(path.read_text(errors="replace")[-6000:] for path in sorted(self.folder.glob("*.log")))
            raise AssertionError(f"sipp {self.scenario} ended with {status}:\n{told}")


def caller(scenario, to, *more, **options):
    return Sipp(scenario, "-s", to, *more, server(), **options)


def server():
    return os.environ["sip"]


class Beyond:
    """A trunk to where a sipp takes calls, over a transport."""

    def __init__(self, transport, digit):
        self.transport, self.port, self.number = transport, free_port(), BEYOND.format(digit)
        body = {"name": f"sipp {transport}", "serves": "test", "direction": "outbound", "host": "127.0.0.1", "port": self.port, "transport": transport,
                "routes": [{"prefix": self.number[1:]}], "ping_seconds": None}
        api.call("POST", "/v1/trunks", body, key=os.environ["operator_key"])

    def takes(self, scenario, *more, **options):
        waiting = Sipp(scenario, *more, port=self.port, transport="t1" if self.transport == "tcp" else "u1", **options)
        time.sleep(0.3)  # until it listens: it says so to nobody
        return waiting


def judged(number, status="completed", reason="normal", expected=TALK):
    """The record of the last call says how it went, and so do its events and the wallet."""
    record = api.last_call(number)
    assert (record["status"], record["completion_reason"], record["from"]) == (status, reason, CALLER), record
    kinds = api.kinds(record["call_id"])
    assert kinds == expected, kinds
    assert (record["cost"] > 0) == (status == "completed"), record
    assert api.purse()[1] == 0, "nothing is set aside any more"
    return record


def both(callee, caller):
    """Both sides go as they should; the caller's side tells more where they do not."""
    with callee, caller:
        caller.end()
        callee.end()


def forwarded(number, beyond, _):
    before = api.purse()[0]
    both(beyond.takes("answer"), caller("call", number))
    record = judged(number)
    assert record["duration"] in (2, 3), record
    assert abs(before - api.purse()[0] - record["cost"]) < 1e-9, record


def forwarded_by_tcp(number, _, stream):
    api.configure(number, call_forwarding={"enabled": True, "forward_to": stream.number})
    both(stream.takes("answer"), caller("call", number, transport="t1"))
    judged(number)
    both(stream.takes("answer_and_leave"), caller("call_until_bye", number, transport="t1"))
    judged(number)


def hung_up_by_the_callee(number, beyond, _):
    both(beyond.takes("answer_and_leave"), caller("call_until_bye", number))
    judged(number)


def given_up(number, beyond, _):
    both(beyond.takes("ring_only"), caller("call_given_up", number))
    judged(number, "failed", "canceled", ["call.initiated", "call.ringing", "call.failed"])


def busy(number, beyond, _):
    both(beyond.takes("busy"), caller("call_busy", number))
    judged(number, "failed", "busy", ["call.initiated", "call.failed"])


def not_answered(number, beyond, _):
    """Nobody answers: voicemail takes what the caller says."""
    ring = {"strategy": "in_turn", "targets": [{"number": beyond.number, "ring_seconds": 5}]}
    api.configure(number, call_forwarding={"enabled": False}, ring=ring, voicemail={"enabled": True})
    both(beyond.takes("ring_only"), caller("call_message", number))
    judged(number)
    api.until("the message is kept", lambda: [one for one in api.call("GET", "/v1/voicemails")["data"] if one["status"] == "completed"])
    api.configure(number, ring=None, voicemail={"enabled": False})


def held(number, beyond, _):
    both(beyond.takes("answer"), caller("call_hold", number))
    judged(number)


def transferred(number, beyond, _):
    """The caller has its party go on with somebody else, and leaves."""
    with beyond.takes("answer", calls=2) as callees:
        with caller("call_transfer", number, "-key", "other", beyond.number) as one:
            one.end()
        live = [call for call in api.call("GET", "/audian/v2/calls")["calls"] if call["status"] == "answered"]
        assert len(live) == 1, live
        api.call("POST", f"/audian/v2/calls/{live[0]['call_id']}/hangup", {})
        callees.end()
    judged(number)


def chosen_from_a_menu(number, beyond, _):
    option = {"digit": "1", "destination": beyond.number, "destination_type": "phone_number"}
    menu = {"name": "Main", "prompt": "Press one.", "options": [option], "timeout_seconds": 10}
    menu = api.call("POST", "/audian/v2/ivr-menus", menu)
    rule = {"pattern": "*", "destination": menu["menu_id"], "destination_type": "ivr_menu"}
    flow = api.call("POST", "/audian/v2/call-flows", {"name": "Office", "routing": [rule]})
    api.configure(number, call_flow_id=flow["call_flow_id"])
    both(beyond.takes("answer"), caller("call_menu", number))
    judged(number, expected=["call.initiated", "call.answered", "call.completed"])
    api.configure(number, call_flow_id=None)


def registered(number, _, __):
    """A device registers with its password, no other does, and its number rings it."""
    device = api.call("POST", "/v1/devices", {"label": "Desk", "caller_id": number})
    api.configure(number, ring={"strategy": "in_turn", "targets": [{"device_id": device["id"]}]})
    user, port = device["user_name"], free_port()
    with caller("register_wrong", user, "-au", user, "-ap", "a guess") as guess:
        guess.end()
    # It is told of waiting messages, outside of any call.
    with caller("register", user, "-au", user, "-ap", device["password"], "-oocsn", "ooc_default", port=port) as desk:
        desk.end()
    held = api.call("GET", f"/v1/devices/{device['id']}/registrations")["data"]
    assert len(held) == 1 and f":{port}" in held[0]["contact"], held
    with Sipp("answer", port=port) as desk:
        time.sleep(0.3)
        with caller("call", number) as one:
            one.end()
        desk.end()
    judged(number)
    api.configure(number, ring=None)


def lossy(number, beyond, _):
    """Of the caller's messages and of those to it some get lost: what is repeated does nothing twice."""
    count, before = 20, len(api.call("GET", "/v1/calls?limit=100")["data"])
    lost = ("-lost", LOSS, "-r", "10")
    both(beyond.takes("answer", calls=count, patience=100), caller("call", number, *lost, calls=count, patience=100))

    def over():
        calls = api.call("GET", "/v1/calls?limit=100")["data"][: count]
        return all(call["end"] for call in calls) and calls

    calls = api.until("all calls are over", over)
    assert len(api.call("GET", "/v1/calls?limit=100")["data"]) == before + count
    assert all(call["end"]["reason"] == "normal" for call in calls), calls
    told = [api.kinds(call["id"]) for call in calls]
    assert all(kinds == TALK for kinds in told), told
    assert api.purse()[1] == 0


def at_the_same_moment(number, beyond, _):
    """Both sides offer another session at the same moment."""
    both(beyond.takes("answer_glare"), caller("call_glare", number))
    judged(number)


SCENES = [forwarded, forwarded_by_tcp, hung_up_by_the_callee, given_up, busy, not_answered, held, transferred, chosen_from_a_menu,
          registered, lossy, at_the_same_moment]


def main():
    number, beyond, stream = api.buy(), Beyond("udp", 1), Beyond("tcp", 2)
    wanted = sys.argv[1:]
    for scene in SCENES:
        if wanted and scene.__name__ not in wanted:
            continue
        api.configure(number, call_forwarding={"enabled": True, "forward_to": beyond.number})
        began = time.monotonic()
        scene(number, beyond, stream)
        print(f"ok  {scene.__name__}  {time.monotonic() - began:.1f} s", flush=True)
    day = api.call("GET", "/v1/clock")["now"][:10]
    books = api.call("GET", f"/v1/reconciliation/{day}")
    assert books["agrees"] and not books["live"] and not books["held"], books


main()
