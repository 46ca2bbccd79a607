"""Two channels with the same promise: the broker finds out which one keeps it, and moves on when it is switched off."""

from godwit_testing import Broker, loopback, wait_for


def rates(broker):
    answer = broker.expect(200, "GET", "/v1/stats/delivery?by=channel&window=1h")
    return {r["channel"]: r for r in answer["rates"]}


def test_rates_are_measured_and_traffic_follows():
    channels = [loopback("good", deliver=0.95, receipt_latency=20, seed=1), loopback("bad", deliver=0.1, receipt_latency=20, seed=2)]
    with Broker(channels=channels, extra={"routing": {"min_wait": "100ms", "max_wait": "300ms", "seed": 5}}) as broker:
        for n in range(40):
            broker.register(f"d{n}", {"good": f"g{n}", "bad": f"b{n}"}, user_id=f"u{n}", manufacturer="Xiaomi")
        for _ in range(10):  # rounds, so that what was learned can be used
            answers = broker.batch([{"to": {"user": f"u{n}"}, "notification": {"title": "x"}, "options": {"ttl": 60}} for n in range(40)])
            for a in answers:
                wait_for(lambda: broker.message(a["message_id"])["status"] in ("delivered", "sent"), 20, "the round's end")
        assert rates(broker)["good"]["rate"] > 0.85, rates(broker)
        answers = broker.batch([{"to": {"user": f"u{n}"}, "notification": {"title": "x"}} for n in range(40)])
        firsts = [broker.delivery_when_attempted(a["message_id"])["attempts"][0]["channel"] for a in answers]
        assert firsts.count("good") >= 36, (firsts, rates(broker))

        broker.expect(200, "PATCH", "/v1/channels/good", {"state": "disabled"}, key="admin")
        message = broker.push({"user": "u1"})
        assert broker.delivery_when_attempted(message)["attempts"][0]["channel"] == "bad"
        broker.expect(200, "PATCH", "/v1/channels/good", {"state": "enabled"}, key="admin")
        message = broker.push({"user": "u2"}, priority="critical")
        assert broker.delivery_when_attempted(message)["attempts"][0]["channel"] == "good"
