"""429 with Retry-After: nothing more goes to the vendor before that time, then the message is sent, and it is no failure."""

import time

from godwit_testing import Broker, FakeVendor, vendor_channel, wait_for


def test_held_then_sent():
    with FakeVendor() as vendor, Broker(channels=[vendor_channel(vendor)]) as broker:
        vendor.behave(busy="http429:1:2")
        broker.register("d1", {"mi": "busy"})
        broker.register("d2", {"mi": "other"})
        started = time.monotonic()
        first = broker.push({"device": "d1"})
        wait_for(lambda: broker.channel("mi").get("held_until"), what="the hold")
        second = broker.push({"device": "d2"})
        assert vendor.arrivals(second) == []
        broker.wait_status(second, "sent")
        broker.wait_status(first, "sent")
        assert time.monotonic() - started >= 2
        assert len(vendor.arrivals(first)) == 1 and len(vendor.arrivals(second)) == 1
        results = [a["result"] for a in broker.delivery(first)["attempts"]]
        assert results[-1] == "accepted" and set(results[:-1]) <= {"throttled"}, results
