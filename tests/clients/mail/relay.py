"""A mail relay on a free port: STARTTLS and a login before anything is taken. What it takes it writes to FOLDER/mail-N.eml."""
import pathlib, socket, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

folder = pathlib.Path(sys.argv[1])


class Keep:
    taken = 0

    async def handle_DATA(self, server, session, envelope):
        Keep.taken += 1
        head = f"X-Envelope: {envelope.mail_from} to {', '.join(envelope.rcpt_tos)}\r\n".encode()
        (folder / f"mail-{Keep.taken}.part").write_bytes(head + envelope.content)
        (folder / f"mail-{Keep.taken}.part").rename(folder / f"mail-{Keep.taken}.eml")
        return "250 Queued"


def login(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == (b"tandem", b"secret")
    return AuthResult(success=known)


context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(folder / "relay.pem", folder / "relay.key")
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
controller = Controller(Keep(), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True,
                        authenticator=login, auth_required=True)
controller.start()
(folder / "relay.port").write_text(str(port))
while True:
    time.sleep(60)
