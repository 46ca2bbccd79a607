"""Debian's mosquitto_sub and mosquitto_pub as devices, in both versions of the protocol, through the whole broker."""

import json
import subprocess

import pytest
from godwit_testing import Broker, free_port, own_connection, wait_for

VERSIONS = ["mqttv311", "mqttv5"]


@pytest.fixture(scope="module")
def place():
    port = free_port()
    with Broker(channels=[own_connection(port)]) as broker:
        yield broker, port


class Phone:
    """A registered device with a name of its own, and the command lines that act for it."""

    def __init__(self, place, name):
        self.broker, self.port = place
        self.name = name
        self.credential = self.broker.register(name, {"selfconn": None}, user_id=f"user-of-{name}")["credential"]

    def _command(self, program, version, *arguments, credential=None):
        return [program, "-V", version, "-p", str(self.port), "-i", self.name, "-u", "app",
                "-P", credential or self.credential, *arguments]

    def sub(self, version, *arguments, count=1, **named):
        command = self._command("mosquitto_sub", version, "-W", "15", "-C", str(count), "-t", "godwit/inbox",
                                "-F", "%t %q %r %p", *arguments, **named)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def pub(self, version, payload, *arguments, topic="godwit/events", **named):
        command = self._command("mosquitto_pub", version, "-t", topic, "-m", payload, *arguments, **named)
        return subprocess.run(command, capture_output=True, text=True, timeout=20)

    def received(self, process):
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, (process.returncode, out, err)
        messages = []
        for line in out.splitlines():
            topic, qos, retain, payload = line.split(" ", 3)
            assert (topic, qos, retain) == ("godwit/inbox", "1", "0"), line
            messages.append(json.loads(payload))
        return messages

    def push(self, title="Hello", **options):
        return self.broker.push({"device": self.name}, title, **options)

    def connections(self):
        return self.broker.metric("godwit_connections", channel="selfconn") or 0


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_what_waited_is_received_and_receipted(place, version, qos):
    phone = Phone(place, f"waiting-{version}-{qos}")
    sent = [phone.push(f"number {n}") for n in range(3)]
    process = phone.sub(version, "-q", qos, count=4)
    for message_id in sent:
        phone.broker.wait_status(message_id, "delivered")
    sent.append(phone.push("number 3"))  # the client resets the connection behind its last one if it has not read all
    got = phone.received(process)
    assert [m["message_id"] for m in got] == sent
    assert [m["notification"]["title"] for m in got] == ["number 0", "number 1", "number 2", "number 3"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_held_connection_receives_at_once(place, version):
    phone = Phone(place, f"held-{version}")
    before = phone.connections()
    process = phone.sub(version, "-q", "1", "-k", "30")
    wait_for(lambda: phone.connections() == before + 1)
    message_id = phone.push()
    [message] = phone.received(process)
    assert message["message_id"] == message_id and message["sent_at"].endswith("Z")
    phone.broker.wait_status(message_id, "delivered")
    wait_for(lambda: phone.connections() == before)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_an_event_that_a_device_publishes_counts(place, version, qos):
    phone = Phone(place, f"event-{version}-{qos}")
    message_id = phone.push()
    process = phone.sub(version, "-q", "1", count=2)
    phone.broker.wait_status(message_id, "delivered")
    phone.push("the last one")
    phone.received(process)
    answer = phone.pub(version, json.dumps({"message_id": message_id, "event": "opened"}), "-q", qos)
    assert answer.returncode == 0, answer
    phone.broker.wait_status(message_id, "opened")
    receipts = {r["event"]: r["kind"] for r in phone.broker.delivery(message_id)["receipts"]}
    assert receipts == {"delivered": "device", "opened": "device"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_that_is_kept_receives_what_comes_meanwhile(place, version):
    phone = Phone(place, f"kept-{version}")
    first = phone.push()
    assert phone.received(phone.sub(version, "-q", "1", "-c"))[0]["message_id"] == first
    second = phone.push()
    assert phone.received(phone.sub(version, "-q", "1", "-c"))[0]["message_id"] == second


@pytest.mark.parametrize("version", VERSIONS)
def test_a_will_is_accepted(place, version):
    phone = Phone(place, f"will-{version}")
    message_id = phone.push()
    process = phone.sub(version, "-q", "1", "--will-topic", "gone", "--will-payload", "bye", "--will-qos", "1")
    assert phone.received(process)[0]["message_id"] == message_id


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_credential_is_refused(place, version):
    phone = Phone(place, f"wrong-{version}")
    other = Phone(place, f"other-{version}")
    for credential in ("nonsense", other.credential, phone.credential[:-2] + "AA"):
        process = phone.sub(version, credential=credential)
        out, err = process.communicate(timeout=30)
        assert process.returncode != 0 and out == ""
        assert "not authori" in err.lower() or "bad user name" in err.lower(), err


@pytest.mark.parametrize("version", VERSIONS)
def test_other_topics_are_not_for_devices(place, version):
    phone = Phone(place, f"topics-{version}")
    process = subprocess.run(phone._command("mosquitto_sub", version, "-W", "2", "-t", "other/topic", "-q", "1", "-E"),
                             capture_output=True, text=True, timeout=20)
    assert "all subscription requests were denied" in (process.stdout + process.stderr).lower(), process
    if version == "mqttv5":
        answer = phone.pub(version, "x", "-q", "1", topic="other/topic")
        assert "not authorized" in (answer.stdout + answer.stderr).lower(), answer
