"""user, users, device, devices, token, topic, all: counted to the last one."""

import pytest
from godwit_testing import Broker, loopback


@pytest.fixture(scope="module")
def broker():
    with Broker(channels=[loopback("loop")]) as broker:
        for n in range(30):
            broker.register(f"d{n}", {"loop": f"t{n}"}, user_id=f"u{n // 3}")  # three devices a user
        broker.register("foreign", {"loop": "t0"}, key="other")
        for n in (1, 5, 9):
            broker.expect(204, "PUT", f"/v1/topics/news/devices/d{n}")
        yield broker


@pytest.mark.parametrize("to, devices", [
    ({"user": "u1"}, {"d3", "d4", "d5"}),
    ({"users": ["u0", "u9", "u9"]}, {"d0", "d1", "d2", "d27", "d28", "d29"}),
    ({"device": "d7"}, {"d7"}),
    ({"devices": ["d7", "d8", "d7"]}, {"d7", "d8"}),
    ({"token": {"channel": "loop", "token": "t9"}}, {"d9"}),
    ({"topic": "news"}, {"d1", "d5", "d9"}),
    ({"all": True}, {f"d{n}" for n in range(30)}),
], ids=lambda v: next(iter(v)) if isinstance(v, dict) else "")
def test_audience(broker, to, devices):
    message = broker.push(to)
    broker.wait_complete(message)
    assert {d["device_id"] for d in broker.deliveries(message)} == devices
    counts = broker.message(message)["counts"]
    assert counts["accepted"] == counts["delivered"] == len(devices), counts


@pytest.mark.parametrize("to", [{"user": "nobody"}, {"device": "none"}, {"topic": "empty"}])
def test_an_audience_of_nobody_is_complete_at_once(broker, to):
    message = broker.push(to)
    broker.wait_complete(message)
    assert broker.message(message)["counts"]["delivered"] == 0


def test_a_token_that_nobody_registered_is_sent_to_as_it_is(broker):
    message = broker.push({"token": {"channel": "loop", "token": "of-an-older-system"}})
    broker.wait_status(message, "delivered")
