"""The Telephony.io API."""

import os

from shapes import Optional, boolean, instant, nullable, number, one_of, prefixed, text, whole
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
    refusals(wire, api)


def error(code, **more):
    return {"error": text, "code": code, **more}


def refusals(wire, api):
    Dialect(wire, NAME, "/telephony/api", {}).refuses("GET", "/account/balance", error("unauthorized"), 401)
    for body in [{}, {"phone_number": "0412 345 678"}, {"phone_number": PHONE, "code_length": 11}, {"phone_number": PHONE, "channel": "pigeon"}]:
        api.refuses("POST", "/verify/send", error("invalid_parameter"), 400, body)
    api.refuses("POST", "/verify/check", error("not_found"), 404, {"phone_number": "+61412345679", "code": "1234"})
