"""A device on the long connection, by paho-mqtt: a client library that we did not write."""

import json
import queue

import paho.mqtt.client as paho


class MqttDevice:
    """Holds the connection until closed. Received messages wait in `inbox`; `acknowledge=False` never sends a PUBACK."""

    def __init__(self, port, app, device_id, credential, version=5, clean=False, keepalive=60):
        protocol = {3: paho.MQTTv31, 4: paho.MQTTv311, 5: paho.MQTTv5}[version]
        arguments = {} if version == 5 else {"clean_session": clean}
        self.client = paho.Client(client_id=device_id, protocol=protocol, **arguments)
        self.client.username_pw_set(app, credential)
        self.inbox = queue.Queue()
        self.connected = queue.Queue()
        self.client.on_message = lambda client, user, message: self.inbox.put((message.topic, json.loads(message.payload)))
        self.client.on_connect = lambda client, user, flags, code, *properties: self.connected.put(code)
        connect = {"clean_start": clean} if version == 5 else {}
        self.client.connect("127.0.0.1", port, keepalive=keepalive, **connect)
        self.client.loop_start()

    def wait_connected(self, seconds=10):
        code = self.connected.get(timeout=seconds)
        assert int(getattr(code, "value", code)) == 0, f"refused: {code}"
        return self

    def receive(self, seconds=10):
        topic, payload = self.inbox.get(timeout=seconds)
        assert topic == "godwit/inbox", topic
        return payload

    def report(self, message_id, event):
        info = self.client.publish("godwit/events", json.dumps({"message_id": message_id, "event": event}), qos=1)
        info.wait_for_publish(10)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def __enter__(self):
        return self.wait_connected()

    def __exit__(self, *error):
        self.close()
