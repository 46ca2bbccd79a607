"""Fake vendors as processes of their own."""

import http.client
import json
import subprocess
import sys
from pathlib import Path

FAKES = Path(__file__).resolve().parents[2] / "fakes"


class Fake:
    """`with` runs a script of tests/fakes; its --help tells what it can be told to do."""

    SCRIPT, ARGUMENTS = "", ()

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, FAKES / self.SCRIPT, *self.ARGUMENTS], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("PORT "), line
        self.port = int(line.split()[1])
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self.port}"

    def control(self, name, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("POST" if body is not None else "GET", f"/_control/{name}", body=json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        value = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, value
        return value

    def behave(self, behaviours=None, **more):
        self.control("behave", {**(behaviours or {}), **more})

    def arrivals(self, message_id=None, accepted=True):
        """What the vendor took (or, with accepted=False, only read), of one message or of all."""
        return [a for a in self.control("arrivals") if a["accepted"] == accepted and message_id in (None, a["message"])]

    def receipt(self, url, data):
        """Sends a receipt of any content; answers the HTTP status that the broker gave."""
        return self.control("receipt", {"url": url, "data": data})["status"]


class FakeVendor(Fake):
    """Mi Push. `classes` ({"100001": "public"}) are the message classes that a push must name."""

    SECRET, PACKAGE, SCRIPT = "FAKEsecret", "com.example.shop", "fake_mipush.py"

    def __init__(self, classes=None):
        self.ARGUMENTS = ("--secret", self.SECRET, "--package", self.PACKAGE,
                          "--classes", ",".join(f"{name}:{kind}" for name, kind in (classes or {}).items()))

    def calls(self):
        return self.control("calls")


class FakeTpns(Fake):
    """TPNS, and Xinge V3 and V2; an access id that begins with 16 is an iOS app, one with letters a V3 one."""

    SECRET, SCRIPT = "00112233445566778899aabbccddeeff", "fake_tpns.py"

    def __init__(self, access_id="1500001234"):
        self.access_id = access_id
        self.ARGUMENTS = ("--secret", self.SECRET, "--access-id", access_id)

    def calls(self):
        return self.control("calls")
