"""The peer ends sessions with GOAWAY in the middle of 100,000 pushes, resets and refuses streams, shrinks the stream limit to 1, hangs,
cuts and half-closes, all on Node's HTTP/2 stack: every message ends, and a message that the peer saw twice had an unknown outcome first."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from peers import Broker, PATIENT, ScriptedPeer, attempts, ended, http, push_many, wait_all_sent  # noqa: E402


@pytest.mark.parametrize("mode, count", [("goaway", 100_000), ("refuse", 5000), ("reset", 5000), ("shrink", 5000), ("hang", 5000),
                                         ("cut", 10_000), ("half_close", 10_000)])
def test_every_message_ends_once(mode, count):
    # Few streams where many would be lost at once: the engine repeats only a small share of what it sends.
    config = {"refuse": {"max_streams": 15, "connections": 1}, "reset": {"max_streams": 15, "connections": 1}, "shrink": {"connections": 1}, "hang": {"request_timeout_ms": 1500},
              "cut": {"max_streams": 15, "connections": 1}, "half_close": {"max_streams": 15, "connections": 1}}.get(mode, {})
    with ScriptedPeer(mode) as peer, Broker(channels=[peer.channel(**config)], extra=PATIENT) as broker:
        push_many(broker, count)
        may_fail = ("failed",) if mode in ("cut", "half_close") else ()  # where the engine's budget of repeats ends
        wait_all_sent(broker, count, *may_fail)
        counts = peer.counts()
        unknown, retried = attempts(broker, "unknown"), attempts(broker, "retry")
        print(mode, counts, "unknown", unknown, "retry", retried, "moved", http(broker, "moved_total"))
        failed = ended(broker, "failed")
        assert counts["messages"] >= count - failed, "nothing lost"
        assert failed <= unknown if may_fail else failed == 0
        assert counts["repeats"] <= unknown, "a repeat only where nobody could know"
        assert attempts(broker, "accepted") + failed == count
        assert unknown == http(broker, "requests_total", delivery="maybe_sent"), "maybe sent is reported as unknown"
        if mode == "goaway":
            assert http(broker, "trouble_total", kind="goaway") >= 5 and counts["repeats"] == 0
        if mode == "refuse":
            assert http(broker, "trouble_total", kind="refused_stream") == counts["refused"] > 0
            assert counts["repeats"] == 0  # Node itself resets some streams with ENHANCE_YOUR_CALM: unknown, though it saw nothing
        if mode == "reset":
            assert unknown > 0
        if mode == "shrink":
            assert counts["mostWhileTight"] <= 1 and counts["repeats"] == 0
        if mode == "hang":
            assert unknown > 0
