"""Mi Push signs nothing: the path is the secret. Callbacks come late, doubled, forged, malformed, and for nobody."""

import urllib.parse

from godwit_testing import CALLBACK_PATH, Broker, FakeVendor, mipush, wait_for


def test_callbacks():
    broker = Broker()
    with FakeVendor() as vendor:
        broker.config["channels"] = [mipush(vendor, broker.port)]
        with broker:
            vendor.behave(quiet="silent")
            broker.register("d1", {"mi": "quiet"})
            message = broker.push({"device": "d1"})
            broker.wait_status(message, "sent")
            vendor_id = broker.delivery(message)["attempts"][0]["vendor_id"]
            base = f"http://127.0.0.1:{broker.port}/v1/callbacks/mi/"
            delivered = {vendor_id: {"param": message, "type": 1, "targets": "quiet", "timestamp": 1_790_000_000_000}}

            assert vendor.receipt(base + "a-guessed-part-of-the-path", delivered) == 403
            assert vendor.receipt(base, delivered) == 403
            for malformed in ("", "{not json", "[]", "7", '{"x":'):
                assert vendor.receipt(base + CALLBACK_PATH, malformed) == 422, malformed
            # Well-formed, but about nothing that we know: taken, without effect.
            strangers = [{"scm-unknown": {"param": "m-unknown", "type": 1, "targets": "quiet"}},
                         {vendor_id: {"type": "1", "targets": 7}}, {vendor_id: None},
                         {vendor_id: {"type": 4096, "targets": "quiet"}}]
            for stranger in strangers:
                assert vendor.receipt(base + CALLBACK_PATH, stranger) == 200, stranger
            assert broker.message(message)["counts"]["delivered"] == 0

            for _ in range(3):
                assert vendor.receipt(base + CALLBACK_PATH, delivered) == 200
            broker.wait_status(message, "delivered")
            assert broker.metric("godwit_receipts_total", channel="mi", event="delivered") == 1

            # A token that is told dead by a callback is not sent to any more; told twice, it is still one.
            dead = {vendor_id: {"param": message, "type": 16, "targets": "quiet", "errorCode": 1}}
            for _ in range(2):
                assert vendor.receipt(base + CALLBACK_PATH, dead) == 200
            wait_for(lambda: broker.live_channels("d1") == set(), what="the token's end")


def test_a_callback_of_another_method_or_without_a_form_is_refused():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor, 1)]) as broker:
        path = f"/v1/callbacks/mi/{CALLBACK_PATH}"
        assert broker.call("GET", path, key=None).status == 422
        assert broker.call("POST", path, b"\x00\xff" * 500, key=None).status == 422
        assert broker.call("POST", path, urllib.parse.urlencode({"other": "x"}).encode(), key=None).status == 422


def test_a_receipt_that_comes_after_a_restart_counts():
    broker = Broker()
    with FakeVendor() as vendor:
        broker.config["channels"] = [mipush(vendor, broker.port)]
        with broker:
            vendor.behave(quiet="silent")
            broker.register("d1", {"mi": "quiet"})
            message = broker.push({"device": "d1"}, ttl=3600)
            broker.wait_status(message, "sent")
            vendor_id = broker.delivery(message)["attempts"][0]["vendor_id"]
            broker.stop()
            broker.start()
            url = f"http://127.0.0.1:{broker.port}/v1/callbacks/mi/{CALLBACK_PATH}"
            assert vendor.receipt(url, {vendor_id: {"param": message, "type": 1, "targets": "quiet"}}) == 200
            broker.wait_status(message, "delivered")
