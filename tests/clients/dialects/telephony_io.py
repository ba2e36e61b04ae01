"""The Telephony.io API."""

import json
import os

from shapes import Fault, Optional, boolean, instant, nullable, number, one_of, prefixed, text, whole
from wire import Dialect

NAME = "telephony_io"
PHONE = "+61412345678"


def run(wire):
    api = Dialect(wire, NAME, "/telephony/api", {"Authorization": f"Bearer {os.environ['test_key']}"})
    api.call("GET", "/account/balance", wants={"success": True, "balance": number, "held": number, "currency": "USD"})
    sent = {
        "success": True, "verification_id": prefixed("verify_"), "phone_number": PHONE, "channel": "sms", "status": "pending",
        "expires_at": instant, "creditsUsed": 0.05,
    }
    body = {"phone_number": PHONE, "brand": "Acme", "channel": "sms", "code_length": 4, "locale": "en"}
    api.call("POST", "/verify/send", body, sent)
    spoken = {"phone_number": "+14155550144", "channel": "voice"}
    api.call("POST", "/verify/send", {**spoken, "brand": "Acme", "code_length": 10, "locale": "fr"}, {**sent, **spoken})
    checked = {
        "success": True, "verification_id": prefixed("verify_"), "phone_number": PHONE,
        "status": one_of("pending", "approved", "expired", "max_attempts_reached", "canceled"), "valid": boolean,
        "attempts_remaining": whole, "creditsUsed": 0,
    }
    api.call("POST", "/verify/check", {"phone_number": PHONE, "code": "00000"}, {**checked, "valid": False, "status": "pending", "attempts_remaining": 4})
    looked_up = {
        "success": True, "phone_number": PHONE, "valid": True, "reason": None, "calling_code": 61, "country_code": "AU",
        "country_name": "Australia", "region_code": nullable(text), "region": nullable(text), "place": nullable(text), "line_type": "mobile",
        "carrier": nullable(text), "time_zones": [text], "national_format": "0412 345 678", "international_format": "+61 412 345 678",
        "notes": {"region": Optional(text), "place": Optional(text), "carrier": Optional(text), "time_zones": Optional(text)},
        "creditsUsed": number,
    }
    api.call("GET", "/lookup/%2B61412345678", wants=looked_up)
    voice(wire, api)
    refusals(wire, api)


def voice(wire, api):
    """The account's number calls both; it was bought over another dialect."""
    headers = {"X-Auth-Token": os.environ["test_key"], "Content-Type": "application/json"}
    offers = wire.send("GET", "/audian/v2/numbers/search?location=US&features=voice&limit=1", headers, None).json
    bought = {"number": offers["data"]["numbers"][0]["number"]}
    if wire.send("POST", "/audian/v2/numbers/purchase", headers, json.dumps(bought)).status != 201:
        raise Fault("no number that calls can be bought")
    people = {"agentPhone": "+14155550142", "leadPhone": "+14155550143"}
    triggered = api.call("POST", "/voice/trigger-call", {**people, "leadName": "Ada", "source": "Website", "metadata": {"id": "7"}}, {
        "success": True, "callId": prefixed("call_"), "status": "initiated", **people, "estimatedConnectTime": "2-3 seconds",
        "creditsUsed": 0.1,
    })
    api.call("GET", f"/voice/calls/{triggered['callId']}", wants={
        "success": True, "callId": triggered["callId"], "status": text, **people, "createdAt": instant, "endedAt": nullable(instant),
        "duration": nullable(whole), "reason": nullable(text), "cost": nullable(number), "metadata": {"id": "7"},
    })


def error(code, **more):
    return {"error": text, "code": code, **more}


def refusals(wire, api):
    Dialect(wire, NAME, "/telephony/api", {}).refuses("GET", "/account/balance", error("unauthorized"), 401)
    for body in [{}, {"phone_number": "0412 345 678"}, {"phone_number": PHONE, "code_length": 11}, {"phone_number": PHONE, "channel": "pigeon"}]:
        api.refuses("POST", "/verify/send", error("invalid_parameter"), 400, body)
    api.refuses("POST", "/verify/check", error("not_found"), 404, {"phone_number": "+61412345679", "code": "1234"})
