"""Fake vendors as processes of their own."""

import http.client
import json
import subprocess
import sys
from pathlib import Path

FAKES = Path(__file__).resolve().parents[2] / "fakes"


class FakeVendor:
    """`with FakeVendor() as vendor:` runs tests/fakes/fake_mipush.py; its --help tells the behaviours."""

    SECRET, PACKAGE = "FAKEsecret", "com.example.shop"

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, FAKES / "fake_mipush.py", "--secret", self.SECRET, "--package", self.PACKAGE],
                                        stdout=subprocess.PIPE, text=True)
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

    def behave(self, **behaviours):
        self.control("behave", behaviours)

    def arrivals(self, message_id=None, accepted=True):
        """What the vendor took (or, with accepted=False, only read), of one message or of all."""
        return [a for a in self.control("arrivals") if a["accepted"] == accepted and message_id in (None, a["message"])]

    def receipt(self, url, data):
        """Sends a receipt of any content; answers the HTTP status that the broker gave."""
        return self.control("receipt", {"url": url, "data": data})["status"]
