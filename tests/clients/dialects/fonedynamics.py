"""The Fone Dynamics API v2."""

import os
import time

from shapes import Optional, a_uuid, anything, boolean, check, e164, nullable, number, one_of, several_of, sid, text, unix, whole
from wire import Dialect, basic, challenged

NAME = "fonedynamics"
PREFIX = "/fonedynamics/v2"

PROJECT = {
    "AccountSid": sid("A"), "PropertySid": sid("S"), "Name": text, "MainDomain": text, "TimeZone": text, "SmsEnabled": boolean,
    "CallRecordingEnabled": boolean, "IntegrationsEnabled": boolean, "Active": boolean,
}
LOGIN = {
    "OnlineLoginSid": a_uuid, "Email": text, "Created": unix, "Enabled": boolean, "FirstName": text, "LastName": text,
    "Permissions": [{"AccountSid": Optional(sid("A")), "PropertySid": Optional(sid("S")), "Scopes": text}],
}
ADDRESS = {
    "AddressSid": sid("D"), "AccountSid": sid("A"), "Friendly": nullable(text), "Reference": nullable(text), "Line1": text,
    "Line2": nullable(text), "City": text, "Region": nullable(text), "CountryCode": text, "PostalCode": nullable(text), "Status": text,
}
TYPES = one_of("Local", "Toll-Free", "Shared-Rate", "National")
CAPABILITIES = several_of("Voice", "SMS", "MMS")
NUMBER = {
    "Number": e164, "AccountSid": sid("A"), "PropertySid": sid("S"), "Friendly": nullable(text), "Type": TYPES, "Capabilities": CAPABILITIES,
    "Status": one_of("Active", "Pending", "Suspended", "Porting"), "AddressSid": nullable(sid("D")), "AddressRequirement": text,
    "CountryCode": text, "Region": nullable(text), "City": nullable(text), "RoutingMethod": nullable(one_of("Endpoint", "Flow")),
    "EndpointNumber": nullable(e164), "Flow": nullable(text), "Recording": one_of("Off", "Call"), "Attribution_Source": nullable(text),
    "Attribution_Medium": nullable(text), "Attribution_Campaign": nullable(text), "Attribution_Content": nullable(text),
    "SendSmsFrom": nullable(text), "SendSmsTo": nullable(text), "SendEmailFrom": nullable(text), "SendEmailTo": nullable(text),
    "WebhookUri": nullable(text), "WebhookMethod": nullable(text),
}
MESSAGE = {
    "MessageSid": sid("M"), "AccountSid": sid("A"), "PropertySid": sid("S"), "From": text, "To": e164, "Text": text,
    "DeliveryReceipt": boolean, "NumSegments": whole, "Status": one_of("Processing", "Submitted", "Delivered", "Failed", "Received"),
    "Direction": one_of("Transmit", "Receive"), "Scheduled": nullable(unix), "Created": unix, "Submitted": nullable(unix),
    "Delivered": nullable(unix), "Received": nullable(unix), "ErrorCode": nullable(text), "ExternalId": nullable(text),
}
CALL = {
    "CallSid": sid("C"), "AccountSid": sid("A"), "PropertySid": sid("S"), "DateStart": unix, "From": text, "FromCountryCode": nullable(text),
    "FromRegion": nullable(text), "FromCity": nullable(text), "To": e164, "Endpoint": nullable(e164), "Duration": whole,
    "Disposition": one_of("Answered", "IVR", "Busy", "NoAnswer", "Failed"), "CallType": text, "Attribution_Source": nullable(text),
    "Attribution_Medium": nullable(text), "Attribution_Campaign": nullable(text), "Attribution_Content": nullable(text),
    "Prompts_keys": text, "Unique": boolean, "RecordingUri": nullable(text),
}
FLOW = {"PropertySid": sid("S"), "ConfigId": text, "Revision": text, "Name": text, "Type": text, "LastUpdated": unix}


def paged(name, shape):
    return {name: [shape], "TotalCount": whole, "NextPageToken": nullable(text)}


def error(code, *fields):
    said = {"ErrorCode": code, "Message": text}
    if fields:
        said["Errors"] = [{"FieldName": one_of(*fields), "ErrorCode": text, "Message": text}]
    return {"ResponseStatus": said}


def run(wire):
    account = os.environ["account_sid"]
    api = Dialect(wire, NAME, PREFIX, {"Authorization": basic(account, os.environ["test_token"])})
    project = projects(api)
    logins(api, account, project)
    available(api)
    numbers(api, account, project)
    flows(api)
    calls(api, account)
    messages(api, project)
    refusals(wire, api, account, project)


def projects(api):
    body = {"Name": "Shop", "MainDomain": "shop.example.com", "TimeZone": "AUS Eastern Standard Time", "SmsEnabled": True}
    made = api.call("POST", "/Properties", body, {"Property": {**PROJECT, **body, "Active": True, "CallRecordingEnabled": False}})
    project = made["Property"]["PropertySid"]
    api.call("GET", "/Properties?Results_Count=50&Results_Skip=0", wants=paged("Projects", PROJECT))
    patch(api, f"/Properties/{project}", {"Name": "Shop 2", "CallRecordingEnabled": True})
    changed = {**PROJECT, **body, "Name": "Shop 2", "CallRecordingEnabled": True}
    api.call("GET", f"/Properties/{project}", wants={"Property": changed})
    return project


def patch(api, path, body):
    api.call("PATCH", path, body, None, 204, content_type="application/merge-patch+json")


def logins(api, account, project):
    body = {"Email": "grace@example.com", "Password": "correct horse battery", "FirstName": "Grace", "LastName": "Hopper", "Scopes": "Manage,Reporting"}
    permission = {"PropertySid": project, "Scopes": "Manage,Reporting"}
    wants = {**LOGIN, "Email": "grace@example.com", "Enabled": False, "FirstName": "Grace", "LastName": "Hopper", "Permissions": [permission]}
    login = api.call("POST", f"/Properties/{project}/OnlineLogins", body, {"OnlineLogin": wants})["OnlineLogin"]["OnlineLoginSid"]
    api.call("GET", "/OnlineLogins", wants=paged("OnlineLogins", LOGIN))
    patch(api, f"/OnlineLogins/{login}", {"Enabled": True, "Permissions": [{"AccountSid": account, "Scopes": "Admin"}]})
    permission = {"AccountSid": account, "Scopes": "Admin"}
    api.call("GET", f"/OnlineLogins/{login}", wants={"OnlineLogin": {**wants, "Enabled": True, "Permissions": [permission]}})


def available(api):
    """Finding numbers is an addition; its page is not known."""
    country = {"CountryCode": text, "Name": text, "CallingCode": whole, "Available": whole}
    api.call("GET", "/Countries", wants={"Countries": [country], "TotalCount": whole})
    place = {"CountryCode": "AU", "Region": nullable(text), "RegionName": nullable(text), "City": nullable(text)}
    api.call("GET", "/Countries/AU/Locations", wants=paged("Locations", place))
    for country, code in [("FR", "COUNTRY_UNAVAILABLE"), ("ZZ", "COUNTRY_NOT_FOUND"), ("Australia", "INVALID_COUNTRYCODE_FORMAT")]:
        wants = error(code) if code != "INVALID_COUNTRYCODE_FORMAT" else error(code, "CountryCode")
        api.refuses("GET", f"/Countries/{country}/AvailableNumbers", wants, 403 if code == "COUNTRY_UNAVAILABLE" else 400)
    for query, code, field in [("Type=Mobile", "UNKNOWN_NUMBERTYPE", "Type"), ("Capabilities=Telepathy", "UNKNOWN_CAPABILITY", "Capabilities")]:
        api.refuses("GET", f"/Countries/AU/AvailableNumbers?{query}", error(code, field), 400)


def first_offer(api, query):
    offer = {
        "Number": e164, "Type": TYPES, "Capabilities": CAPABILITIES, "CountryCode": "AU", "Region": nullable(text), "City": nullable(text),
        "AddressRequirement": text, "MonthlyPrice": number, "SetupPrice": number, "Currency": "USD",
    }
    found = api.call("GET", f"/Countries/AU/AvailableNumbers?{query}", wants=paged("AvailableNumbers", offer))
    return found["AvailableNumbers"][0]["Number"]


def numbers(api, account, project):
    """A local number of Australia waits for an address there, gets it, cannot lose it, and is configured and given back."""
    wanted = first_offer(api, "Type=Local&Capabilities=Voice&Results_Count=1")
    api.call("POST", f"/Properties/{project}/Numbers", {"Number": wanted}, {"Number": wanted, "Status": "Pending"})
    api.refuses("POST", f"/Properties/{project}/Numbers", error("ALREADY_EXISTS"), 403, {"Number": wanted})
    body = {"Friendly": "Office", "Reference": "1", "Line1": "1 George Street", "City": "Sydney", "Region": "NSW", "CountryCode": "AU", "PostalCode": "2000"}
    everywhere = [{**body, "Region": region, "Friendly": region} for region in ("VIC", "QLD", "WA", "SA")]
    made = api.call("POST", f"/Accounts/{account}/Addresses", body, {"Address": {**ADDRESS, **body, "Line2": None}})["Address"]
    more = [api.call("POST", f"/Accounts/{account}/Addresses", other, {"Address": ADDRESS})["Address"] for other in everywhere]
    api.call("GET", f"/Addresses/{made['AddressSid']}", wants={"Address": made})
    api.call("GET", f"/Accounts/{account}/Addresses?Friendly=Office&City=Sydney", wants=paged("Addresses", made))
    own = api.call("GET", f"/Numbers/{wanted[1:]}", wants={"Number": {**NUMBER, "Number": wanted, "PropertySid": project, "Status": "Active"}})["Number"]
    api.refuses("DELETE", f"/Addresses/{own['AddressSid']}", error("ADDRESS_CANNOT_BE_DELETED"), 403)
    changes = {"Friendly": "Desk", "Attribution_Source": "web", "RoutingMethod": "Endpoint", "EndpointNumber": "+61280001234", "Recording": "Call",
               "SendSmsTo": "+61499997777", "SendEmailTo": "ada@example.com"}
    changed = {**NUMBER, **own, **changes}
    api.call("POST", f"/Numbers/{wanted[1:]}", changes, {"Number": changed})
    api.call("GET", f"/Properties/{project}/Numbers?Type=Local&Capabilites=Voice", wants=paged("Numbers", changed))
    api.call("GET", f"/Accounts/{account}/Numbers?Results_Count=200", wants=paged("Numbers", NUMBER))
    for change, code, fields in [
        ({"RoutingMethod": "Pigeon"}, "UNKNOWN_ROUTING_METHOD", ["RoutingMethod"]), ({"Recording": "All"}, "UNKNOWN_RECORDING_OPTION", ["Recording"]),
        ({"EndpointNumber": "12"}, "INVALID_PHONENUMBER_FORMAT", ["EndpointNumber"]), ({"AddressSid": "D123"}, "ADDRESS_NOT_FOUND", []),
        ({"Friendly": "x" * 129}, "PARAMETER_TOO_LONG", ["Friendly"]),
    ]:
        api.refuses("POST", f"/Numbers/{wanted[1:]}", error(code, *fields), 400, change)
    several = {"ResponseStatus": {"ErrorCode": "ONE_OF_SEVERAL_PARAMETERS_REQUIRED", "Message": text, "Errors": [anything]}}
    api.refuses("POST", f"/Numbers/{wanted[1:]}", several, 400, {})
    api.refuses("GET", "/Numbers/61280009999", error("NUMBER_NOT_FOUND"), 400)
    api.refuses("GET", "/Numbers/12", error("INVALID_PHONENUMBER_FORMAT", "Number"), 400)
    api.call("DELETE", f"/Numbers/{wanted[1:]}", wants=anything)
    for address in [made, *more]:
        api.call("DELETE", f"/Addresses/{address['AddressSid']}", wants={"AddressSid": address["AddressSid"]})
    api.refuses("GET", f"/Addresses/{made['AddressSid']}", error("ADDRESS_NOT_FOUND"), 400)


def flows(api):
    """Flows are made through the Audian API: both show the same objects."""
    own = api.call("GET", "/Properties", wants=paged("Projects", PROJECT))["Projects"][0]["PropertySid"]
    audian = Dialect(api.wire, "audian", "/audian/v2", {"X-Auth-Token": os.environ["test_key"]})
    rule = {"pattern": "*", "destination": "+14155550199", "destination_type": "phone_number"}
    made = audian.call("POST", "/call-flows", {"name": "Night", "routing": [rule]}, anything, 201)
    night = {**FLOW, "PropertySid": own, "ConfigId": made["call_flow_id"], "Name": "Night"}
    api.call("GET", f"/Properties/{own}/Flows?Results_Count=50", wants=paged("Flows", night))


def calls(api, account):
    """A call was put into the database before, from +61 2 9999 8888 to +61 2 8000 1234, answered after an IVR menu."""
    listed = {"Calls": [CALL], "Token": text, "NextPageToken": nullable(text)}
    now = int(time.time())
    query = f"?Date_From={now - 86400}&Date_To={now + 60}&Disposition=Answered,IVR&To=%2B61280001234&Unique=All"
    found = api.call("GET", f"/Accounts/{account}/Calls{query}", wants=listed)
    only = found["Calls"][0]
    check({**CALL, "From": "+61299998888", "To": "+61280001234", "Duration": 42, "Disposition": "Answered"}, only)
    api.call("GET", f"/Properties/{only['PropertySid']}/Calls{query}", wants={**listed, "Calls": [only]})
    api.call("GET", f"/Accounts/{account}/Calls?Token={found['Token']}", wants=listed)
    api.call("GET", f"/Calls/{only['CallSid']}", wants={"Call": only})
    api.refuses("GET", "/Calls/C123", error("CALL_NOT_FOUND"), 400)
    api.refuses("GET", f"/Accounts/{account}/Calls?Disposition=Lost", error("UNKNOWN_DISPOSITION", "Disposition"), 400)
    api.refuses("GET", f"/Accounts/A123/Calls", error("ACCOUNT_NOT_FOUND"), 400)


def messages(api, project):
    body = {"From": "", "To": "+61499997777", "Text": "Hello", "DeliveryReceipt": True, "ExternalId": "order-1"}
    wants = {**MESSAGE, "From": e164, "To": body["To"], "Text": "Hello", "NumSegments": 1, "Status": "Processing", "Direction": "Transmit",
             "Scheduled": None, "Submitted": None, "Delivered": None, "Received": None, "ErrorCode": None, "ExternalId": "order-1"}
    sent = api.call("POST", f"/Properties/{project}/Messages", body, {"Message": wants})["Message"]
    api.call("GET", f"/Messages/{sent['MessageSid']}", wants={"Message": {**MESSAGE, "MessageSid": sent["MessageSid"]}})
    later = int(time.time()) + 86400
    batch = {"Messages": [{"To": "+61499997777", "Text": "One", "Schedule": later}, {"To": "0499 997 777", "Text": "Two"}, {"To": "+61499997777"}]}
    done = api.call("POST", f"/Properties/{project}/BatchMessages", batch, [anything])
    check({**MESSAGE, "Text": "One", "Scheduled": later}, done[0])
    check({"ErrorCode": "INVALID_PHONENUMBER_FORMAT", "Message": text}, done[1])
    check({"ErrorCode": "PARAMETER_REQUIRED", "Message": text}, done[2])
    query = f"?Date_From={int(time.time()) - 3600}&Date_To={later}&Direction=Transmit&Results_Count=200&Results_Skip=0"
    found = api.call("GET", f"/Properties/{project}/Messages{query}", wants={"Messages": [MESSAGE], "NextPageToken": nullable(text)})
    check(2, len(found["Messages"]))
    path = f"/Properties/{project}/Messages"
    api.refuses("GET", path, error("PARAMETER_REQUIRED", "Date_From", "Date_To"), 400)
    api.refuses("GET", "/Messages/M123", error("MESSAGE_NOT_FOUND"), 400)
    for change, code, field in [
        ({"From": "Acme Limited Company"}, "PARAMETER_TOO_LONG", "From"), ({"From": "+61280009999"}, "NUMBER_NOT_FOUND", "From"),
        ({"Schedule": later + 15 * 86400}, "PARAMETER_INVALID", "Schedule"), ({"Text": "x" * 1601}, "PARAMETER_TOO_LONG", "Text"),
    ]:
        api.refuses("POST", path, error(code, field), 400, {**body, **change})


def refusals(wire, api, account, project):
    answer = wire.send("GET", PREFIX + "/Properties", {}, None)
    check(200, challenged(os.environ["base"], PREFIX + "/Properties", account, os.environ["test_token"]))
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic realm="), answer.headers
    Dialect(wire, NAME, PREFIX, {"Authorization": basic(account, "nonsense")}).refuses("GET", "/Properties", error("UNAUTHORIZED"), 401)
    for path, code in [("/Properties/S123", "PROPERTY_NOT_FOUND"), ("/OnlineLogins/x", "ONLINE_LOGIN_NOT_FOUND")]:
        api.refuses("GET", path, error(code), 400)
    api.refuses("POST", "/Properties", error("PARAMETER_REQUIRED", "Name", "MainDomain", "TimeZone"), 400, {})
    api.refuses("GET", "/Properties?Results_Count=1000", error("PARAMETER_INVALID", "Results_Count"), 400)
