"""A channel gets a fresh instance, by SIGHUP and by the operator's call, while devices hold connections and messages run."""

import collections
import itertools
import os
import shutil
import socket
import struct
import threading

from godwit_testing import (BUILD, CALLBACK_PATH, Broker, FakeVendor, MqttDevice, free_port, mipush, own_connection, wait_for)

DEVICES = 6


def put_plugin(source, to, behind=b""):
    """The plugin's file, as an upgrade puts it: written beside and renamed. Bytes behind its end make it another file."""
    beside = to.with_suffix(".new")
    shutil.copy(source, beside)
    with open(beside, "ab") as file:
        file.write(behind)
    os.rename(beside, to)


def reload_by_new_settings(broker, **settings):
    broker.config["channels"][0]["config"] |= settings
    reload_by_hang_up(broker)


def reload_by_hang_up(broker):
    before = reloads(broker)
    broker.write_config()
    broker.hang_up()
    wait_for(lambda: reloads(broker) == before + 1, what="the reload")


def reloads(broker):
    return broker.log_file.read_text().count("; the old instance drains")


def old_ones_ended(broker):
    return broker.log_file.read_text().count("the old instance has ended") == reloads(broker)


def connect_packet(device_id, app, credential):
    texts = b"".join(struct.pack(">H", len(t)) + t for t in (device_id.encode(), app.encode(), credential.encode()))
    rest = b"\x00\x04MQTT\x04\xc2\x00\x3c" + texts
    length = len(rest)
    return b"\x10" + (bytes([length]) if length < 128 else bytes([length % 128 | 128, length // 128])) + rest


class Knocking:
    """Connects again and again, each time as another device: what is refused, reset or shut before an answer is counted."""

    def __init__(self, port, packets):
        self.port, self.packets, self.let_in, self.faults, self.over = port, itertools.cycle(packets), 0, [], False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
                    s.sendall(next(self.packets))
                    answer = s.recv(4)
                if answer == b"\x20\x02\x00\x00":
                    self.let_in += 1
                else:
                    self.faults.append(answer)
            except OSError as fault:
                self.faults.append(fault)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over = True
        self.thread.join()


class Stream:
    """Messages to every device, until told to stop."""

    def __init__(self, broker):
        self.broker, self.sent, self.over = broker, [], threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.02):
            messages = [{"to": {"device": f"d{i}"}, "notification": {"title": "x"}} for i in range(DEVICES)]
            self.sent += [(f"d{i}", line["message_id"]) for i, line in enumerate(self.broker.batch(messages))]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


def test_devices_keep_what_they_are_owed_and_find_no_closed_door(tmp_path):
    port, plugin = free_port(), tmp_path / "selfconn.so"
    put_plugin(BUILD / "lib/godwit/selfconn.so", plugin)
    channel = {**own_connection(port, reactors=2, connect_rate=0), "plugin": str(plugin)}
    with Broker(channels=[channel]) as broker:
        credentials = {n: broker.register(n, {"selfconn": None})["credential"] for n in [*(f"d{i}" for i in range(DEVICES)), *(f"k{i}" for i in range(40))]}
        devices = [MqttDevice(port, "app", f"d{i}", credentials[f"d{i}"], version=5 if i % 2 else 4) for i in range(DEVICES)]
        for device in devices:
            device.wait_connected()

        def everybody_is_back():
            return old_ones_ended(broker) and broker.metric("godwit_connections", channel="selfconn") >= DEVICES

        knocks = [connect_packet(n, "app", c) for n, c in credentials.items() if n.startswith("k")]
        with Knocking(port, knocks) as knocking, Stream(broker) as stream:
            reload_by_new_settings(broker, reactors=1, keep_alive_min=31)
            wait_for(everybody_is_back, what="the devices' return")
            put_plugin(BUILD / "lib/godwit/selfconn.so", plugin, b"another build")
            reload_by_hang_up(broker)
            wait_for(everybody_is_back, what="the devices' return")
            report = broker.expect(200, "POST", "/v1/channels/selfconn/reload", key="admin")
            assert report["library_before"] == report["library_after"]
            wait_for(everybody_is_back, what="the devices' return")
        assert knocking.faults == [] and knocking.let_in > 10
        wait_for(lambda: all(broker.message(m)["status"] == "delivered" for _, m in stream.sent[-DEVICES:]), what="the last messages")
        wait_for(lambda: sum(d.inbox.qsize() for d in devices) >= len(stream.sent), what="every message")
        for i, device in enumerate(devices):
            device.close()
            got = collections.Counter(device.receive()["message_id"] for _ in range(device.inbox.qsize()))
            assert got == collections.Counter(m for name, m in stream.sent if name == f"d{i}")


def test_a_vendor_is_asked_once_and_its_late_receipts_find_their_message(tmp_path):
    plugin = tmp_path / "mipush.so"
    put_plugin(BUILD / "lib/godwit/mipush.so", plugin)
    broker = Broker()
    with FakeVendor() as vendor:
        broker.config["channels"] = [{**mipush(vendor, broker.port), "plugin": str(plugin)}]
        with broker:
            vendor.behave(slow="slow:700", quiet="silent")
            broker.register("d1", {"mi": "slow"})
            broker.register("d2", {"mi": "quiet"})
            sent, quiet = [], []

            def send():
                sent.extend(broker.push({"device": "d1"}) for _ in range(5))
                quiet.append(broker.push({"device": "d2"}))

            send()
            reload_by_new_settings(broker, window=50)
            send()
            put_plugin(BUILD / "lib/godwit/mipush.so", plugin, b"another build")
            reload_by_hang_up(broker)
            send()
            broker.expect(200, "POST", "/v1/channels/mi/reload", key="admin")
            send()
            for message in sent + quiet:
                broker.wait_status(message, "sent", "delivered")
            assert all(len(vendor.arrivals(m)) == 1 for m in sent + quiet), "each was asked for once"
            wait_for(lambda: old_ones_ended(broker), what="the old instances' end")
            url = f"http://127.0.0.1:{broker.port}/v1/callbacks/mi/{CALLBACK_PATH}"
            for message in quiet:
                vendor_id = broker.delivery(message)["attempts"][0]["vendor_id"]
                assert vendor.receipt(url, {vendor_id: {"param": message, "type": 1, "targets": "quiet"}}) == 200
                broker.wait_status(message, "delivered")


def test_a_plugin_that_cannot_take_over_is_named_with_its_step(tmp_path):
    port, plugin = free_port(), tmp_path / "selfconn.so"
    put_plugin(BUILD / "lib/godwit/selfconn.so", plugin)
    with Broker(channels=[{**own_connection(port), "plugin": str(plugin)}]) as broker:
        credential = broker.register("d", {"selfconn": None})["credential"]
        with MqttDevice(port, "app", "d", credential) as device:
            put_plugin(BUILD / "bin/godwit", plugin)  # no library at all
            problem = broker.expect(409, "POST", "/v1/channels/selfconn/reload", key="admin")
            assert "the running instance goes on; step " in problem["detail"] and str(plugin) in problem["detail"]
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                put_plugin(BUILD / "lib/godwit/selfconn.so", plugin)
                broker.config["channels"][0]["config"]["tcp"] = "127.0.0.1:%d" % taken.getsockname()[1]
                broker.write_config()
                broker.hang_up()
                wait_for(lambda: "step `start`" in broker.log() and "another program has this port" in broker.log())
            broker.expect(404, "POST", "/v1/channels/nobody/reload", key="admin")
            message = broker.push({"device": "d"})
            assert device.receive()["message_id"] == message
