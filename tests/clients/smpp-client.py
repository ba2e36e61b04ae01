"""An application of somebody else's on the pocket network: long and Unicode texts, receipts, replies."""

import json
import os
import sys
import threading
import time
import urllib.parse
import urllib.request

import smpplib.client
import smpplib.consts
import smpplib.gsm

BASE, KEY = os.environ["base"], os.environ["test_key"]
OURS = "16285550001"
HOST, PORT = os.environ["smpp"].rsplit(":", 1)


def api(path, body=None, method=None):
    request = urllib.request.Request(BASE + path, method=method or ("POST" if body else "GET"))
    request.add_header("X-Auth-Token", KEY)
    request.add_header("Authorization", f"Bearer {KEY}")
    request.add_header("Content-Type", "application/json")
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(request, data) as answer:
        return json.load(answer)


def until(what, ask):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = ask()
        if found:
            return found
        time.sleep(0.1)
    raise SystemExit(f"waited in vain until {what}")


found = api("/audian/v2/numbers/search?location=US&features=sms&limit=1")
number = found["data"]["numbers"][0]["number"]
api("/audian/v2/numbers/purchase", {"number": number})

answers, deliveries = [], []
client = smpplib.client.Client(HOST, int(PORT), allow_unknown_opt_params=True)
client.set_message_sent_handler(lambda pdu: answers.append(pdu.message_id.decode()))
client.set_message_received_handler(lambda pdu: deliveries.append(pdu) and None)
client.connect()
client.bind_transceiver(system_id="shop", password="secret08")
threading.Thread(target=lambda: client.listen(), daemon=True).start()


def send(to, text):
    parts, coding, esm_class = smpplib.gsm.make_parts(text)
    for part in parts:
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_INTL, source_addr_npi=smpplib.consts.SMPP_NPI_ISDN, source_addr=OURS,
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL, dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN, destination_addr=to.lstrip("+"),
            short_message=part, data_coding=coding, esm_class=esm_class, registered_delivery=True)
    return len(parts)


texts = ["Hello [there] €", "long " * 100, "Привет, 👋 " * 30]
count = sum(send(number, text) for text in texts)


def inbound():
    listed = api("/audian/v2/messages?direction=inbound")["data"]["messages"]
    return listed if len(listed) == len(texts) else None


arrived = {message["body"] for message in until("the texts arrived", inbound)}
assert arrived == set(texts), arrived
receipted = lambda: {pdu.receipted_message_id.decode().rstrip("\0") for pdu in deliveries if b"stat:DELIVRD" in pdu.short_message}
until("every part is receipted", lambda: len(answers) == count and receipted() == set(answers))

deliveries.clear()
sent = api("/audian/v2/messages", {"from": number, "to": "+" + OURS, "body": "And back: €"})["data"]["id"]
reply = until("the reply came", lambda: deliveries[:1])[0]
assert reply.source_addr.decode().lstrip("+") == number.lstrip("+"), reply.source_addr
assert reply.short_message == b"And back: \x1be", reply.short_message
until("it is delivered", lambda: api(f"/audian/v2/messages/{sent}")["data"]["status"] == "delivered")

for text, refused in (("16282020130", smpplib.consts.SMPP_ESME_RINVDSTADR),):
    errors = []
    client.set_error_pdu_handler(lambda pdu: errors.append(pdu.status))
    send(text, "refused")
    assert until("it is refused", lambda: errors)[0] == refused, errors
print(f"smpplib: {count} parts sent, {len(answers)} answered, receipts and a reply received")
sys.stdout.flush()
os._exit(0)  # the listening thread would go on
