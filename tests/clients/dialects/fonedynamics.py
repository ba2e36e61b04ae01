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
    "WebhookUri": nullable(text), "WebhookMethod": nullable(one_of("POST", "GET")),
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
    "Disposition": one_of("Answered", "IVR", "Busy", "NoAnswer", "Failed"), "CallType": text,
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


def refusals(wire, api, account, project):
    answer = wire.send("GET", PREFIX + "/Properties", {}, None)
    check(200, challenged(os.environ["base"], PREFIX + "/Properties", account, os.environ["test_token"]))
    assert answer.status == 401 and answer.headers["www-authenticate"].startswith("Basic realm="), answer.headers
    Dialect(wire, NAME, PREFIX, {"Authorization": basic(account, "nonsense")}).refuses("GET", "/Properties", error("UNAUTHORIZED"), 401)
    for path, code in [("/Properties/S123", "PROPERTY_NOT_FOUND"), ("/OnlineLogins/x", "ONLINE_LOGIN_NOT_FOUND")]:
        api.refuses("GET", path, error(code), 400)
    api.refuses("POST", "/Properties", error("PARAMETER_REQUIRED", "Name", "MainDomain", "TimeZone"), 400, {})
    api.refuses("GET", "/Properties?Results_Count=1000", error("PARAMETER_INVALID", "Results_Count"), 400)
