"""Sends a message from a leased sender, answers it from a handset, and looks at the e-mail that the answer becomes."""
import base64, email, json, pathlib, sys, time, urllib.request
from email import policy

folder, base, account, token = sys.argv[1:5]
BASIC = "Basic " + base64.b64encode(f"{account}:{token}".encode()).decode()


def ask(method, path, body, authorization):
    request = urllib.request.Request(base + path, json.dumps(body).encode() if body else None, method=method)
    request.add_header("Authorization", authorization)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


project = ask("GET", "/fonedynamics/v2/Properties", None, BASIC)["Projects"][0]["PropertySid"]
wanted = {"To": "+14155550777", "Text": "Will you come?", "ForwardToEmail": "office@example.com", "ForwardFromEmail": "sms@acme.example"}
sent = ask("POST", f"/fonedynamics/v2/Properties/{project}/Messages", wanted, BASIC)["Message"]
answer = {"from": sent["To"], "to": sent["From"], "text": "Ja, gern – 👋"}
ask("POST", "/v1/pocket/messages", answer, f"Bearer {token}")
path = pathlib.Path(folder) / "mail-1.eml"
for _ in range(200):
    if path.exists():
        break
    time.sleep(0.1)
mail = email.message_from_bytes(path.read_bytes(), policy=policy.default)
assert mail["X-Envelope"] == "no-reply@tandem.example to office@example.com", mail["X-Envelope"]
assert (mail["From"], mail["Sender"], mail["To"]) == ("sms@acme.example", "no-reply@tandem.example", "office@example.com"), mail.items()
assert mail["Subject"] == f"SMS from {sent['To']} to {sent['From']}", mail["Subject"]
assert mail["Message-ID"].endswith("@tandem.example>"), mail["Message-ID"]
assert mail.get_content().strip() == "Ja, gern – 👋", mail.get_content()
time.sleep(1)
assert not (pathlib.Path(folder) / "mail-2.eml").exists(), "it came twice"
print("the reply was forwarded once, over STARTTLS and after a login")
