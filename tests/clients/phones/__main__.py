"""Telephones call each other through the server, and what each of them hears is measured."""

import os
import sys
import time

import api
import tones
from phone import Phone

CALLER, CALLEE = 440, 700  # hertz
OUTSIDE = "+12125550101"  # a number that the demonstration's trunk carries calls to


def line(user, register=None, password=None):
    """A line of baresip's file of accounts; `register` is where it registers, with a transport where that is another than UDP."""
    if register is None:
        return f"<sip:{user}@127.0.0.1>;regint=0;audio_codecs=PCMU"
    return f"<sip:{user}@{register}>;auth_user={user};auth_pass={password};regint=60;audio_codecs=PCMU"


def caller(**more):
    return Phone("caller", line("+14155550177"), tone=CALLER, **more)


def callee():
    return Phone("callee", line(OUTSIDE), tone=CALLEE, sip=5090)


def hear_each_other(first, second, spoken=(CALLER, CALLEE)):
    """Each hears the other's tone, as loud as it was spoken, for two seconds at least."""
    ours, theirs = spoken
    heard = lambda: tones.stretches(second.heard(), ours) >= 2 and tones.stretches(first.heard(), theirs) >= 2
    api.until("both hear each other", heard)
    for phone, hertz in [(second, ours), (first, theirs)]:
        level = tones.loudest(phone.heard(), hertz)
        assert abs(level - tones.LEVEL) < tones.LEVEL * 0.05, f"{phone.name} hears {level:.0f} of {tones.LEVEL}"


def forwarded(number):
    """A call to a number goes to its forward target, with sound both ways; it is paid, told of and explained."""
    before = api.purse()
    with caller() as one, callee() as other:
        one.dial(f"sip:{number}@{os.environ['sip']}")
        other.answer()
        one.expect("CALL_ESTABLISHED")
        hear_each_other(one, other)
        one.hang_up()
        other.expect("CALL_CLOSED")
    record = api.last_call(number)
    assert (record["status"], record["from"], record["completion_reason"]) == ("completed", "+14155550177", "normal"), record
    assert record["duration"] >= 2 and record["cost"] > 0, record
    expected = ["call.initiated", "call.ringing", "call.answered", "call.completed"]
    assert api.kinds(record["call_id"]) == expected, api.kinds(record["call_id"])
    after = api.purse()
    assert abs(before[0] - after[0] - record["cost"]) < 1e-9 and after[1] == before[1], (before, after, record)
    explained = api.call("GET", f"/v1/calls/{record['call_id']}/explain")["data"]
    assert [one["decision"] for one in explained] == ["route", "charge"], explained


def hung_up_by_the_callee(number):
    with caller() as one, callee() as other:
        one.dial(f"sip:{number}@{os.environ['sip']}")
        other.answer()
        one.expect("CALL_ESTABLISHED")
        other.hang_up()
        one.expect("CALL_CLOSED")
    assert api.last_call(number)["completion_reason"] == "normal"


def given_up(number):
    """The caller hangs up while it rings: the other telephone stops, and nothing is charged."""
    before = api.purse()
    with caller() as one, callee() as other:
        one.dial(f"sip:{number}@{os.environ['sip']}")
        other.expect("CALL_INCOMING")
        one.expect("CALL_RINGING")
        one.hang_up()
        other.expect("CALL_CLOSED")
    record = api.last_call(number)
    assert (record["status"], record["completion_reason"], record["cost"]) == ("failed", "canceled", 0), record
    assert api.kinds(record["call_id"])[-1] == "call.failed"
    assert api.purse() == before


def busy(number):
    """Whoever is called declines: the caller is told what was said."""
    with caller() as one, callee() as other:
        one.dial(f"sip:{number}@{os.environ['sip']}")
        other.expect("CALL_INCOMING")
        other.hang_up()
        told = one.expect("CALL_CLOSED")
    assert "486" in told.get("param", ""), told
    assert api.last_call(number)["completion_reason"] == "busy"


def nobody_there(number):
    """Nothing listens where the call goes: that is clear when its request was repeated for half a minute (RFC 3261, timer B)."""
    with caller() as one:
        one.dial(f"sip:{number}@{os.environ['sip']}")
        one.expect("CALL_CLOSED", patience=60)
    assert api.last_call(number)["status"] == "failed"


def nobodys_number(_):
    with caller() as one:
        one.dial(f"sip:+14155550199@{os.environ['sip']}")
        told = one.expect("CALL_CLOSED")
    assert "404" in told.get("param", ""), told


def held(number):
    """While one holds the line the other hears music in place of the tone, and the tone again afterwards."""
    with caller() as one, callee() as other:
        one.dial(f"sip:{number}@{os.environ['sip']}")
        other.answer()
        one.expect("CALL_ESTABLISHED")
        hear_each_other(one, other)
        one.tell("hold")
        music = lambda: tones.silence_free(other.heard()[-8000:]) and tones.stretches(other.heard()[-8000:], CALLER) == 0
        api.until("the other hears music", music)
        one.tell("resume")
        api.until("the tone is back", lambda: tones.stretches(other.heard()[-8000:], CALLER) > 0.8)
        one.hang_up()
        other.expect("CALL_CLOSED")


def devices(number):
    desk(number, os.environ["sip"], "udp")


def devices_over_tcp(number):
    desk(number, os.environ["sip"] + ";transport=tcp", "tcp")


def devices_over_tls(number):
    desk(number, os.environ["sips"] + ";transport=tls", "tls")


def desk(number, server, transport):
    """A device registers, is rung by its number, and calls outside in its turn."""
    device = api.call("POST", "/v1/devices", {"label": "Desk", "caller_id": number})
    api.configure(number, ring={"strategy": "in_turn", "targets": [{"device_id": device["id"], "ring_seconds": 20}]})
    account = line(device["user_name"], server, device["password"])
    with Phone("desk", account, tone=CALLEE) as phone, caller() as one:
        registrations = lambda: api.call("GET", f"/v1/devices/{device['id']}/registrations")["data"]
        listed = api.until("it is registered", registrations)
        assert [held["transport"] for held in listed] == [transport], listed
        one.dial(f"sip:{number}@{os.environ['sip']}")
        phone.answer()
        one.expect("CALL_ESTABLISHED")
        hear_each_other(one, phone)
        one.hang_up()
        phone.expect("CALL_CLOSED")
        assert api.last_call(number)["status"] == "completed"
        with callee() as other:
            phone.dial(f"sip:{OUTSIDE}@{server}")
            other.answer()
            phone.expect("CALL_ESTABLISHED")
            hear_each_other(phone, other, spoken=(CALLEE, CALLEE))
            phone.hang_up()
            other.expect("CALL_CLOSED")
        record = api.last_call(OUTSIDE)
        assert (record["from"], record["call_type"], record["status"]) == (number, "outbound", "completed"), record
    api.configure(number, ring=None)


SCENES = [forwarded, hung_up_by_the_callee, given_up, busy, nobody_there, nobodys_number, held, devices, devices_over_tcp, devices_over_tls]


def main():
    number = api.buy()
    api.configure(number, call_forwarding={"enabled": True, "forward_to": OUTSIDE})
    wanted = sys.argv[1:]
    for scene in SCENES:
        if wanted and scene.__name__ not in wanted:
            continue
        began = time.monotonic()
        scene(number)
        print(f"ok  {scene.__name__}  {time.monotonic() - began:.1f} s", flush=True)


main()
