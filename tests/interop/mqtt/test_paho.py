"""paho-mqtt (Python) as a device: what a library does with windows, reconnects, reasons and properties."""

import json
import queue

import paho.mqtt.client as paho
import pytest
from godwit_testing import Broker, MqttDevice, free_port, own_connection, wait_for
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSIONS = [4, 5]


@pytest.fixture(scope="module")
def place():
    port = free_port()
    with Broker(channels=[own_connection(port, keep_alive=600, keep_alive_first=0)]) as broker:
        yield broker, port


@pytest.fixture
def phone(place, request):
    broker, port = place
    name = request.node.name.replace("[", "-").replace("]", "")[:60]
    return broker, port, name, broker.register(name, {"selfconn": None})["credential"]


def hello(**values):
    properties = Properties(PacketTypes.CONNECT)
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


class Probe:
    """A paho client whose every callback ends in a queue."""

    def __init__(self, port, name, credential, version, properties=None, clean=True, keepalive=60, manual=False):
        self.events = queue.Queue()
        arguments = {"clean_session": clean} if version == 4 else {}
        self.client = paho.Client(client_id=name, protocol=version, **arguments)
        self.client.username_pw_set("app", credential)
        self.client.on_connect = lambda c, u, flags, code, *p: self.events.put(("connect", code, flags, *p))
        self.client.on_disconnect = lambda c, u, code, *p: self.events.put(("disconnect", code, *p))
        self.client.on_message = lambda c, u, m: self.events.put(("message", json.loads(m.payload), m))
        self.client.on_publish = lambda c, u, mid: self.events.put(("publish", mid))
        self.client.on_subscribe = lambda c, u, mid, codes, *p: self.events.put(("subscribe", codes))
        connect = {"clean_start": clean, "properties": properties} if version == 5 else {}
        self.client.connect("127.0.0.1", port, keepalive=keepalive, **connect)
        self.client.loop_start()

    def expect(self, kind, seconds=10):
        event = self.events.get(timeout=seconds)
        assert event[0] == kind, event
        return event[1:]

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hundred_messages_arrive_in_order_once_each(phone, version):
    broker, port, name, credential = phone
    with MqttDevice(port, "app", name, credential, version=version) as device:
        sent = [broker.push({"device": name}, f"{n}") for n in range(100)]
        got = [device.receive()["message_id"] for _ in sent]
        assert got == sent
        for message_id in sent:
            broker.wait_status(message_id, "delivered")
        assert device.inbox.empty()


def test_the_connack_tells_a_version_5_client_the_limits(phone):
    broker, port, name, credential = phone
    probe = Probe(port, name, credential, 5, hello(SessionExpiryInterval=0xFFFFFFFF), keepalive=1200)
    code, flags, properties = probe.expect("connect")
    assert str(code) == "Success" and flags["session present"] == 0
    assert properties.ServerKeepAlive == 600 and properties.SessionExpiryInterval == 7 * 24 * 3600
    assert properties.ReceiveMaximum == 16 and properties.RetainAvailable == 0
    probe.close()


def test_a_client_that_allows_an_alias_gets_the_topic_once(phone):
    broker, port, name, credential = phone
    probe = Probe(port, name, credential, 5, hello(TopicAliasMaximum=10))
    probe.expect("connect")
    for n in range(3):
        broker.push({"device": name}, f"{n}", ttl=90)
    for n in range(3):
        body, message = probe.expect("message")
        assert body["notification"]["title"] == f"{n}" and message.properties.TopicAlias == 1
        assert 80 <= message.properties.MessageExpiryInterval <= 90
        assert message.topic == ("godwit/inbox" if n == 0 else "")  # paho leaves the alias to the application
    probe.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_second_connection_takes_over(phone, version):
    broker, port, name, credential = phone
    first = Probe(port, name, credential, version)
    first.expect("connect")
    second = Probe(port, name, credential, version)
    second.expect("connect")
    first.client.reconnect_delay_set(60)
    [code, *_] = first.expect("disconnect")
    if version == 5:
        assert "Session taken over" in str(code)
    message_id = broker.push({"device": name})
    assert second.expect("message")[0]["message_id"] == message_id
    first.client.loop_stop()
    second.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_events_are_acknowledged_and_count(phone, version):
    broker, port, name, credential = phone
    with MqttDevice(port, "app", name, credential, version=version) as device:
        message_id = broker.push({"device": name})
        device.receive()
        broker.wait_status(message_id, "delivered")
        device.report(message_id, "opened")  # waits for the PUBACK
        broker.wait_status(message_id, "opened")


@pytest.mark.parametrize("version", VERSIONS)
def test_subscriptions_are_answered(phone, version):
    broker, port, name, credential = phone
    probe = Probe(port, name, credential, version)
    probe.expect("connect")
    probe.client.subscribe([("godwit/inbox", paho.SubscribeOptions(qos=2) if version == 5 else 2),
                            ("other", paho.SubscribeOptions(qos=1) if version == 5 else 1)])
    [codes] = probe.expect("subscribe")
    assert [getattr(c, "value", c) for c in codes] == [1, 0x87 if version == 5 else 0x80]
    probe.close()


def test_an_unacknowledged_message_comes_again_after_the_connection_is_lost(phone):
    broker, port, name, credential = phone
    # A client that takes the message and vanishes before it acknowledges: paho acknowledges after the handler.
    first = paho.Client(client_id=name, protocol=paho.MQTTv311)
    first.username_pw_set("app", credential)
    seen = []

    def vanish(client, user, message):
        seen.append(json.loads(message.payload)["message_id"])
        client.socket().close()
        raise ConnectionError("gone before the PUBACK")

    first.on_message = vanish
    first.connect("127.0.0.1", port)
    message_id = broker.push({"device": name})
    with pytest.raises(Exception):
        for _ in range(1000):
            if first.loop(timeout=0.05) != paho.MQTT_ERR_SUCCESS and seen:
                raise ConnectionError
    assert seen == [message_id]
    with MqttDevice(port, "app", name, credential) as again:
        assert again.receive()["message_id"] == message_id
        broker.wait_status(message_id, "delivered")


def test_a_message_above_the_clients_packet_size_takes_another_way(phone):
    broker, port, name, credential = phone
    probe = Probe(port, name, credential, 5, hello(MaximumPacketSize=512))
    probe.expect("connect")
    large = broker.push({"device": name}, "x" * 1000)
    small = broker.push({"device": name}, "small")
    assert probe.expect("message")[0]["message_id"] == small
    attempt = wait_for(lambda: next(iter(broker.delivery_when_attempted(large)["attempts"]), None))
    assert attempt["result"] == "rejected" and attempt["vendor_code"] == "too-large", attempt
    probe.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_idle_connection_is_kept_alive_by_pings(phone, version):
    broker, port, name, credential = phone
    probe = Probe(port, name, credential, 4 if version == 4 else 5, keepalive=1) if version == 4 else Probe(
        port, name, credential, 5, keepalive=30)
    probe.expect("connect")
    with pytest.raises(queue.Empty):
        probe.events.get(timeout=3)  # twice the 1.5 seconds after which a silent 3.1.1 client would be cut off
    message_id = broker.push({"device": name})
    assert probe.expect("message")[0]["message_id"] == message_id
    probe.close()
