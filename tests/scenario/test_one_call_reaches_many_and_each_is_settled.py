"""A message to many Mi Push tokens leaves as few calls, and every device has its own outcome and its own receipt."""

from godwit_testing import Broker, FakeVendor, mipush, wait_for


def fleet(broker, count, behave=None):
    for n in range(count):
        broker.register(f"d{n}", {"mi": f"regid{n}"})
        broker.expect(204, "PUT", f"/v1/topics/news/devices/d{n}")


def state(broker, message, device):
    answer = broker.expect(200, "GET", f"/v1/messages/{message}/deliveries?device={device}")
    return answer["deliveries"][0]


def test_a_topic_is_few_calls_and_each_device_counts():
    broker = Broker()
    with FakeVendor() as vendor:
        broker.config["channels"] = [mipush(vendor, broker.port)]
        with broker:
            fleet(broker, 300)
            vendor.behave({"regid7": "silent", "regid8": "dead", "regid9": "bad", "regid10": "click", "regid11": "moved:regid11b",
                           "regid12": "twice"})
            message = broker.push({"topic": "news"}, ttl=600)
            wait_for(lambda: broker.message(message)["counts"]["delivered"] >= 296, what=lambda: str(broker.message(message)))
            calls = vendor.calls()
            assert sum(c["targets"] for c in calls) == 300 and len(calls) <= 5, calls
            assert state(broker, message, "d6")["state"] == "delivered"
            assert state(broker, message, "d7")["state"] == "sent"
            assert state(broker, message, "d9")["attempts"][0]["result"] == "unreachable"
            wait_for(lambda: state(broker, message, "d10")["state"] == "opened", what="the click")
            wait_for(lambda: broker.live_channels("d8") == set(), what="the dead token's end")
            assert broker.live_channels("d9") == {"mi"}  # refused is not dead
            assert broker.metric("godwit_receipts_total", channel="mi", event="delivered") == 296
            # The new regid is used from now on.
            again = broker.push({"device": "d11"})
            wait_for(lambda: "regid11b" in {a["regid"] for a in vendor.arrivals(again)}, what="the new regid's push")


def test_one_illegal_token_costs_the_others_nothing():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        fleet(broker, 40)
        vendor.behave({"regid13": "illegal"})
        message = broker.push({"topic": "news"}, ttl=600)
        wait_for(lambda: broker.message(message)["counts"]["sent"] == 39, what=lambda: str(broker.message(message)))
        arrived = [a["regid"] for a in vendor.arrivals()]
        assert len(arrived) == 39 and len(set(arrived)) == 39
        wait_for(lambda: broker.live_channels("d13") == set(), what="the illegal token's end")
        assert broker.live_channels("d12") == {"mi"}
