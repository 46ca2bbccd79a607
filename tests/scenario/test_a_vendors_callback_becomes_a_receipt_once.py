"""Receipts by callback: delivered and clicked arrive, repeats count once, forged and malformed ones not at all."""

import urllib.parse

from godwit_testing import CALLBACK_PATH, Broker, FakeVendor, vendor_channel


def test_receipts_by_callback():
    broker = Broker()
    with FakeVendor() as vendor:
        broker.config["channels"] = [vendor_channel(vendor, broker.port)]
        with broker:
            vendor.behave(clicks="click", quiet="silent")
            broker.register("d1", {"mi": "clicks"})
            message = broker.push({"device": "d1"})
            broker.wait_status(message, "opened")
            kinds = {(r["event"], r["kind"]) for r in broker.delivery(message)["receipts"]}
            assert ("delivered", "vendor") in kinds and ("opened", "vendor") in kinds, kinds

            broker.register("d2", {"mi": "quiet"})
            silent = broker.push({"device": "d2"})
            broker.wait_status(silent, "sent")
            vendor_id = broker.delivery(silent)["attempts"][0]["vendor_id"]
            url = f"http://127.0.0.1:{broker.port}/v1/callbacks/mi/"
            receipt = {vendor_id: {"param": silent, "type": 1, "targets": "quiet", "timestamp": 1_790_000_000_000}}
            assert vendor.receipt(url + "a-guessed-part-of-the-path", receipt) == 403
            assert vendor.receipt(url + CALLBACK_PATH, "{not json") == 422
            assert broker.message(silent)["counts"]["delivered"] == 0
            for _ in range(3):  # late, and three times
                assert vendor.receipt(url + CALLBACK_PATH, receipt) == 200
            broker.wait_status(silent, "delivered")
            assert broker.metric("godwit_receipts_total", channel="mi", event="delivered") == 2


def test_unknown_channels_and_wrong_methods_are_refused():
    with FakeVendor() as vendor, Broker(channels=[vendor_channel(vendor, 1)]) as broker:
        body = urllib.parse.urlencode({"data": "{}"}).encode()
        assert broker.call("POST", "/v1/callbacks/none/x", body, key=None).status == 404
        assert broker.call("GET", f"/v1/callbacks/mi/{CALLBACK_PATH}", key=None).status == 422
