"""Where no callback can reach the broker, dead regids are asked for, and their devices move to another channel."""

from godwit_testing import Broker, FakeVendor, mipush, wait_for


def test_feedback():
    with FakeVendor() as vendor:
        with Broker(channels=[mipush(vendor, feedback_origin=vendor.origin, feedback_poll_s=1)]) as broker:
            vendor.behave(gone="dead")
            broker.register("d1", {"mi": "gone"})
            broker.register("d2", {"mi": "alive"})
            for device in ("d1", "d2"):
                broker.push({"device": device})
            wait_for(lambda: broker.live_channels("d1") == set(), what="the dead regid's end")
            assert broker.live_channels("d2") == {"mi"}


def test_no_receipt_is_waited_for():
    """Protects against a million messages that are kept open for receipts that cannot come."""
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        broker.register("d1", {"mi": "alive"})
        message = broker.push({"device": "d1"})
        broker.wait_status(message, "sent")
        wait_for(lambda: broker.message(message)["complete"], what="the message's end")
