"""Devices that acknowledge never, late, twice or for wrong ids, and a broker that is killed under them: when such a device
becomes a good one at last (the device library), every message has been shown, each once."""

import json
import random
import socket
import struct
import subprocess
import threading

from godwit_testing import BUILD, Broker, free_port, own_connection


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def packet(first, body):
    length, rest = b"", len(body)
    while True:
        low, rest = rest & 0x7F, rest >> 7
        length += bytes([low | 0x80 if rest else low])
        if not rest:
            return bytes([first]) + length + body


class BadDevice(threading.Thread):
    """MQTT 3.1.1 from a socket: reads PUBLISH packets and acknowledges as `manner` says, until the connection ends."""

    def __init__(self, port, name, credential, manner, seed):
        super().__init__(daemon=True)
        self.manner, self.random, self.late = manner, random.Random(seed), []
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        hello = text("MQTT") + b"\x04\xc0\x00\x3c" + text(name) + text("app") + text(credential)
        self.socket.sendall(packet(0x10, hello))
        self.start()

    def acknowledge(self, packet_id):
        self.socket.sendall(packet(0x40, struct.pack(">H", packet_id)))

    def answer(self, packet_id):
        if self.manner == "late":
            self.late.append(packet_id)
            if len(self.late) == 4:
                while self.late:
                    self.acknowledge(self.late.pop(self.random.randrange(len(self.late))))
        elif self.manner == "twice":
            self.acknowledge(packet_id)
            self.acknowledge(packet_id)
        elif self.manner == "wrong":
            self.acknowledge(packet_id % 65535 + 100)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def run(self):
        try:
            while True:
                first, length, shift = self.exactly(1)[0], 0, 0
                while True:
                    byte = self.exactly(1)[0]
                    length, shift = length | (byte & 0x7F) << shift, shift + 7
                    if not byte & 0x80:
                        break
                body = self.exactly(length)
                if first >> 4 == 3:
                    topic = struct.unpack(">H", body[:2])[0]
                    self.answer(struct.unpack(">H", body[2 + topic:4 + topic])[0])
        except (ConnectionError, OSError):
            pass


def test_devices_that_acknowledge_badly_lose_nothing(tmp_path):
    port = free_port()
    manners = ["never", "late", "twice", "wrong"]
    with Broker(channels=[own_connection(port)]) as broker:
        credentials = {m: broker.register(m, {"selfconn": None})["credential"] for m in manners}
        sent = {m: [] for m in manners}
        for round_number in range(4):
            bad = [BadDevice(port, m, credentials[m], m, round_number) for m in manners]
            for _ in range(10):
                for m in manners:
                    sent[m].append(broker.push({"device": m}))
            # Some are acknowledged (rightly or as a lie about nothing), some are in flight, some wait: now it dies.
            broker.kill()
            for device in bad:
                device.join(20)
            broker.start()

        # What the bad ones acknowledged is delivered for the broker; the rest must reach the good ones, once each.
        phones = {m: subprocess.Popen([BUILD / "bin/godwit-device", "127.0.0.1", str(port), "app", m, credentials[m],
                                       "--memory", tmp_path / m], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True) for m in manners}
        try:
            for m in manners:
                for message_id in sent[m]:
                    broker.wait_status(message_id, "delivered", "opened", seconds=60)
        finally:
            shown = {m: [json.loads(line)["message_id"] for line in phones[m].communicate()[0].splitlines()] for m in manners}
        for m in manners:
            assert len(shown[m]) == len(set(shown[m])), f"{m}: a message was shown twice"
            assert set(shown[m]) <= set(sent[m])
        assert set(shown["never"]) == set(sent["never"])
        assert set(shown["wrong"]) == set(sent["wrong"]), "an acknowledgement of nothing acknowledges nothing"
