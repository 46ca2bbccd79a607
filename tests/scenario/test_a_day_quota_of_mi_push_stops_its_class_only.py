"""Xiaomi counts by message class and day: a public class that is used up must not stop orders and chat."""

import datetime

from godwit_testing import Broker, FakeVendor, loopback, mipush, wait_for

CLASSES = {"100001": "public", "100002": "private"}
SETTINGS = {"classes": [{"channel_id": "100001"}, {"channel_id": "100002", "kind": "private", "categories": ["order"]}]}


def push(broker, device, category=None):
    notification = {"title": "Hello", **({"category": category} if category else {})}
    return broker.expect(202, "POST", "/v1/messages", {"to": {"device": device}, "notification": notification})["message_id"]


def test_the_other_class_goes_on_and_the_next_channel_takes_over():
    with FakeVendor(CLASSES) as vendor, Broker(channels=[mipush(vendor, **SETTINGS), loopback("other", accept=1, deliver=1)]) as broker:
        vendor.control("limits", {"quota": {"100001": 2}})
        for n in range(4):
            broker.register(f"d{n}", {"mi": f"regid{n}", "other": f"o{n}"})
        for n in range(2):
            broker.push({"device": f"d{n}"}, channels=["mi"])
        wait_for(lambda: len(vendor.arrivals()) == 2, what="the day's two messages")
        news = broker.push({"device": "d2"}, channels=["mi", "other"], routing="ordered")
        broker.wait_status(news, "delivered")
        attempts = broker.delivery(news)["attempts"]
        assert [(a["channel"], a["result"]) for a in attempts] == [("mi", "unreachable"), ("other", "accepted")], attempts
        assert attempts[0]["vendor_code"] == "200001"
        order = broker.expect(202, "POST", "/v1/messages", {"to": {"device": "d3"}, "notification": {"title": "Order", "category": "order"},
                                                            "options": {"channels": ["mi"]}})["message_id"]
        broker.wait_status(order, "sent")
        calls = len(vendor.calls())
        again = broker.push({"device": "d3"}, channels=["mi"])
        broker.wait_complete(again)
        assert len(vendor.calls()) == calls  # not asked again today


def test_the_only_class_holds_the_channel_until_midnight_in_china():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        vendor.behave(regid1="code:200001")
        broker.register("d1", {"mi": "regid1"})
        late = broker.push({"device": "d1"}, ttl=2 * 86400)
        wait_for(lambda: broker.channel("mi").get("held_until"), what="the hold")
        until = datetime.datetime.fromisoformat(broker.channel("mi")["held_until"].replace("Z", "+00:00"))
        assert until.hour in (15, 16) and until.minute in (59, 0), until  # 16:00 UTC is midnight there
        assert broker.message(late)["status"] not in ("failed", "expired")


def test_a_quota_that_answers_report_as_used_up_is_not_run_into():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor), loopback("other", accept=1, deliver=1)]) as broker:
        vendor.control("limits", {"quota": {"": 1}})
        for n in range(2):
            broker.register(f"d{n}", {"mi": f"regid{n}", "other": f"o{n}"})
        broker.wait_status(broker.push({"device": "d0"}, channels=["mi"]), "sent")
        late = broker.push({"device": "d1"}, channels=["mi", "other"], routing="ordered")
        broker.wait_status(late, "delivered")
        assert [a["channel"] for a in broker.delivery(late)["attempts"]] == ["other"]
        assert len(vendor.calls()) == 1


def test_too_many_calls_a_second_slow_the_channel_down_and_nothing_is_lost():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        vendor.control("limits", {"qps": 5})
        for n in range(12):
            broker.register(f"d{n}", {"mi": f"regid{n}"})
        messages = [broker.push({"device": f"d{n}"}, ttl=300) for n in range(12)]
        for message in messages:
            broker.wait_status(message, "sent", seconds=40)
        assert len(vendor.arrivals()) == 12
