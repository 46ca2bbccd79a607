"""A token belongs to one device: a reinstall or a shared phone moves it, and both sides know."""

from godwit_testing import Broker, loopback


def test_token_moves_and_the_old_device_no_longer_gets_messages():
    with Broker(channels=[loopback("loop")]) as broker:
        broker.register("old", {"loop": "token-1"}, user_id="ann")
        broker.register("new", {"loop": "token-1"}, user_id="bob")
        assert "loop" not in broker.expect(200, "GET", "/v1/devices/old")["channels"]
        to_ann, to_bob = broker.push({"user": "ann"}), broker.push({"user": "bob"})
        broker.wait_status(to_bob, "delivered")
        assert broker.delivery(to_bob)["device_id"] == "new"
        assert broker.message(to_ann)["counts"]["delivered"] == 0
        by_token = broker.push({"token": {"channel": "loop", "token": "token-1"}})
        broker.wait_status(by_token, "delivered")
        assert broker.delivery(by_token)["device_id"] == "new"
