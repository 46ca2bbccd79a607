"""Servers that we did not write, as APNs' stand-ins: nghttpd, h2o with answers in mruby, Node's http2."""

import json
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from godwit_testing import Broker, free_port, ios_token, make_p8, wait_for

HERE = Path(__file__).parent
TOKEN = ios_token("interop")
# One attempt decides: what is unknown or refused stays visible instead of being repeated elsewhere.
PATIENT = {"log": {"level": "warn"}}


class Peer:
    """A process with a certificate for localhost; `command(self)` says how to run it."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="godwit-peer-")
        self.folder = Path(self._folder.name)
        self.port = free_port()
        self.ca, self.server_key, self.key = self.folder / "server.pem", self.folder / "server.key", make_p8(self.folder / "key.p8")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=peer", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.server_key, "-out", self.ca],
                       check=True, capture_output=True)
        self.process = None
        self.start()
        return self

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log)
        self.await_port()

    def await_port(self):
        def answers():
            probe = subprocess.run(["curl", "-s", "--http2", "--cacert", self.ca, "-o", "/dev/null", f"https://localhost:{self.port}/"])
            return probe.returncode == 0
        wait_for(answers, 20, lambda: (self.folder / "log").read_text(errors="replace"))

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self._folder.cleanup()

    def channel(self, **config):
        settings = {"origin": f"https://localhost:{self.port}", "ca_file": str(self.ca), "topic": "org.example.chat",
                    "team_id": "TEAMID0001", "key_id": "FAKEKEY001", "key": f"${{file:{self.key}}}", **config}
        return {"name": "apns", "plugin": "apns", "config": settings}


class Nghttpd(Peer):
    def __init__(self, *arguments):
        self.arguments = arguments

    def command(self):
        devices = self.folder / "root/3/device"
        devices.mkdir(parents=True, exist_ok=True)
        (devices / TOKEN).write_bytes(b"")
        return ["nghttpd", "-a", "127.0.0.1", *self.arguments, "-d", self.folder / "root", str(self.port), self.server_key, self.ca]


class H2o(Peer):
    """Answers in Ruby; the access log tells the apns-id of every request that was answered."""

    def __init__(self, handler, idle_seconds=60):
        self.handler, self.idle_seconds = handler, idle_seconds

    def command(self):
        (self.folder / "h2o.conf").write_text(f"""
num-threads: 1
http2-idle-timeout: {self.idle_seconds}
access-log: {{path: "{self.folder}/access", format: "%s %{{apns-id}}i"}}
hosts:
  default:
    listen: {{host: 127.0.0.1, port: {self.port}, ssl: {{certificate-file: "{self.ca}", key-file: "{self.server_key}"}}}}
    paths:
      "/":
        mruby.handler: |
          {self.handler}
""")
        return ["h2o", "-c", self.folder / "h2o.conf"]

    def answered(self):
        """apns-ids of the pushes that were answered 200, repeats included."""
        lines = (self.folder / "access").read_text().splitlines()
        return [line.split()[1] for line in lines if line.startswith("200 ") and line.split()[1] != "-"]


class ScriptedPeer(Peer):
    def __init__(self, mode):
        self.mode = mode

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(["node", HERE / "scripted_peer.mjs", self.mode, self.ca, self.server_key], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        words = self.process.stdout.readline().split()
        self.port, self.control_port = int(words[1]), int(words[3])

    def __exit__(self, *error):
        self.process.stdout.close()
        super().__exit__(*error)

    def counts(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control_port}/") as answer:
            return json.load(answer)


class TinyProxy:
    """tinyproxy, which lets nobody through without the password; `url(user)` is what the broker is told."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="godwit-proxy-")
        self.log, self.port = Path(self._folder.name) / "log", free_port()
        settings = Path(self._folder.name) / "conf"
        settings.write_text(f'Port {self.port}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 20\nLogFile "{self.log}"\n'
                            "LogLevel Connect\nBasicAuth ann s3cret\n")
        self.process = subprocess.Popen(["tinyproxy", "-d", "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{self.port}/"]).returncode == 0, 20)
        return self

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self._folder.cleanup()

    def url(self, user="ann:s%33cret"):  # tinyproxy's passwords are letters and digits, so one of them is encoded
        return f"http://{user}@127.0.0.1:{self.port}"

    def asked_for(self):
        """Addresses that somebody asked to be connected to."""
        return [line.split("CONNECT ")[-1].split()[0] for line in self.log.read_text().splitlines() if ": CONNECT " in line]


def push_many(broker, count, token=TOKEN):
    """Accepts `count` messages to one token, in pieces; answers their ids."""
    ids = []
    for start in range(0, count, 5000):
        messages = [{"to": {"token": {"channel": "apns", "token": token}}, "notification": {"title": f"n{n}"}, "options": {"ttl": 600}}
                    for n in range(start, min(count, start + 5000))]
        lines = broker.batch(messages)
        assert not [line for line in lines if "error" in line], lines[:3]
        ids += [line["message_id"] for line in lines]
    return ids


def ended(broker, *states):
    return sum(int(broker.metric("godwit_messages_total", app="app", state=state) or 0) for state in states)


def wait_all_sent(broker, count, *also, seconds=180):
    wait_for(lambda: ended(broker, "sent", *also) >= count, seconds,
             lambda: f"{count} sent: " + "\n".join(line for line in broker.call("GET", "/metrics", key=None).body.decode().splitlines()
                                                   if line.startswith(("godwit_attempts", "godwit_vendor_http", "godwit_messages"))))


def attempts(broker, result):
    return int(broker.metric("godwit_attempts_total", channel="apns", result=result) or 0)


def http(broker, name, **labels):
    return int(broker.metric("godwit_vendor_http_" + name, channel="apns", **labels) or 0)


__all__ = ["Broker", "H2o", "Nghttpd", "PATIENT", "ScriptedPeer", "TOKEN", "TinyProxy", "attempts", "ended", "http", "push_many", "wait_all_sent"]
