"""What arrives while the device is away waits in the broker, urgent first, also over a restart."""

from godwit_testing import Broker, MqttDevice, free_port, own_connection


def test_waiting_messages_arrive_on_connect_urgent_first():
    port = free_port()
    with Broker(channels=[own_connection(port)]) as broker:
        device = broker.register("phone-1", {"selfconn": None}, user_id="u")
        normal = broker.push({"device": "phone-1"}, "normal")
        urgent = broker.push({"device": "phone-1"}, "urgent", priority="critical")
        assert broker.message(normal)["status"] in ("accepted", "planned")
        with MqttDevice(port, "app", "phone-1", device["credential"]) as phone:
            assert [phone.receive()["message_id"] for _ in range(2)] == [urgent, normal]
            broker.wait_status(normal, "delivered")
            broker.wait_status(urgent, "delivered")


def test_a_restart_loses_nothing_that_waits():
    port = free_port()
    broker = Broker(channels=[own_connection(port)])
    broker.start()
    device = broker.register("phone-1", {"selfconn": None}, user_id="u")
    waiting = [broker.push({"user": "u"}, f"n{n}") for n in range(5)]
    broker.kill()
    with broker:
        with MqttDevice(port, "app", "phone-1", device["credential"]) as phone:
            assert {phone.receive()["message_id"] for _ in waiting} == set(waiting)
            for message in waiting:
                broker.wait_status(message, "delivered")
