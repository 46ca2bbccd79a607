"""A stranger copies the lines of docs/channels/selfconn.md: each client must receive a message as printed there."""

import os
import re
import subprocess
import threading

import pytest
from godwit_testing import BUILD, KEYS, Broker, free_port, own_connection

PAGE = (BUILD.parents[1] / "docs/channels/selfconn.md").read_text()
ENVIRONMENT = {**os.environ, "PATH": f"{BUILD}/bin:{os.environ['PATH']}", "NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs",
               "PYTHONUNBUFFERED": "1"}


def block(language, behind):
    return re.search(rf"```{language}\n(.*?)```", PAGE[PAGE.index(behind):], re.S).group(1)


class Place:
    """A broker with the names and ports of the test, and the page's lines with those in place of the printed ones."""

    def __init__(self, broker, port, websocket, folder):
        self.broker, self.folder = broker, folder
        self.names = {'"demo"': '"app"', '"127.0.0.1", 1883': f'"127.0.0.1", {port}', "127.0.0.1 1883": f"127.0.0.1 {port}",
                      "127.0.0.1:8484": f"127.0.0.1:{websocket}"}
        (folder / "run").mkdir()
        (folder / "run/godwit.env").write_text(
            f"export GODWIT_URL=http://127.0.0.1:{broker.port} GODWIT_CLIENT_KEY={KEYS['client']} GODWIT_APP=app GODWIT_MQTT_PORT={port}\n")
        register = block("sh", "## Connect") + "\necho $CREDENTIAL"
        done = subprocess.run(["bash", "-ec", register], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0 and len(done.stdout) > 20, done
        self.credential = done.stdout.strip()

    def printed(self, text):
        for there, here in self.names.items():
            text = text.replace(there, here)
        return text

    def run_until(self, status, program, *arguments):
        message_id = self.broker.push({"device": "phone-1"}, "Hello")
        client = subprocess.Popen([program, *arguments], cwd=self.folder, env=ENVIRONMENT, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        guard = threading.Timer(20, client.kill)
        guard.start()
        try:
            if program != "node":  # whose lines print nothing
                assert any(message_id in line for line in client.stdout), f"{message_id} was not printed"
            self.broker.wait_status(message_id, status)
        finally:
            guard.cancel()
            client.kill()
            client.communicate()

    def shell(self, line):
        return f'source run/godwit.env; CREDENTIAL="{self.credential}"; exec {self.printed(line)}'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    port, websocket = free_port(), free_port()
    with Broker(channels=[own_connection(port, websocket=f"127.0.0.1:{websocket}")]) as broker:
        yield Place(broker, port, websocket, tmp_path_factory.mktemp("page"))


def test_mosquitto_sub(place):
    place.run_until("delivered", "bash", "-c", place.shell("stdbuf -oL " + block("sh", "**mosquitto_sub**")))


def test_paho(place):
    program = f'credential = "{place.credential}"\n' + place.printed(block("python", "**paho-mqtt"))
    place.run_until("opened", "/usr/bin/python3", "-c", program)


def test_mqttjs(place):
    program = f'const mqtt = require("mqtt"), credential = "{place.credential}";\n' + place.printed(block("js", "**MQTT.js**"))
    place.run_until("opened", "node", "-e", program)


def test_the_device_library(place):
    place.run_until("opened", "bash", "-c", place.shell(re.search(r"`(godwit-device .*?)`", PAGE).group(1)))
