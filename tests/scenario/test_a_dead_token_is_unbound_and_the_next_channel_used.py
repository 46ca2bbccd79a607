"""The vendor says the token is dead: it is never used again, and the message takes the next channel at once."""

from godwit_testing import Broker, FakeVendor, loopback, vendor_channel, wait_for

QUICK = {"routing": {"min_wait": "100ms", "max_wait": "500ms"}}


def test_refused_token():
    with FakeVendor() as vendor, Broker(channels=[{**vendor_channel(vendor), "prior": 0.95}, {**loopback("spare"), "prior": 0.3}], extra=QUICK) as broker:
        vendor.behave(gone="illegal")
        broker.register("d", {"mi": "gone", "spare": "s"})
        message = broker.push({"device": "d"}, priority="critical")
        broker.wait_status(message, "delivered")
        first, second = broker.delivery(message)["attempts"]
        assert (first["channel"], first["result"], first["vendor_code"]) == ("mi", "token_invalid", "66007")
        assert second["channel"] == "spare"
        wait_for(lambda: "mi" not in broker.live_channels("d"))
        again = broker.push({"device": "d"}, priority="critical")
        broker.wait_status(again, "delivered")
        assert [a["channel"] for a in broker.delivery(again)["attempts"]] == ["spare"]


def test_token_reported_dead_afterwards_by_a_receipt():
    broker = Broker(extra=QUICK)
    with FakeVendor() as vendor:
        broker.config["channels"] = [vendor_channel(vendor, broker.port)]
        with broker:
            vendor.behave(gone="dead")
            broker.register("d", {"mi": "gone"})
            broker.push({"device": "d"})
            wait_for(lambda: "mi" not in broker.live_channels("d"))
            # The app registers again with a new token: the old verdict does not count against it.
            broker.register("d", {"mi": "fresh"})
            message = broker.push({"device": "d"})
            broker.wait_status(message, "delivered")
