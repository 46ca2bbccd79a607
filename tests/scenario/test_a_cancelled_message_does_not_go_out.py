"""After a cancel is acknowledged no first attempt starts."""

from godwit_testing import Broker, MqttDevice, free_port, own_connection


def test_cancelled_while_the_device_is_away():
    port = free_port()
    with Broker(channels=[own_connection(port)]) as broker:
        device = broker.register("phone-1", {"selfconn": None})
        stopped, kept = broker.push({"device": "phone-1"}, "stopped"), broker.push({"device": "phone-1"}, "kept")
        answer = broker.expect(200, "DELETE", f"/v1/messages/{stopped}")
        assert answer["cancelled"] == 1
        assert broker.message(stopped)["status"] == "cancelled"
        with MqttDevice(port, "app", "phone-1", device["credential"]) as phone:
            assert phone.receive()["message_id"] == kept
            broker.wait_status(kept, "delivered")
            assert phone.inbox.empty()
