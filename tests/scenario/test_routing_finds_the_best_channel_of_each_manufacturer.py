"""Four channels whose quality per manufacturer nobody told the broker: it measures them, follows them, leaves one that goes silent,
finds it again, and loses count of nothing. Against rates that look right in a simulator and wrong in a broker."""

import json
import os
import subprocess
from collections import Counter

from godwit_testing import BUILD, KEYS, Broker, loopback

BEST = {"Xiaomi": "alpha", "Huawei": "beta", "vivo": "gamma"}
GOOD, POOR, MIDDLING = 0.9, 0.3, 0.6
EACH = 60  # devices of a manufacturer
MAKERS = list(BEST)


def quality(channel, maker):
    return MIDDLING if channel == "delta" else GOOD if BEST[maker] == channel else POOR


def channels():
    made = []
    for seed, name in enumerate(["alpha", "beta", "gamma", "delta"], 1):
        made.append(loopback(name, receipt_latency=10, seed=seed, deliver_by={m: quality(name, m) for m in MAKERS}))
    return made


class Fleet:
    def __init__(self, broker):
        self.broker, self.sent = broker, []
        for maker in MAKERS:
            for n in range(EACH):
                broker.register(f"{maker}-{n}", {c: f"{c}-{maker}-{n}" for c in ("alpha", "beta", "gamma", "delta")}, manufacturer=maker,
                                os_version="13")

    def round(self, makers=MAKERS):
        """One message to each device; answers which channel was first, counted per manufacturer."""
        devices = [(m, f"{m}-{n}") for m in makers for n in range(EACH)]
        answers = self.broker.batch([{"to": {"device": d}, "notification": {"title": "x"}, "options": {"ttl": 60}} for _, d in devices])
        firsts = {m: Counter() for m in makers}
        for (maker, _), answer in zip(devices, answers):
            self.sent.append(answer["message_id"])
            self.broker.wait_complete(answer["message_id"])
            firsts[maker][self.broker.delivery_when_attempted(answer["message_id"])["attempts"][0]["channel"]] += 1
        return firsts

    def rounds_until(self, most, reached, makers=MAKERS):
        for _ in range(most):
            firsts = self.round(makers)
            if reached(firsts):
                return firsts
        raise AssertionError(f"not reached in {most} rounds; the last: {firsts}\n{self.route(makers[0])}")

    def route(self, maker, n=0):
        return self.broker.expect(200, "GET", f"/v1/devices/{maker}-{n}/route?priority=high")


def set_outage(broker, name, outage):
    next(c for c in broker.config["channels"] if c["name"] == name)["config"]["outage"] = outage
    broker.write_config()
    broker.hang_up()


def run(broker, *arguments):
    env = {**os.environ, "GODWIT_URL": f"http://127.0.0.1:{broker.port}", "GODWIT_ADMIN_KEY": KEYS["admin"]}
    done = subprocess.run([BUILD / "bin/godwit", *arguments], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done
    return done.stdout


def replay(broker, *policies):
    log = broker.directory / "data/decisions.ndjson"
    return json.loads(run(broker, "--json", "replay", log, *(w for p in policies for w in ("--policy", p))))


def check_rates(broker):
    rates = broker.expect(200, "GET", "/v1/stats/delivery?by=channel,manufacturer&window=1h")["rates"]
    assert {r["receipt_kind"] for r in rates} == {"device"}
    most_used = set()
    for r in rates:
        assert r["low"] <= r["rate"] <= r["high"], r
        maker = next(m for m in MAKERS if m.lower() == r["manufacturer"])
        if r["sent"] >= EACH:  # a channel that is left early keeps few outcomes, and those were unlucky
            assert r["low"] - 0.15 <= quality(r["channel"], maker) <= r["high"] + 0.15, r
        if r["sent"] >= 3 * EACH:
            most_used.add(maker)
            assert BEST[maker] == r["channel"] and abs(r["rate"] - GOOD) < 0.1, r
    assert most_used == set(MAKERS), rates


def check_balance(broker, fleet):
    total = Counter()
    for message in fleet.sent:
        answer = broker.message(message)
        assert answer["counts"]["accepted"] == 1, answer
        total[answer["status"]] += 1
    assert set(total) == {"delivered", "sent"} and sum(total.values()) == len(fleet.sent), total
    assert broker.metric("godwit_messages_total", app="app", state="accepted") == len(fleet.sent)
    assert broker.metric("godwit_messages_total", app="app", state="delivered") == total["delivered"]
    # Each attempt that a vendor took is a send in the statistics, and each first receipt of an attempt a delivery there.
    rates = broker.expect(200, "GET", "/v1/stats/delivery?by=channel&window=1h")["rates"]
    assert sum(r["sent"] for r in rates) == broker.metric("godwit_attempts_total", result="accepted")
    assert sum(r["delivered"] for r in rates) >= total["delivered"]
    return total


def test_rates_converge_traffic_follows_and_counts_balance():
    routing = {"min_wait": "100ms", "max_wait": "300ms", "seed": 5, "exploration": {"normal": 0.02}, "decision_log": {"share": 1}}
    with Broker(channels=channels(), extra={"routing": routing, "limits": {"receipt_wait": "1s"}}) as broker:
        fleet = Fleet(broker)
        for _ in range(5):
            fleet.round()
        # Which round it is hangs on the order in which receipts come back, which is the machine's.
        fleet.rounds_until(40, lambda firsts: all(firsts[m][BEST[m]] >= 0.75 * EACH for m in MAKERS))
        check_rates(broker)
        # A single phone that has missed a message or two may have another best channel for a while.
        best = [fleet.route("Xiaomi", n)["candidates"][0] for n in range(EACH)]
        assert Counter(b["channel"] for b in best)["alpha"] >= 0.7 * EACH, best
        assert all(b["low"] < b["rate"] < b["high"] and b["samples"] > 20 for b in best if b["channel"] == "alpha"), best

        set_outage(broker, "alpha", [{"after_s": 0, "mode": "silent"}])
        fleet.rounds_until(6, lambda firsts: firsts["Xiaomi"]["alpha"] <= EACH / 4, ["Xiaomi"])
        sick = next(c for c in fleet.route("Xiaomi")["candidates"] if c["channel"] == "alpha")
        assert sick["alarmed"] and sick["health"] < 0.5, sick
        noticed = broker.channel("alpha")["troubles"]
        assert {t["kind"] for t in noticed} == {"delivers_less"}, noticed
        assert "delivers_less" in run(broker, "channels", "list"), "operators see it too"
        set_outage(broker, "alpha", [])
        fleet.rounds_until(80, lambda firsts: firsts["Xiaomi"]["alpha"] >= 0.7 * EACH, ["Xiaomi"])
        assert not next(c for c in fleet.route("Xiaomi")["candidates"] if c["channel"] == "alpha")["alarmed"]

        fleet.round()
        total = check_balance(broker, fleet)
        assert total["delivered"] > 0.9 * len(fleet.sent), total  # the next channel got what the first lost

        answer = replay(broker, "believed", "prefer:delta")
        assert answer["judged"] > 100 and answer["damaged"] == 0, answer
        for policy in answer["policies"]:
            for kind in ("inverse_propensity", "doubly_robust"):
                assert policy[kind]["low"] <= policy[kind]["mean"] <= policy[kind]["high"], policy
        believed = next(p for p in answer["policies"] if p["policy"] == "believed")
        assert believed["agreement"] > 0.7 and abs(believed["doubly_robust"]["mean"] - answer["logged"]["mean"]) < 0.1, answer
