"""100,000 pushes to a peer that misbehaves on purpose: every message ends, and one that the peer saw twice had an unknown outcome first."""

from peers import Broker, PATIENT, ScriptedPeer, attempts, ended, http, push_many, wait_all_sent


def every_message_ends_once(mode, count=100_000, **config):
    with ScriptedPeer(mode) as peer, Broker(channels=[peer.channel(**config)], extra=PATIENT) as broker:
        push_many(broker, count)
        wait_all_sent(broker, count)
        counts = peer.counts()
        unknown, retried = attempts(broker, "unknown"), attempts(broker, "retry")
        print(mode, counts, "unknown", unknown, "retry", retried, "moved", http(broker, "moved_total"))
        assert ended(broker, "failed") == 0 and counts["messages"] == count, "nothing lost"
        assert counts["repeats"] <= unknown, "a repeat only where nobody could know"
        assert attempts(broker, "accepted") == count
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
