#!/usr/bin/env python3
"""Kills the broker at random under load and counts what its promises say: nothing acknowledged is lost, duplicates are bounded,
and every message ends.

The acknowledgements are kept here, outside the broker; the vendor's own log of arrivals is the truth about sends. 30 % of the
requests are repeats with the same idempotency key, as clients do after a time-out.

  kill.py --rounds 20            the short form that test.sh runs
  kill.py --rounds 1000 --rate 5000
"""

import argparse
import collections
import http.client
import json
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))
from godwit_testing import KEYS, Broker, FakeVendor, loopback, vendor_channel, wait_for  # noqa: E402

DEVICES = 200
WINDOW = 64  # of the vendor channel: what one crash may send again
FINAL = {"delivered", "opened", "sent", "failed", "expired", "suppressed", "cancelled"}


class Load:
    """Sends batches from several threads, and remembers which id was acknowledged for which key."""

    def __init__(self, broker, rate, threads, seed):
        self.broker, self.pause = broker, threads * 20 / rate  # 20 messages a batch
        self.acknowledged, self.lock = {}, threading.Lock()
        self.conflicts, self.sent, self.stopping = [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n, random.Random(seed + n))) for n in range(threads)]
        for t in self.threads:
            t.start()

    def run(self, number, dice):
        unanswered, count = [], 0
        while not self.stopping.is_set():
            lines = [m for m in unanswered if dice.random() < 0.9][:10]  # repeats of what got no answer
            with self.lock:
                known = list(self.acknowledged)[-200:]
            while len(lines) < 20:
                if known and dice.random() < 0.3:
                    key = dice.choice(known)
                else:
                    count += 1
                    key = f"{number}-{count}"
                lines.append(key)
            unanswered = self.send(lines)
            self.stopping.wait(self.pause)

    def message(self, key):
        device = hash_of(key) % DEVICES
        return {"to": {"device": f"d{device}"}, "notification": {"title": key}, "idempotency_key": key, "options": {"ttl": 600}}

    def send(self, keys):
        """Answers the keys that got no answer."""
        body = "".join(json.dumps(self.message(k)) + "\n" for k in keys).encode()
        answered = {}
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.broker.port, timeout=5)
            connection.request("POST", "/v1/messages/batch", body,
                               {"Authorization": "Bearer " + KEYS["server"], "Content-Type": "application/x-ndjson"})
            response = connection.getresponse()
            while line := response.readline():
                answer = json.loads(line)
                if "message_id" in answer:
                    answered[keys[answer["index"]]] = answer["message_id"]
        except (OSError, http.client.HTTPException, ValueError):
            pass  # killed while we talked: lines that were read whole count, the others were not acknowledged
        finally:
            connection.close()
        with self.lock:
            self.sent += len(keys)
            for key, message in answered.items():
                if self.acknowledged.setdefault(key, message) != message:
                    self.conflicts.append((key, self.acknowledged[key], message))
        return [k for k in keys if k not in answered]

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join()


def hash_of(text):
    return sum(ord(c) * 31 ** i for i, c in enumerate(text)) & 0xFFFFFFFF


def register_fleet(broker):
    for n in range(DEVICES):
        # Some have two channels, so that the cascade and its state are killed too.
        channels = {"mi": f"mi-{n}"} if n % 3 else {"mi": f"mi-{n}", "loop": f"loop-{n}"}
        broker.register(f"d{n}", channels, key="server", user_id=f"u{n}", manufacturer="Xiaomi")


def run(rounds, rate, seed, verbose):
    dice = random.Random(seed)
    started = time.monotonic()
    broker = Broker(extra={"storage": {"ballast": 0, "segment": "4MiB", "checkpoint_every": "1s"}, "log": {"level": "warn"},
                           "limits": {"receipt_wait": "2s", "finished_deliveries": 10_000_000}})
    with FakeVendor() as vendor:
        broker.config["channels"] = [vendor_channel(vendor, broker.port, window=WINDOW), loopback("loop", deliver=0.7)]
        broker.start()
        register_fleet(broker)
        load = Load(broker, rate, threads=4, seed=seed)
        try:
            for n in range(rounds):
                time.sleep(dice.uniform(0.05, 1.0))  # not a wait for a state: the moment of death is the point
                broker.kill()
                broker.start()
                if verbose:
                    print(f"\rround {n + 1} of {rounds}, {len(load.acknowledged):,} acknowledged", end="", file=sys.stderr, flush=True)
        finally:
            load.stop()
        if verbose:
            print(file=sys.stderr)
        return check(broker, vendor, load, rounds, time.monotonic() - started)


def check(broker, vendor, load, rounds, seconds):
    ids = list(load.acknowledged.values())
    lost, states = [], collections.Counter()
    connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=30)

    def state_of(message):
        connection.request("GET", f"/v1/messages/{message}", headers={"Authorization": "Bearer " + KEYS["server"]})
        answer = connection.getresponse()
        body = answer.read()
        return json.loads(body) if answer.status == 200 else None

    for message in ids:
        view = state_of(message)
        if view is None:
            lost.append(message)
            continue
        if not view["complete"]:
            wait_for(lambda: state_of(message)["complete"], 60, lambda: f"the end of {state_of(message)}")
            view = state_of(message)
        states[view["status"]] += 1
    arrivals = collections.Counter((a["message"], a["regid"]) for a in vendor.arrivals())
    acknowledged = set(ids)
    twice = sum(n - 1 for n in arrivals.values())
    strangers = [m for m, _ in arrivals if m not in acknowledged]
    code = broker.stop()
    result = {"rounds": rounds, "seconds": round(seconds, 1), "requests": load.sent, "acknowledged": len(ids), "lost": len(lost), "states": dict(states),
              "vendor_arrivals": sum(arrivals.values()), "repeated_arrivals": twice, "repeated_bound": rounds * WINDOW,
              "one_key_two_ids": len(load.conflicts), "not_final": sum(n for s, n in states.items() if s not in FINAL),
              # Accepted, durable, but the answer was cut off by the kill: legal, and bounded by what was on its way.
              "sent_without_acknowledgement": len(set(strangers)), "exit_code": code}
    ok = (not lost and not load.conflicts and twice <= rounds * WINDOW and result["not_final"] == 0 and code == 0 and len(ids) > 0)
    return ok, result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1000, help="messages per second")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    ok, result = run(options.rounds, options.rate, seed, sys.stderr.isatty())
    print(json.dumps({"seed": seed, **result}, indent=1))
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
