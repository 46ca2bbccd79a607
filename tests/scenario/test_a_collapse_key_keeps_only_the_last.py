"""A score that changed while the phone was off shows once."""

from godwit_testing import Broker, MqttDevice, free_port, own_connection


def test_waiting_messages_with_the_same_key_replace_each_other():
    port = free_port()
    with Broker(channels=[own_connection(port)]) as broker:
        device = broker.register("phone-1", {"selfconn": None})
        first = broker.push({"device": "phone-1"}, "1:0", collapse_key="match-7")
        second = broker.push({"device": "phone-1"}, "1:1", collapse_key="match-7")
        other = broker.push({"device": "phone-1"}, "another", collapse_key="match-8")
        broker.wait_status(first, "suppressed")
        assert broker.delivery(first)["reason"] == "collapsed"
        with MqttDevice(port, "app", "phone-1", device["credential"]) as phone:
            assert {phone.receive()["message_id"] for _ in range(2)} == {second, other}
            broker.wait_status(second, "delivered")
            assert phone.inbox.empty()
