"""A fake APNs as a process of its own (tests/fakes/fake_apns.py; its --help tells the behaviours), and the channel that points to it."""

import hashlib
import http.client
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from .vendor import FAKES

TOPIC, TEAM, KEY_ID = "org.example.chat", "TEAMID0001", "FAKEKEY001"


def ios_token(name):
    """A device token that is always the same for a name: 64 hexadecimal digits."""
    return hashlib.sha256(name.encode()).hexdigest()


def make_p8(path):
    """A fresh key as Apple makes them: PKCS#8, EC P-256."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path], check=True, capture_output=True)
    return Path(path)


def make_client_certificate(path, days=365):
    """A self-signed certificate and its key in one PEM file."""
    key = Path(f"{path}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", str(days), "-subj",
                    f"/UID={TOPIC}/CN=Apple Push Services: {TOPIC}", "-keyout", key, "-out", path], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


class FakeApple:
    """`with FakeApple() as apple:`; `arguments` are those of fake_apns.py."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="godwit-apple-")
        self.key = make_p8(Path(self._folder.name) / "key.p8")
        self.process = subprocess.Popen([sys.executable, FAKES / "fake_apns.py", "--key", self.key, *self.arguments], stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        assert words[:1] == ["PORT"], words
        self.port, self.control_port, self.ca = int(words[1]), int(words[3]), words[5]
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self._folder.cleanup()

    @property
    def origin(self):
        return f"https://localhost:{self.port}"

    def control(self, name, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=30)
        connection.request("GET" if body is None else "POST", "/" + name, body=None if body is None else json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def behave(self, behaviours):
        """{name of a device: behaviour}; the names are those of ios_token."""
        self.control("behave", {ios_token(name): behaviour for name, behaviour in behaviours.items()})

    def pushes(self, name=None):
        return [p for p in self.control("pushes") if name is None or p["token"] == ios_token(name)]

    def state(self):
        return self.control("state")

    def channel(self, name="apns", **config):
        """The entry of godwit.yaml; a property that is None is left out."""
        settings = {"origin": self.origin, "sandbox_origin": self.origin,
                    "manage_origin": self.origin, "sandbox_manage_origin": self.origin, "ca_file": self.ca, "topic": TOPIC, "team_id": TEAM,
                    "key_id": KEY_ID, "key": f"${{file:{self.key}}}", **config}
        settings = {name: value for name, value in settings.items() if value is not None}
        return {"name": name, "plugin": "apns", "config": settings}
