"""TLS, WebSocket and both, with clients that we did not write: mosquitto, paho and MQTT.js in both versions."""

import json
import os
import queue
import socket
import ssl
import subprocess
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from godwit_testing import Broker, free_port, own_connection

HERE = Path(__file__).parent
# Debian's place for JavaScript modules: its own node looks there by itself, others have to be told.
NODE = {**os.environ, "NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}
TRANSPORTS = ["tcp", "tls", "ws", "wss"]


class Place:
    def __init__(self, broker, ports, ca):
        self.broker, self.ports, self.ca = broker, ports, ca


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    ports = {name: free_port() for name in TRANSPORTS}
    channel = own_connection(ports["tcp"], websocket=f"127.0.0.1:{ports['ws']}", tls={
        "listen": f"127.0.0.1:{ports['tls']}", "websocket": f"127.0.0.1:{ports['wss']}",
        "cert_file": str(folder / "cert.pem"), "key_file": str(folder / "key.pem")})
    with Broker(channels=[channel]) as broker:
        yield Place(broker, ports, folder / "cert.pem")


@pytest.fixture
def phone(place, request):
    name = request.node.name.replace("[", "-").replace("]", "")[:60]
    return name, place.broker.register(name, {"selfconn": None})["credential"]


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_mqttjs(place, phone, transport, version):
    name, credential = phone
    scheme = {"tcp": "mqtt", "tls": "mqtts"}.get(transport, transport)
    path = "/mqtt" if transport.startswith("ws") else ""
    sent = [place.broker.push({"device": name}, f"number {n}") for n in range(3)]
    order = {"url": f"{scheme}://localhost:{place.ports[transport]}{path}", "client_id": name, "credential": credential,
             "version": version, "count": 3, "ca": str(place.ca) if transport in ("tls", "wss") else None}
    done = subprocess.run(["/usr/bin/node", HERE / "mqttjs_device.js", json.dumps(order)], capture_output=True, text=True,
                          timeout=60, env=NODE)
    assert done.returncode == 0, (done.stdout, done.stderr)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {"connect": False} in lines and {"subscribed": 1} in lines, lines
    assert [line["message_id"] for line in lines if "message_id" in line] == sent
    assert all(line["qos"] == 1 and line["topic"] == "godwit/inbox" for line in lines if "message_id" in line)
    for message_id in sent:
        place.broker.wait_status(message_id, "opened")


def test_mqttjs_is_told_that_its_credential_is_wrong(place, phone):
    order = {"url": f"ws://localhost:{place.ports['ws']}/mqtt", "client_id": phone[0], "credential": "nonsense", "version": 5,
             "count": 1}
    done = subprocess.run(["/usr/bin/node", HERE / "mqttjs_device.js", json.dumps(order)], capture_output=True, text=True,
                          timeout=60, env=NODE)
    assert done.returncode == 1 and '"code":134' in done.stdout, done  # 0x86


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_paho(place, phone, transport, version):
    name, credential = phone
    arguments = {} if version == 5 else {"clean_session": True}
    client = paho.Client(client_id=name, protocol=version, transport="websockets" if transport.startswith("ws") else "tcp",
                         **arguments)
    client.username_pw_set("app", credential)
    if transport in ("tls", "wss"):
        client.tls_set(ca_certs=str(place.ca))
    if transport.startswith("ws"):
        client.ws_set_options(path="/mqtt")
    inbox, codes = queue.Queue(), queue.Queue()
    client.on_message = lambda c, u, m: inbox.put(json.loads(m.payload))
    client.on_connect = lambda c, u, flags, code, *p: codes.put(code)
    client.connect("localhost", place.ports[transport])
    client.loop_start()
    try:
        assert codes.get(timeout=10) == 0
        large = place.broker.push({"device": name}, "x" * 3000)
        small = place.broker.push({"device": name}, "small")
        assert [inbox.get(timeout=10)["message_id"] for _ in range(2)] == [large, small]
        place.broker.wait_status(large, "delivered")
        info = client.publish("godwit/events", json.dumps({"message_id": small, "event": "opened"}), qos=2)
        info.wait_for_publish(10)
        place.broker.wait_status(small, "opened")
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.mark.parametrize("tls", ["tlsv1.2", "tlsv1.3"])
@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_sub_over_tls(place, phone, version, tls):
    name, credential = phone
    message_id = place.broker.push({"device": name})
    command = ["mosquitto_sub", "-V", version, "-h", "localhost", "-p", str(place.ports["tls"]), "--cafile", place.ca,
               "--tls-version", tls, "--tls-alpn", "mqtt", "-i", name, "-u", "app", "-P", credential, "-t", "godwit/inbox",
               "-q", "1", "-C", "1", "-W", "15"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and json.loads(done.stdout)["message_id"] == message_id, done
    place.broker.wait_status(message_id, "delivered")


def test_tls_below_1_2_is_refused(place):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", place.ports["tls"])) as plain, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(plain)
