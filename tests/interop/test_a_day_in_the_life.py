"""A day of a small fleet over every channel at once: Xiaomi phones (Mi Push, TPNS, the long connection), other phones (TPNS, XMPP), iPhones
(APNs), iPads (TPNS for iOS), with an outage at one vendor, dead tokens and a reinstall. In the evening nothing is lost, all counts balance, and the
rates by manufacturer and channel are what the vendors really delivered."""

import collections
import contextlib

from godwit_testing import Broker, FakeApple, FakeTpns, FakeVendor, MqttDevice, free_port, ios_token, mipush, own_connection, wait_for, xinge

from xmpp_phone import Phone
from xmpp_servers import HOST, Prosody
from xmpp_world import wait_ready, xmpp_channel

XIAOMI = [f"mi{n}" for n in range(12)]
OTHERS = [f"nokia{n}" for n in range(6)]
IPHONES = [f"iphone{n}" for n in range(4)]
IPADS = [f"ipad{n}" for n in range(2)]
FLEET = XIAOMI + OTHERS + IPHONES + IPADS
SILENT, DEAD_AT_MI, DEAD_AT_TPNS, DEAD_AT_APPLE = ("mi3", "mi4"), "mi5", "nokia5", "iphone3"
REPORTING = ("iphone0", "iphone1")  # their app tells what it was shown; Apple itself tells nothing
ALIVE = [d for d in FLEET if d not in (DEAD_AT_TPNS, DEAD_AT_APPLE)]
ON_XMPP, CONNECTED, REINSTALLED = ("nokia0", "nokia1"), ("mi0", "mi1"), "mi2"


class Day:
    def __init__(self, broker, mi, tpns, tpns_ios, apple):
        self.broker, self.mi, self.tpns, self.tpns_ios, self.apple, self.connected = broker, mi, tpns, tpns_ios, apple, {}
        self.sent = []  # (message, device)

    def register(self, device, generation=""):
        if device in XIAOMI:
            channels = {"mi": f"regid-{device}{generation}", "xinge": f"tpns-{device}{generation}"}
            if device in CONNECTED:
                channels["own"] = None
        elif device in OTHERS:
            channels = {"xinge": f"tpns-{device}{generation}"}
            if device in ON_XMPP:
                channels["xmpp"] = f"{device}@{HOST}"
        elif device in IPHONES:
            channels = {"apns": ios_token(device)}
        else:
            channels = {"ios": f"tpns-{device}{generation}"}
        maker = "Xiaomi" if device in XIAOMI else "Nokia" if device in OTHERS else "Apple"
        return self.broker.register(device, channels, manufacturer=maker, platform="ios" if device in IPHONES + IPADS else "android")

    def everybody(self, title):
        lines = [{"to": {"device": d}, "notification": {"title": f"{title} for {d}"}, "options": {"ttl": 600}} for d in FLEET]
        answers = self.broker.batch(lines)
        self.sent += [(a["message_id"], d) for a, d in zip(answers, FLEET)]
        return dict(zip(FLEET, (a["message_id"] for a in answers)))

    def wait_out(self, messages, devices=ALIVE, seconds=60):
        """Until each has gone out: a vendor took it, or a device has it. Then the apps of iPhones report."""
        for device in devices:
            wait_for(lambda m=messages[device]: self.broker.message(m)["status"] in ("sent", "delivered", "opened"), seconds,
                     lambda d=device: f"{d}: {self.broker.deliveries(messages[d])}")

        self.broker.expect(200, "POST", "/v1/receipts",
                           [{"message_id": messages[d], "device_id": d, "event": "delivered"} for d in REPORTING])

    def arrivals(self):
        """How often each vendor took each message."""
        seen = collections.Counter(("mi", a["form"]["title"]) for a in self.mi.arrivals())
        for name, fake in (("xinge", self.tpns), ("ios", self.tpns_ios)):
            seen.update((name, a["body"]["message"]["title"]) for a in fake.control("arrivals") if a["accepted"])
        seen.update(("apns", p["payload"]["aps"]["alert"]["title"]) for p in self.apple.pushes() if p["status"] == 200)
        return seen


def rates(broker):
    answer = broker.expect(200, "GET", "/v1/stats/delivery?by=channel,manufacturer&window=1h")
    return {(r["channel"], r.get("manufacturer", ""), r["receipt_kind"]): r for r in answer["rates"]}


@contextlib.contextmanager
def world():
    own_port = free_port()
    broker = Broker(extra={"routing": {"min_wait": "300ms", "max_wait": "2s", "seed": 7}})
    with contextlib.ExitStack() as stack:
        mi, tpns, tpns_ios = (stack.enter_context(fake) for fake in (FakeVendor(), FakeTpns(), FakeTpns("1600001234")))
        apple = stack.enter_context(FakeApple())
        server = stack.enter_context(Prosody(60))
        for name in ON_XMPP:
            server.register(name)
        figures = {"statistics_after_s": [1, 2, 4], "statistics_per_hour": 3_600_000}
        broker.config["channels"] = [mipush(mi, broker.port), xinge(tpns, **figures), own_connection(own_port, "own"), xmpp_channel(server),
                                     xinge(tpns_ios, name="ios", platform="ios", environment="dev", **figures), apple.channel()]
        for name in ON_XMPP:
            stack.enter_context(Phone(server, name))
        stack.enter_context(broker)
        wait_ready(broker)
        day = Day(broker, mi, tpns, tpns_ios, apple)
        credentials = {device: day.register(device).get("credential") for device in FLEET}
        for device in CONNECTED:
            day.connected[device] = stack.enter_context(MqttDevice(own_port, "app", device, credentials[device]))
        yield day


def test_a_day():
    with world() as day:
        broker = day.broker
        day.mi.behave({f"regid-{d}": "silent" for d in SILENT} | {f"regid-{DEAD_AT_MI}": "dead"})
        day.tpns.behave({f"tpns-{d}": "maker:xm" for d in (*XIAOMI, f"{REINSTALLED}-new")} | {f"tpns-{DEAD_AT_TPNS}": "dead"})
        day.tpns_ios.behave({f"tpns-{d}": "maker:apns" for d in IPADS})
        day.apple.behave({DEAD_AT_APPLE: "Unregistered"})

        # The morning: everything works. Two phones' only token turns out dead, another's is told dead by a callback.
        for hour in range(3):
            messages = day.everybody(f"morning {hour}")
            day.wait_out(messages)
        for device in (DEAD_AT_TPNS, DEAD_AT_APPLE):
            wait_for(lambda d=device: broker.live_channels(d) == set(), what=f"the end of {device}'s dead token")
        wait_for(lambda: broker.live_channels(DEAD_AT_MI) == {"xinge"}, what="the uninstalled Mi token's end")

        # Noon: Xiaomi is out. Its phones are reached over their other channels, without anybody's doing.
        day.mi.control("outage", {"on": True})
        before = len(day.mi.arrivals())
        messages = day.everybody("noon")
        day.wait_out(messages)
        assert len(day.mi.arrivals()) == before
        day.mi.control("outage", {"on": False})

        # The afternoon: an app is reinstalled, its tokens are new, and only those are used.
        day.register(REINSTALLED, "-new")
        messages = day.everybody("afternoon")
        day.wait_out(messages)

        # The evening: every message reached a vendor or a device, but the dead phones'; and no vendor got one twice.
        lost = {d for m, d in day.sent if broker.deliveries(m)[0]["state"] not in ("sent", "delivered", "opened")}
        assert lost == {DEAD_AT_TPNS, DEAD_AT_APPLE}, lost
        assert max(day.arrivals().values()) == 1, day.arrivals()
        regids = {a["regid"] for a in day.mi.arrivals() if a["form"]["title"].startswith("afternoon")}
        assert f"regid-{REINSTALLED}" not in regids

        # The counts of the API, of the metrics and of the vendors are the same numbers.
        states = collections.Counter(broker.deliveries(m)[0]["state"] for m, _ in day.sent)
        assert sum(states.values()) == len(day.sent) == len(FLEET) * 5

        def taken(fake):
            if fake is day.apple:
                return sum(p["status"] == 200 for p in fake.pushes())
            return sum(a["accepted"] for a in fake.control("arrivals"))

        def balances(channel, fake):
            attempts = [a for m, _ in day.sent for a in broker.deliveries(m)[0]["attempts"] if a["channel"] == channel]
            accepted = sum(a["result"] == "accepted" for a in attempts)
            return accepted == taken(fake) == broker.metric("godwit_attempts_total", channel=channel, result="accepted")

        # Silence is still being followed up by other channels, hence the waiting.
        for channel, fake in (("mi", day.mi), ("xinge", day.tpns), ("ios", day.tpns_ios), ("apns", day.apple)):
            wait_for(lambda c=channel, f=fake: balances(c, f), 20, f"the balance of {channel}")

        # Rates: of Mi Push what its receipts say; of TPNS what it tells of its pushes; of the devices themselves, all.
        def delivered(channel, maker):
            return rates(broker).get((channel, maker, "vendor"), {}).get("delivered")

        receipted = {f"regid-{d}" for d in XIAOMI if d not in (*SILENT, DEAD_AT_MI)} | {f"regid-{REINSTALLED}-new"}
        wait_for(lambda: delivered("mi", "xiaomi") == sum(a["regid"] in receipted for a in day.mi.arrivals()), 20, lambda: str(rates(broker)))
        to_xiaomi = lambda: sum(a["accepted"] and a["regid"].startswith("tpns-mi") for a in day.tpns.control("arrivals"))
        wait_for(lambda: delivered("xinge", "xiaomi") == to_xiaomi(), 30, lambda: f"{to_xiaomi()} of TPNS: {rates(broker)}")
        assert rates(broker)[("xinge", "xiaomi", "vendor")]["rate"] == 1
        wait_for(lambda: delivered("ios", "apple") == taken(day.tpns_ios), 30, lambda: str(rates(broker)))
        for channel, maker in (("own", "xiaomi"), ("xmpp", "nokia")):
            row = rates(broker).get((channel, maker, "device"))
            assert row is None or row["rate"] == 1, row
        # Apple tells of no arrival: its rate is what the apps reported, of all that it took.
        row = rates(broker)[("apns", "apple", "device")]
        assert row["delivered"] == len(REPORTING) * 5, row
        assert broker.metric("godwit_receipts_total", channel="apns", kind="device", event="delivered") == len(REPORTING) * 5
        assert broker.metric("godwit_attempts_total", channel="apns", result="target_invalid") == 1, "a dead token is asked once"
