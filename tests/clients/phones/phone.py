"""A telephone: baresip without a screen, which speaks a tone, writes down what it hears, and does as it is told."""

import json
import os
import queue
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import tones

PATIENCE = 20  # seconds until something that should happen counts as not happening

CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{sip}
sip_cafile {authority}
net_interface 127.0.0.1
rtp_ports {rtp}-{rtp_end}
audio_source aufile,{folder}/said.wav
audio_alert aufile,{folder}/alert.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
call_max_calls 4
call_hold_other_calls no
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
snd_path {folder}
module_app account.so
module_app contact.so
module_app menu.so
module ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


def free_port(width=1):
    """Ports that nobody has now, by datagram and by stream; below those that systems give out by themselves."""
    for _ in range(200):
        first = random.randrange(10000, 30000, 2)
        if all(is_free(first + place) for place in range(width)):
            return first
    raise AssertionError("there is no free port")


def is_free(port):
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


class Phone:
    """One baresip, for as long as the `with` lasts."""

    def __init__(self, name, account, tone=None, seconds=60, sip=None):
        """`account` is a line of baresip's file of accounts; `tone` what it says, in hertz; silence where there is none."""
        self.name = name
        self.folder = tempfile.mkdtemp(prefix=f"phone-{name}-")
        self.account = account
        self.sip = sip or free_port()
        self.control = free_port()
        self.events = queue.Queue()
        self.seen = []
        tones.write(os.path.join(self.folder, "said.wav"), tone, seconds)
        tones.write(os.path.join(self.folder, "alert.wav"), None, 1)

    def __enter__(self):
        rtp = free_port(width=20)
        with open(os.path.join(self.folder, "config"), "w") as file:
            file.write(CONFIG.format(folder=self.folder, sip=self.sip, control=self.control, rtp=rtp, rtp_end=rtp + 19, modules=modules(), authority=os.environ["authority"]))
        with open(os.path.join(self.folder, "accounts"), "w") as file:
            file.write(self.account + "\n")
        with open(os.path.join(self.folder, "contacts"), "w") as file:
            file.write("\n")
        self.log = open(os.path.join(self.folder, "log"), "w")
        self.process = subprocess.Popen(
            ["baresip", "-f", self.folder], stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT
        )
        self.line = self.connect()
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        try:
            self.tell("quit")
            self.process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.line.close()
        self.log.close()
        if os.environ.get("KEEP") is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", self.control), timeout=PATIENCE)
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise AssertionError(f"{self.name} does not start:\n{self.told()}")

    def told(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()[-4000:]

    def listen(self):
        """Reads what it says: netstrings with JSON in them."""
        self.line.settimeout(None)
        buffer = b""
        while True:
            try:
                more = self.line.recv(65536)
            except OSError:
                return
            if not more:
                return
            buffer += more
            while b":" in buffer:
                length, _, rest = buffer.partition(b":")
                if len(rest) < int(length) + 1:
                    break
                self.events.put(json.loads(rest[: int(length)]))
                buffer = rest[int(length) + 1 :]

    def tell(self, command, parameters=""):
        """Gives it a command of its menu."""
        text = json.dumps({"command": command, "params": parameters}).encode()
        self.line.sendall(b"%d:%s," % (len(text), text))

    def expect(self, kind, patience=PATIENCE, **members):
        """Waits for an event of a kind whose members hold these texts."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            try:
                event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                break
            self.seen.append(event)
            if event.get("type") == kind and all(text in str(event.get(name, "")) for name, text in members.items()):
                return event
        kinds = [(event.get("type") or event.get("data"), event.get("param", "")) for event in self.seen]
        raise AssertionError(f"{self.name} waited for {kind} {members} in vain; it saw {kinds}\n{self.told()}")

    def dial(self, uri):
        self.tell("dial", uri)

    def answer(self):
        self.expect("CALL_INCOMING")
        self.tell("accept")
        self.expect("CALL_ESTABLISHED")

    def hang_up(self):
        self.tell("hangup")

    def heard(self):
        """What it has heard so far."""
        files = sorted(name for name in os.listdir(self.folder) if name.endswith("-dec.wav"))
        return [sample for name in files for sample in tones.read(os.path.join(self.folder, name))]


def modules():
    """Where baresip's modules are."""
    for folder in ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules", "/usr/lib/aarch64-linux-gnu/baresip/modules"]:
        if os.path.isdir(folder):
            return folder
    raise AssertionError("baresip's modules are not where they are expected")
