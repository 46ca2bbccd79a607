"""A message whose time-to-live has ended is worth nothing: it must end as expired, not arrive late."""

from godwit_testing import Broker, MqttDevice, free_port, own_connection


def test_time_to_live_ends_while_the_device_is_away():
    port = free_port()
    with Broker(channels=[own_connection(port)]) as broker:
        device = broker.register("phone-1", {"selfconn": None})
        short = broker.push({"device": "phone-1"}, "short", ttl=1)
        long = broker.push({"device": "phone-1"}, "long", ttl=600)
        broker.wait_status(short, "expired")
        with MqttDevice(port, "app", "phone-1", device["credential"]) as phone:
            assert phone.receive()["message_id"] == long
            broker.wait_status(long, "delivered")
            assert phone.inbox.empty()
        assert broker.message(short)["counts"]["expired"] == 1
