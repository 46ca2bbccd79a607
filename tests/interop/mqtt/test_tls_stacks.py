"""TLS 1.3 by two stacks, OpenSSL's and GnuTLS's, against the record layer of our own: each suite, with changes of keys by
either side in the middle of a connection. MQTT is said by hand, for the tools know none."""

import json
import subprocess
import threading

import pytest
from godwit_testing import Broker, free_port, own_connection, wait_for

SUITES = {"TLS_AES_128_GCM_SHA256": "AES-128-GCM", "TLS_AES_256_GCM_SHA384": "AES-256-GCM",
          "TLS_CHACHA20_POLY1305_SHA256": "CHACHA20-POLY1305"}
# What makes the tool change its own keys only, and what makes it ask us for new ones too; and what it says when it has.
KEY_CHANGES = {"openssl": [b"k\n", b"K\n"], "gnutls": [b"^rekey1^\n", b"^rekey^\n"]}
DONE = {"openssl": b"KEYUPDATE\n", "gnutls": b"- Rekey was completed\n"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)
    port = free_port()
    channel = own_connection(free_port(), tls={"listen": f"127.0.0.1:{port}", "cert_file": str(folder / "cert.pem"),
                                               "key_file": str(folder / "key.pem")})
    with Broker(channels=[channel]) as broker:
        yield broker, port, folder / "cert.pem"


def command(tool, suite, port, ca):
    if tool == "openssl":
        return ["openssl", "s_client", "-connect", f"localhost:{port}", "-tls1_3", "-ciphersuites", suite, "-CAfile", ca,
                "-verify_return_error", "-brief"]
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{SUITES[suite]}"
    return ["stdbuf", "-o0", "gnutls-cli", "localhost", "-p", str(port), "--x509cafile", ca, "--priority", priority,
            "--inline-commands"]


class Phone:
    """MQTT 3.1.1 through the pipes of a tool, whose own words stand between the packets."""

    def __init__(self, tool, arguments, name, credential):
        self.tool, self.heard = tool, bytearray()
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._collect, daemon=True).start()
        fields = b"".join(len(s).to_bytes(2, "big") + s for s in (name.encode(), b"app", credential.encode()))
        body = b"\0\4MQTT\4\xc2\0\0" + fields
        self.say(bytes([0x10, len(body) & 127 | 128, len(body) >> 7]) + body)
        self.forget_until(b"\x20\2\0\0")

    def _collect(self):
        while piece := self.process.stdout.read1(4096):
            self.heard += piece

    def say(self, piece):
        self.process.stdin.write(piece)
        self.process.stdin.flush()

    def forget_until(self, mark):
        wait_for(lambda: mark in self.heard, what=lambda: f"{mark} after {self.heard}")
        del self.heard[:self.heard.index(mark) + len(mark)]

    def change_keys(self, order):
        # An order stands at the beginning of a line, and alone in what the tool reads at once: so the packet before it
        # ends in a line feed and is answered, and what the order did is waited for.
        self.say(b"\x32\6\0\1x\0\7\n")
        self.forget_until(b"\x40\2\0\7")
        self.say(order)
        self.forget_until(DONE[self.tool])

    def packet(self):
        def size():  # of the first packet: each is shorter than 16 kB
            if len(self.heard) < 3:
                return None
            low = self.heard[1]
            return 2 + low if low < 128 else 3 + (low & 127) + (self.heard[2] << 7)
        wait_for(lambda: size() and len(self.heard) >= size(), what=lambda: f"a packet: {self.heard}")
        packet = bytes(self.heard[:size()])
        del self.heard[:len(packet)]
        return packet

    def receive(self):
        packet = self.packet()
        assert packet[0] == 0x32, packet
        start = 2 if packet[1] < 128 else 3
        topic = packet[start + 2:start + 2 + int.from_bytes(packet[start:start + 2], "big")]
        rest = packet[start + 2 + len(topic):]
        self.say(b"\x40\2" + rest[:2])
        return json.loads(rest[2:])["message_id"]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("tool", KEY_CHANGES)
def test_keys_change_while_messages_flow(place, tool, suite):
    broker, port, ca = place
    name = f"{tool}-{SUITES[suite]}"
    phone = Phone(tool, command(tool, suite, port, ca), name, broker.register(name, {"selfconn": None})["credential"])
    try:
        for order in [None, *KEY_CHANGES[tool], *reversed(KEY_CHANGES[tool])]:
            if order:
                phone.change_keys(order)
            message_id = broker.push({"device": name}, "x" * 2000)
            assert phone.receive() == message_id
            broker.wait_status(message_id, "delivered")
    finally:
        phone.process.kill()
        phone.process.wait()
