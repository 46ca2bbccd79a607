"""A backend that sends a thousand messages, one for each phone, costs Mi Push a few calls and not a thousand; each message keeps its own id,
its own receipt and its own end."""

from godwit_testing import Broker, FakeVendor, mipush, wait_for

PHONES = 300


def send(broker, title="Sale"):
    lines = [{"to": {"device": f"d{n}"}, "notification": {"title": title, "body": "Half the price"}, "options": {"ttl": 600}} for n in range(PHONES)]
    return [a["message_id"] for a in broker.batch(lines)]


def test_equal_messages_to_many_phones():
    broker = Broker()
    with FakeVendor({"100001": "public"}) as vendor:
        broker.config["channels"] = [mipush(vendor, broker.port, channel_id="100001")]
        with broker:
            vendor.behave({"regid7": "silent", "regid8": "click", "regid9": "dead", "regid10": "illegal", "regid11": "code:10041", "regid12": "twice"})
            for n in range(PHONES):
                broker.register(f"d{n}", {"mi": f"regid{n}"})
            messages = send(broker)
            assert len(set(messages)) == PHONES
            ends = {7: "sent", 8: "opened", 9: "sent", 10: "failed", 11: "failed"}
            for n, message in enumerate(messages):
                broker.wait_status(message, ends.get(n, "delivered"))
            # Each message once, to its own phone.
            arrivals = {a["message"]: a["regid"] for a in vendor.arrivals()}
            assert arrivals == {m: f"regid{n}" for n, m in enumerate(messages) if n not in (10, 11)}
            assert len(vendor.arrivals()) == len(arrivals)
            wait_for(lambda: broker.live_channels("d9") == set() == broker.live_channels("d10"), what="the dead tokens' end")
            assert broker.live_channels("d11") == {"mi"}, "a text that breaks the rules is not the token's fault"
            assert broker.metric("godwit_receipts_total", channel="mi", event="delivered") == PHONES - 4

            # Without anything to search for, far fewer calls than messages.
            before = len(vendor.calls())
            vendor.control("behave", {f"regid{n}": "ok" for n in (7, 8, 11, 12)})
            again = [m for n, m in enumerate(send(broker, "Last day")) if n not in (9, 10)]
            for message in again:
                broker.wait_status(message, "delivered")
            assert len(vendor.calls()) - before <= PHONES / 5, vendor.calls()[before:]


def test_a_quota_that_ends_within_a_call_is_not_taken_for_a_success():
    with FakeVendor({"100001": "public"}) as vendor, Broker(channels=[mipush(vendor, channel_id="100001")]) as broker:
        vendor.control("limits", {"quota": {"100001": PHONES // 2}})
        for n in range(PHONES):
            broker.register(f"d{n}", {"mi": f"regid{n}"})
        messages = send(broker)
        wait_for(lambda: len(vendor.arrivals()) == PHONES // 2, what="the quota's end")
        wait_for(lambda: "held" in str(broker.channel("mi")), what="the channel's hold until midnight")
        took = {a["regid"] for a in vendor.arrivals()}
        assert len(took) == PHONES // 2
        counted = {f"regid{n}" for n, m in enumerate(messages) if broker.message(m)["counts"]["sent"]}
        assert counted <= took, "a message that Xiaomi did not take is not called sent"
