"""A real godwitd in a directory of its own."""

import http.client
import json
import os
import random
import select
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .waiting import wait_for

BUILD = Path(os.environ.get("GODWIT_BUILD_DIR", Path(__file__).resolve().parents[3] / "build/release"))
KEYS = {
    "server": "gws_server-key-of-the-tests",
    "client": "gwc_client-key-of-the-tests",
    "admin": "gwa_admin-key-of-the-tests",
    "other": "gws_key-of-another-app-here",
}


def free_port():
    """One below the range from which the kernel takes the ports of outgoing connections: those come and go meanwhile."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body) if self.body else None

    def __repr__(self):
        return f"<{self.status} {self.body[:500]!r}>"


class Broker:
    """`with Broker(channels=[…]) as broker:` starts godwitd, waits until it is ready, and drains it at the end.

    `channels` are entries of godwit.yaml's list; `extra` is merged into its top level. JSON is YAML, so no YAML is written here.
    """

    def __init__(self, channels=(), apps=None, extra=None, directory=None):
        self._own_directory = None
        if directory is None:
            self._own_directory = tempfile.TemporaryDirectory(prefix="godwit-test-")
            directory = self._own_directory.name
        self.directory = Path(directory)
        self.port = free_port()
        self.process = None
        self.config = {
            "data_dir": str(self.directory / "data"),
            "http": {"listen": f"127.0.0.1:{self.port}"},
            "admin_keys": [KEYS["admin"]],
            "apps": apps
            or [
                {"id": "app", "server_keys": [KEYS["server"]], "client_keys": [KEYS["client"]]},
                {"id": "other", "server_keys": [KEYS["other"]]},
            ],
            "channels": list(channels),
            "storage": {"ballast": 0},
        }
        for key, value in (extra or {}).items():
            if isinstance(value, dict) and isinstance(self.config.get(key), dict):
                self.config[key].update(value)
            else:
                self.config[key] = value

    # ---- life

    @property
    def config_file(self):
        return self.directory / "godwit.yaml"

    def write_config(self):
        self.config_file.write_text(json.dumps(self.config, indent=1))

    def start(self, seconds=20, environment=None):
        self.write_config()
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.directory / "notify"
        path.unlink(missing_ok=True)
        notify.bind(str(path))
        log = open(self.log_file, "ab")
        self.process = subprocess.Popen(
            [BUILD / "bin/godwitd", "--config", self.config_file],
            stdout=log, stderr=log, env={**os.environ, "NOTIFY_SOCKET": str(path), **(environment or {})},
        )
        log.close()
        ended = os.pidfd_open(self.process.pid)
        deadline = time.monotonic() + seconds
        try:
            while True:
                readable, _, _ = select.select([notify, ended], [], [], max(0, deadline - time.monotonic()))
                if notify in readable and b"READY=1" in notify.recv(4096):
                    return self
                if ended in readable:
                    raise AssertionError(f"godwitd ended with {self.process.wait()} before it was ready:\n{self.log()}")
                if not readable:
                    raise AssertionError(f"godwitd was not ready after {seconds} s:\n{self.log()}")
        finally:
            os.close(ended)
            notify.close()

    def stop(self, seconds=30):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"godwitd did not drain within {seconds} s:\n{self.log()}")
        return self.process.returncode if self.process else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    @property
    def log_file(self):
        return self.directory / "log"

    def log(self):
        return self.log_file.read_text(errors="replace")[-6000:] if self.log_file.exists() else ""

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, error, trace):
        code = self.stop()
        if error is not None:
            print("--- godwitd's log\n" + self.log())
        else:
            assert code == 0, f"godwitd ended with {code}:\n{self.log()}"
        if self._own_directory:
            self._own_directory.cleanup()

    # ---- calls

    def call(self, method, path, body=None, key="server", headers=None, seconds=30):
        """One HTTP call. `body`: a value (sent as JSON), bytes, or None. `key`: a name of KEYS, a literal key, or None."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        sent = dict(headers or {})
        if key is not None:
            sent.setdefault("Authorization", "Bearer " + KEYS.get(key, key))
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def expect(self, status, *arguments, **named):
        answer = self.call(*arguments, **named)
        assert answer.status == status, f"expected {status}, got {answer!r}"
        return answer.json

    def register(self, device_id, channels, key="client", **state):
        """Registers a device; `channels` maps an instance's name to a token (or None for a channel without tokens)."""
        bindings = {name: ({} if token is None else {"token": token}) for name, token in channels.items()}
        answer = self.call("PUT", f"/v1/devices/{device_id}", {"platform": "android", **state, "channels": bindings}, key=key)
        assert answer.status in (200, 201), answer
        return answer.json

    def push(self, to, title="Hello", headers=None, key="server", **options):
        body = {"to": to, "notification": {"title": title}}
        if options:
            body["options"] = options
        return self.expect(202, "POST", "/v1/messages", body, headers=headers, key=key)["message_id"]

    def message(self, message_id):
        return self.expect(200, "GET", f"/v1/messages/{message_id}")

    def deliveries(self, message_id):
        return self.expect(200, "GET", f"/v1/messages/{message_id}/deliveries")["deliveries"]

    def delivery(self, message_id):
        deliveries = self.deliveries(message_id)
        assert len(deliveries) == 1, deliveries
        return deliveries[0]

    def batch(self, messages, key="server"):
        """Sends messages as NDJSON; answers the answer lines."""
        body = "".join(json.dumps(m) + "\n" for m in messages).encode()
        answer = self.call("POST", "/v1/messages/batch", body, key=key, headers={"Content-Type": "application/x-ndjson"})
        assert answer.status == 200, answer
        return [json.loads(line) for line in answer.body.decode().splitlines() if line]

    def wait_status(self, message_id, *statuses, seconds=15):
        return wait_for(lambda: self.message(message_id)["status"] in statuses, seconds,
                        lambda: f"{' or '.join(statuses)} of {self.message(message_id)} {self.deliveries(message_id)}")

    def wait_complete(self, message_id, seconds=15):
        return wait_for(lambda: self.message(message_id)["complete"], seconds, lambda: f"the end of {self.message(message_id)}")

    def delivery_when_attempted(self, message_id, seconds=15):
        return wait_for(lambda: next((d for d in self.deliveries(message_id) if d["attempts"]), None), seconds, f"an attempt at {message_id}")

    def live_channels(self, device_id):
        """The channels of a device whose token is not known to be dead."""
        channels = self.expect(200, "GET", f"/v1/devices/{device_id}")["channels"]
        return {name for name, binding in channels.items() if not binding.get("invalid")}

    def channel(self, name):
        channels = self.expect(200, "GET", "/v1/channels", key="admin")["channels"]
        return next(c for c in channels if c["name"] == name)

    def metric(self, name, **labels):
        """The sum of a metric's samples that carry the labels."""
        total, found = 0.0, False
        for line in self.call("GET", "/metrics", key=None).body.decode().splitlines():
            if line.startswith("#") or not line.startswith(name):
                continue
            head, value = line.rsplit(" ", 1)
            if head.split("{")[0] == name and all(f'{k}="{v}"' in head for k, v in labels.items()):
                total, found = total + float(value), True
        return total if found else None
