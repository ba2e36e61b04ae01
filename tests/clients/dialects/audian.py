"""The Audian API v2."""

import base64
import os

from shapes import Optional, boolean, check, date, e164, instant, matching, nullable, number, one_of, prefixed, several_of, text, whole
from wire import Dialect

NAME = "audian"

FEATURES = several_of("voice", "sms", "mms", "fax")
OFFER = {
    "number": e164, "location": text, "available": True, "price": {"monthly": number, "setup": number}, "features": FEATURES,
}
NUMBER = {
    "id": prefixed("num_"), "number": e164, "friendly_name": nullable(text), "status": one_of("active", "suspended", "porting", "porting_out"),
    "features": FEATURES, "location": text, "purchased_at": instant, "expires_at": instant,
    "billing": {"monthly_cost": number, "next_charge": instant},
}
CONFIG = {
    "id": prefixed("num_"), "number": e164, "friendly_name": nullable(text),
    "call_forwarding": Optional({
        "enabled": boolean, "forward_to": Optional(e164), "when_unavailable": Optional(boolean), "rings_before_forward": Optional(whole),
    }),
    "voicemail": Optional({"enabled": boolean, "transcription": Optional(boolean), "delete_after_days": Optional(whole)}),
    "sms_webhook": Optional(text), "voice_webhook": Optional(text),
    "conference": Optional({"conference_id": text}), "call_flow_id": Optional(text),
    "schedule": Optional({"time_zone": text, "rules": [{"days": [text], "from": text, "to": text, "forward_to": e164}]}),
    "recording": Optional({"enabled": boolean, "format": text, "participant": text}),
}
PORT = {
    "id": prefixed("port_"), "number": e164, "number_id": prefixed("num_"),
    "status": one_of("pending", "submitted", "scheduled", "completed", "rejected", "canceled"), "carrier_status": text,
    "carrier_name": Optional(text), "created_at": instant, "createdAt": instant, "updated_at": instant, "estimated_completion": instant,
    "scheduled_for": Optional(instant), "completed_at": Optional(instant), "rejection_reason": Optional(text), "fee": number,
}
ADDRESS = {"street": "123 Market Street", "city": "San Francisco", "state": "CA", "postal_code": "94103", "country": "US"}


def data(shape):
    return {"success": True, "data": shape}


def page(name, shape):
    return data({name: [shape], "total": whole, "limit": whole, "offset": whole})


def error(status, code, kind, param=None):
    body = {"code": code, "message": text, "type": kind}
    return {"error": {**body, "param": param} if param else body}


def run(wire):
    api = Dialect(wire, NAME, "/audian/v2", {"X-Auth-Token": os.environ["test_key"]})
    mine = numbers(api)
    configuration(api, mine)
    flows(api)
    ports(api)
    billing(api)
    messages(api, mine)
    calls(api)
    control(api, mine)
    conferences(api)
    webhooks(api)
    release(api, mine)
    refusals(wire, api)


def numbers(api):
    found = api.call("GET", "/numbers/search?location=US&features=sms,voice&limit=3", wants=page("numbers", OFFER))
    api.call("GET", "/numbers/search?pattern=628*", wants=page("numbers", OFFER))
    chosen = found["data"]["numbers"][0]["number"]
    bought = api.call("POST", "/numbers/purchase", {"number": chosen, "friendly_name": "Desk"}, data({**NUMBER, "number": chosen, "friendly_name": "Desk"}), 201)
    mine = bought["data"]
    api.call("GET", "/numbers?limit=20&offset=0&status=active", wants=page("numbers", NUMBER))
    api.call("GET", f"/numbers/{mine['id']}", wants=data(NUMBER))
    return mine


def configuration(api, mine):
    change = {
        "friendly_name": "Reception",
        "call_forwarding": {"enabled": True, "forward_to": "+14155550199", "rings_before_forward": 4},
        "voicemail": {"enabled": True, "transcription": True, "delete_after_days": 30},
        "sms_webhook": "https://example.com/sms", "voice_webhook": "https://example.com/voice",
    }
    wanted = {**CONFIG, **{name: (value if not isinstance(value, dict) else CONFIG[name]) for name, value in change.items()}}
    api.call("PUT", f"/numbers/{mine['id']}/config", change, data(wanted))
    api.call("GET", f"/numbers/{mine['id']}/config", wants=data(wanted))


def flows(api):
    leads_to = {"destination": nullable(text), "destination_type": text}
    menu = {
        "menu_id": prefixed("menu_"), "name": text, "prompt": text, "options": [{"digit": text, **leads_to}], "created_at": instant,
        "language": "en-US", "voice": "female", "max_digits": 1,
        # Additions, marked as such in the document.
        "timeout_seconds": whole, "max_attempts": whole, "fallback": leads_to, "updated_at": instant, "version": whole,
    }
    option = {"digit": "1", "destination": "+14155550199", "destination_type": "phone_number"}
    made = api.call("POST", "/ivr-menus", {"name": "Main", "prompt": "Press 1 for sales", "options": [option]}, {**menu, "name": "Main", "options": [option]}, 201)
    path = f"/ivr-menus/{made['menu_id']}"
    api.call("GET", "/ivr-menus", wants={"ivr_menus": [menu], "total": whole, "limit": whole, "offset": whole})
    api.call("GET", path, wants={**menu, "menu_id": made["menu_id"]})
    api.call("PUT", path, {"prompt": "Press 1 to talk to sales"}, {**menu, "prompt": "Press 1 to talk to sales"})
    flow = {
        "call_flow_id": prefixed("cf_"), "name": text, "phone_number": nullable(e164), "created_at": instant,
        "routing": [{"pattern": text, **leads_to, "conditions": {}}],
        "description": text, "active": boolean, "updated_at": instant, "version": whole,
    }
    rule = {"pattern": "*", "destination": made["menu_id"], "destination_type": "ivr_menu"}
    wants = {**flow, "name": "Day", "phone_number": None, "active": True, "routing": [{**rule, "conditions": {}}]}
    day = api.call("POST", "/call-flows", {"name": "Day", "routing": [rule]}, wants, 201)
    path_of_flow = f"/call-flows/{day['call_flow_id']}"
    api.call("GET", "/call-flows", wants={"call_flows": [flow], "total": whole, "limit": whole, "offset": whole})
    api.call("GET", path_of_flow, wants=wants)
    api.call("PUT", path_of_flow, {"description": "By day"}, {**wants, "description": "By day"})
    nowhere = [{"pattern": "*", "destination": "menu_abc123", "destination_type": "ivr_menu"}]
    refused = error(422, "invalid_routing_configuration", "validation_error", "destination")
    api.refuses("POST", "/call-flows", refused, 422, {"name": "Nowhere", "routing": nowhere})
    api.call("DELETE", path_of_flow, wants=flow)
    api.call("DELETE", path, wants=menu)


def ports(api):
    body = {
        "number": "+12025550143", "account_number": "A-1234567", "account_pin": "4321", "carrier_name": "Example Telecom",
        "billing_phone": "+12025550143", "end_user_name": "Ada Lovelace", "end_user_address": ADDRESS,
    }
    port = api.call("POST", "/ports", body, data({**PORT, "status": "pending", "carrier_status": "pending_transfer"}), 202)["data"]
    api.call("GET", "/ports", wants=page("ports", PORT))
    api.call("GET", f"/ports/{port['id']}", wants=data(PORT))
    document = {
        "id": prefixed("doc_"), "port_id": port["id"], "type": "loa", "name": text, "media_type": "application/pdf", "size": whole,
        "created_at": instant,
    }
    content = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
    attachment = {"type": "loa", "name": "loa.pdf", "media_type": "application/pdf", "content": content}
    api.call("POST", f"/ports/{port['id']}/documents", attachment, data(document), 201)
    api.call("DELETE", f"/ports/{port['id']}", wants=data({**PORT, "status": "canceled"}))


def billing(api):
    counted = {"count": whole, "unit_cost": number, "cost": number}
    usage = {
        "billing_period": {"start": instant, "end": instant},
        "usage": {
            "api_calls": {"count": whole, "limit": nullable(whole), "percentage": nullable(number), "cost": number},
            "sms_messages": counted, "voice_minutes": counted,
            "phone_numbers": {"count": whole, "unit_cost": number, "monthly_cost": number},
        },
        "total_charges": number, "estimated_final_charge": number,
        # Additions, marked as such in the document.
        "currency": "USD", "breakdown": [{"start": instant, "end": instant, "api_calls": whole, "charges": number}],
    }
    api.call("GET", "/billing/usage", wants=data(usage))
    transaction = {
        "id": prefixed("txn_"), "type": one_of("charge", "payment", "credit", "refund", "adjustment", "fee"), "description": text,
        "amount": number, "currency": "USD", "status": one_of("pending", "completed", "failed", "cancelled", "reversed"),
        "created_at": instant, "reference": text, "payment_method": Optional(text),
    }
    api.call("GET", "/billing/transactions?type=charge&limit=5", wants=page("transactions", transaction))
    invoice = {
        "id": prefixed("inv_"), "invoice_number": text, "issue_date": date, "due_date": date, "period_start": date, "period_end": date,
        "amount": number, "currency": "USD", "status": one_of("draft", "issued", "paid", "overdue"), "paid_at": nullable(instant),
    }
    invoices = api.call("GET", "/billing/invoices", wants=page("invoices", invoice))["data"]["invoices"]
    detail = {**invoice, "customer": {"id": text, "name": text, "email": text}, "lines": [{"category": text, "count": whole, "amount": number}]}
    api.call("GET", f"/billing/invoices/{invoices[0]['id']}", wants=data(detail))
    limit = {
        "id": prefixed("limit_"), "type": one_of("monthly", "daily", "sms"), "amount": 500, "currency": "USD", "action": "alert", "current_usage": number,
        "remaining": number, "percentage_used": number, "notifications": [whole], "status": "active", "created_at": instant,
    }
    api.call("PUT", "/billing/limits/monthly", {"amount": 500, "action": "alert", "notifications": [50, 90]}, data(limit))
    api.call("GET", "/billing/limits", wants=data({"limits": [limit]}))


def messages(api, mine):
    message = {
        "id": prefixed("msg_"), "from": mine["number"], "to": e164, "body": text, "media_urls": [text], "direction": one_of("outbound", "inbound"),
        "type": one_of("sms", "mms"), "status": text, "segments": whole, "encoding": text, "price": number,
        "error_code": Optional(text), "error_message": Optional(text), "created_at": instant, "sent_at": Optional(instant),
        "completed_at": Optional(instant),
    }
    sent = api.call("POST", "/messages", {"from": mine["number"], "to": "+14155550142", "body": "Hello"}, data({**message, "body": "Hello", "segments": 1}), 201)
    api.call("GET", "/messages?direction=outbound&limit=5", wants=page("messages", message))
    api.call("GET", f"/messages/{sent['data']['id']}", wants=data(message))


def calls(api):
    call = {
        "call_id": prefixed("call_"), "call_uuid": text, "call_type": one_of("inbound", "outbound"), "from": text, "to": e164, "status": text,
        "created_at": instant, "answered_at": nullable(instant), "ended_at": nullable(instant), "duration": nullable(whole),
        "completion_reason": nullable(text), "cost": nullable(number), "timeout": Optional(whole), "max_duration": Optional(whole),
        "tags": {}, "custom_fields": {},
    }
    found = api.call("GET", "/calls?limit=5", wants={"calls": [call], "limit": 5, "next": nullable(text)})["calls"]
    path = f"/calls/{found[0]['call_id']}"
    api.call("GET", path, wants=found[0])
    api.call("GET", f"{path}/recordings", wants={"recordings": []})


def control(api, mine):
    """A call from a number that leads elsewhere: handsets of the pocket network answer at both ends."""
    asked = {"from": mine["number"], "to": "+14155550142", "timeout": 20, "max_duration": 300, "tags": {"team": "sales"}}
    made = api.call("POST", "/calls", asked, {
        "call_id": prefixed("call_"), "call_uuid": text, **asked, "status": "initiated", "created_at": instant, "custom_fields": {},
    }, 202)
    path = f"/calls/{made['call_id']}"
    done = {"call_id": made["call_id"]}
    api.eventually("POST", f"{path}/hold", {**done, "status": "held", "held_at": instant})  # until both are there
    api.call("POST", f"{path}/unhold", {}, {**done, "status": "answered", "unheld_at": instant})
    recording = {
        **done, "recording_id": prefixed("rec_"), "status": "recording", "started_at": instant, "stopped_at": None, "duration": None,
        "format": "wav",
    }
    api.call("POST", f"{path}/record/start", {"format": "wav", "participant": "all"}, recording)
    api.call("POST", f"{path}/record/pause", {}, {**recording, "status": "paused"})
    api.call("POST", f"{path}/record/resume", {}, recording)
    api.call("POST", f"{path}/record/stop", {}, {**recording, "status": "stopped", "stopped_at": instant, "duration": whole})
    moved = {**done, "status": "transferred", "transfer_from": e164, "transfer_to": "+14155550143", "transferred_at": instant}
    api.call("POST", f"{path}/transfer", {"destination": "+14155550143"}, moved)
    api.call("POST", f"{path}/hangup", {}, {**done, "status": "completed", "ended_at": instant})


def member_of(conference):
    return {
        "id": prefixed("part_"), "conference_id": conference, "phone_number": nullable(e164), "name": nullable(text),
        "role": one_of("presenter", "listener"), "status": one_of("invited", "joined", "left", "removed"), "muted": boolean,
        "on_hold": boolean, "call_id": nullable(text), "added_at": instant, "joined_at": nullable(instant), "left_at": nullable(instant),
    }


def conferences(api):
    room = {
        "id": prefixed("conf_"), "name": text, "status": one_of("scheduled", "active", "ended"), "scheduled_for": nullable(instant),
        "max_participants": whole, "require_pin": boolean, "has_pin": boolean, "record": boolean, "hold_music_id": nullable(text),
        "mute_on_entry": boolean, "allow_recording_by_participant": boolean, "member_notification": boolean,
        "created_at": instant, "updated_at": instant, "ended_at": nullable(instant),
    }
    wants = {**room, "name": "Monday", "max_participants": 100, "require_pin": False, "record": False, "member_notification": True}
    made = api.call("POST", "/conferences", {"name": "Monday"}, wants, 201)
    path = f"/conferences/{made['id']}"
    all_of_them = api.call("GET", "/conferences", wants={"conferences": [room], "total": whole, "limit": whole, "offset": whole})
    api.call("GET", path, wants=wants)
    api.call("PUT", path, {"mute_on_entry": True}, {**wants, "mute_on_entry": True})
    member = member_of(made["id"])
    grace = {"phone_number": "+14155550142", "name": "Grace", "role": "presenter"}
    added = api.call("POST", f"{path}/participants", grace, {**member, **grace, "status": "invited"}, 201)
    api.call("GET", f"{path}/participants", wants={"participants": [member]})
    led = {"conference_id": made["id"], "participant_id": added["id"]}
    for action, status in (("unmute", "unmuted"), ("mute", "muted")):  # who enters is muted
        api.call("POST", f"{path}/participants/{added['id']}/{action}", {}, {**led, "status": status, f"{status}_at": instant})
    muted = {"conference_id": made["id"], "status": "muted", "participants_muted": whole, "muted_at": instant}
    api.call("POST", f"{path}/mute-all", {}, muted)
    recorded = {"conference_id": made["id"], "recording_id": prefixed("rec_")}
    started = {**recorded, "status": "recording", "name": None, "format": "wav", "started_at": instant}
    api.eventually("POST", f"{path}/recording/start", started)  # until the handset of the pocket network is in
    api.call("POST", f"{path}/recording/stop", {}, {**recorded, "status": "stopped", "stopped_at": nullable(instant), "duration": whole})
    api.call("DELETE", f"{path}/participants/{added['id']}", wants={**member, "status": "removed"})
    for action in ("start", "stop"):
        api.refuses("POST", f"{path}/recording/{action}", error(409, "resource_conflict", "conflict_error"), 409, {})
    recording = {
        "recording_id": prefixed("rec_"), "call_id": nullable(text), "conference_id": prefixed("conf_"), "name": nullable(text),
        "status": one_of("recording", "paused", "processing", "completed", "failed"), "format": one_of("wav", "mp3", "opus"),
        "participant": one_of("all", "caller", "callee"), "duration": whole, "size": whole, "started_at": instant,
        "stopped_at": nullable(instant), "delete_at": nullable(instant),
    }
    api.call("GET", f"{path}/recordings", wants={"recordings": [recording]})
    recorded = next(one for one in all_of_them["conferences"] if one["name"] == "Recorded")
    kept = f"/conferences/{recorded['id']}/recordings"
    found = api.call("GET", kept, wants={"recordings": [recording]})["recordings"]
    api.call("GET", f"{kept}/{found[0]['recording_id']}", wants=found[0])
    api.call("DELETE", f"{kept}/{found[0]['recording_id']}", wants=recording)
    sound = f"/recordings/{found[1]['recording_id']}"
    heard = api.wire.send("GET", api.prefix + sound, {**api.headers, "Range": "bytes=0-3"}, None)
    check((206, b"RIFF", "audio/wav", "bytes 0-3/44"), (heard.status, heard.data, heard.headers["content-type"], heard.headers["content-range"]))
    told = Dialect(api.wire, NAME, api.prefix, {**api.headers, "Accept": "application/json"})
    told.call("GET", sound, wants=found[1])
    api.call("DELETE", sound, wants=found[1])
    spoken = next(one["id"] for one in all_of_them["conferences"] if one["name"] == "Spoken")
    people = f"/conferences/{spoken}/participants"
    speaks = api.call("GET", people, wants={"participants": [member_of(spoken)]})["participants"][0]["id"]
    for action, status in (("hold", "held"), ("resume", "resumed"), ("disconnect", "disconnected")):
        wanted = {"conference_id": spoken, "participant_id": speaks, "status": status, f"{status}_at": instant}
        api.call("POST", f"{people}/{speaks}/{action}", {}, wanted)
    api.call("DELETE", path, wants={**wants, "mute_on_entry": True, "status": "ended"})


def webhooks(api):
    hook = {
        "id": prefixed("wh_"), "url": text, "events": [text], "status": one_of("active", "disabled"), "disabled_reason": Optional(text),
        "created_at": instant,
    }
    shown = {**hook, "signing_secret": matching("whsec_[A-Za-z0-9+/]+=*", "secret")}
    made = api.call("POST", "/webhooks", {"url": "https://example.com/hook", "events": ["*"]}, shown, 201)
    api.call("GET", "/webhooks", wants={"webhooks": [hook], "total": whole, "limit": whole, "offset": whole})
    api.call("GET", f"/webhooks/{made['id']}", wants=hook)
    api.call("PUT", f"/webhooks/{made['id']}", {"events": ["message.delivered"]}, {**hook, "events": ["message.delivered"]})
    api.call("POST", f"/webhooks/{made['id']}/rotate-secret", {}, shown)
    test = {"delivery_id": prefixed("delv_"), "event_id": prefixed("evt_"), "event": "webhook.test", "status": "pending"}
    api.call("POST", f"/webhooks/{made['id']}/test", {}, test, 202)
    api.call("DELETE", f"/webhooks/{made['id']}", wants={**hook, "status": "deleted"})


def release(api, mine):
    api.call("DELETE", f"/numbers/{mine['id']}", wants=data({**NUMBER, "id": mine["id"], "status": "released"}))


def refusals(wire, api):
    """The error reference, as far as one environment can show it from the outside."""
    nobody = Dialect(wire, NAME, "/audian/v2", {})
    nobody.refuses("GET", "/numbers", error(401, "missing_authentication", "authentication_error"), 401)
    wrong = Dialect(wire, NAME, "/audian/v2", {"X-Auth-Token": "sk_live_nonsense"})
    wrong.refuses("GET", "/numbers", error(401, "invalid_api_key", "authentication_error"), 401)
    request = "invalid_request_error"
    for body, code, param in [
        ({}, "missing_required_parameter", "phone_number"),
        ({"phone_number": "415-555-1234"}, "invalid_phone_number", "phone_number"),
        ({"number": 5}, request, "number"),
    ]:
        api.refuses("POST", "/numbers/purchase", error(400, code, request, param), 400, body)
    api.refuses("POST", "/numbers/purchase", error(400, request, request), 400, raw=b"{")
    api.refuses("GET", "/numbers/search?location=XX", error(400, "invalid_location", request, "location"), 400)
    api.refuses("GET", "/numbers/search?limit=500", error(400, "invalid_parameter", request, "limit"), 400)
    api.refuses("GET", "/numbers/num_abc123", error(404, "not_found_error", "not_found_error"), 404)
    api.refuses("POST", "/numbers/purchase", error(422, "number_not_available", "validation_error"), 422, {"number": "+14155551234"})
