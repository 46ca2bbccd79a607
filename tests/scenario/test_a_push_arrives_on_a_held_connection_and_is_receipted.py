"""The main job: register, hold with a stock client, push, and see the receipt with its attempt and channel."""

from godwit_testing import Broker, MqttDevice, free_port, own_connection


def test_message_is_delivered_with_its_attempt_channel_and_receipt():
    port = free_port()
    with Broker(channels=[own_connection(port)]) as broker:
        device = broker.register("phone-1", {"selfconn": None}, user_id="u42")
        assert any(url.endswith(f":{port}") for url in device["connect"]), device["connect"]
        with MqttDevice(port, "app", "phone-1", device["credential"]) as phone:
            answer = broker.expect(202, "POST", "/v1/messages", {
                "to": {"user": "u42"}, "notification": {"title": "New order"}, "data": {"order_id": "123"}})
            assert answer["recipients"] == 1
            received = phone.receive()
            assert received["message_id"] == answer["message_id"]
            assert received["notification"] == {"title": "New order"} and received["data"] == {"order_id": "123"}
            broker.wait_status(answer["message_id"], "delivered")
        delivery = broker.delivery(answer["message_id"])
        assert delivery["device_id"] == "phone-1" and delivery["state"] == "delivered"
        [attempt] = delivery["attempts"]
        assert attempt["channel"] == "selfconn" and attempt["result"] == "delivered" and attempt["why"]
        [receipt] = delivery["receipts"]
        assert receipt["event"] == "delivered" and receipt["kind"] == "device"
        assert broker.message(answer["message_id"])["counts"]["delivered"] == 1
