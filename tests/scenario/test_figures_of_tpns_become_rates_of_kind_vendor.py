"""TPNS calls nobody back: the broker asks what arrived, and shows it as the vendor's word, by manufacturer, beside `accepted`."""

from godwit_testing import Broker, FakeTpns, wait_for, xinge


def rates(broker):
    answer = broker.expect(200, "GET", "/v1/stats/delivery?by=channel,manufacturer&window=1h")
    return {(r.get("manufacturer"), r["receipt_kind"]): r for r in answer["rates"] if r["channel"] == "xinge"}


def test_figures():
    with FakeTpns() as vendor, Broker(channels=[xinge(vendor, statistics_after_s=[1, 3], statistics_per_hour=3_600_000)]) as broker:
        for n in range(40):
            broker.register(f"d{n}", {"xinge": f"token{n}"}, manufacturer="Xiaomi" if n < 20 else "Nokia")
            broker.expect(204, "PUT", f"/v1/topics/news/devices/d{n}")
        vendor.behave({f"token{n}": "maker:xm" for n in range(20)} | {f"token{n}": "lost" for n in range(30, 40)})
        message = broker.push({"topic": "news"}, ttl=3600)
        wait_for(lambda: broker.message(message)["counts"]["sent"] == 40, what=lambda: str(broker.message(message)))
        # Each maker's figures are an event of their own.
        wait_for(lambda: sum(r["delivered"] for (_, kind), r in rates(broker).items() if kind == "vendor") == 30, what=lambda: str(rates(broker)))
        vendor_rates = {maker: r for (maker, kind), r in rates(broker).items() if kind == "vendor"}
        of_xiaomi = vendor_rates.pop("xiaomi")
        assert of_xiaomi["delivered"] == 20 and of_xiaomi["rate"] == 1
        assert sum(r["delivered"] for r in vendor_rates.values()) == 10 and next(iter(vendor_rates.values()))["rate"] == 0.5
        wait_for(lambda: len(vendor.control("questions")) == 2 * len(vendor.calls()), what="the last question")
        assert broker.metric("godwit_receipts_total", channel="xinge", kind="vendor", event="delivered") == 30
        assert broker.message(message)["counts"]["delivered"] == 0  # of no device it is known
