"""A hanging or closing vendor costs one time-out, not the message; what may have left counts as unknown, never as sent."""

import pytest
from godwit_testing import Broker, FakeVendor, loopback, vendor_channel


@pytest.mark.parametrize("behaviour, result", [("hang", "unknown"), ("reset", "unknown"), ("code:65009", "rejected"), ("code:21301", "config")])
def test_next_channel(behaviour, result):
    with FakeVendor() as vendor:
        channels = [{**vendor_channel(vendor, request_timeout_ms=300), "prior": 0.95}, {**loopback("spare"), "prior": 0.3}]
        with Broker(channels=channels, extra={"routing": {"min_wait": "100ms", "max_wait": "500ms"}}) as broker:
            vendor.behave(token=behaviour)
            broker.register("d", {"mi": "token", "spare": "s"})
            message = broker.push({"device": "d"}, priority="critical")
            broker.wait_status(message, "delivered", seconds=30)
            attempts = broker.delivery(message)["attempts"]
            assert attempts[0]["channel"] == "mi" and attempts[0]["result"] == result, attempts
            assert attempts[-1]["channel"] == "spare", attempts


def test_a_dead_port_is_retried_and_then_passed_over():
    with FakeVendor() as vendor:
        channel = vendor_channel(vendor)
    channels = [{**channel, "prior": 0.95}, {**loopback("spare"), "prior": 0.3}]  # the vendor is gone now
    with Broker(channels=channels, extra={"routing": {"min_wait": "100ms", "max_wait": "500ms"}}) as broker:
        broker.register("d", {"mi": "token", "spare": "s"})
        message = broker.push({"device": "d"}, priority="critical")
        broker.wait_status(message, "delivered", seconds=30)


def test_temporary_refusals_are_retried_on_the_same_channel():
    with FakeVendor() as vendor, Broker(channels=[vendor_channel(vendor)]) as broker:
        vendor.behave(a="busy:1", b="http500:1")
        for name in "ab":
            broker.register("d" + name, {"mi": name})
            message = broker.push({"device": "d" + name})
            broker.wait_status(message, "sent", seconds=30)
            assert [a["result"] for a in broker.delivery(message)["attempts"]] == ["retry", "accepted"]
