"""Pushes through the running broker to nghttpd and h2o, which we did not write: stream limits, a server that goes away in mid-run, and each
reason of Apple's table as an answer of another HTTP/2 stack."""

import json
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from peers import TOKEN, Broker, H2o, Nghttpd, PATIENT, attempts, http, push_many, wait_all_sent  # noqa: E402
from godwit_testing import FakeApple, wait_for  # noqa: E402


@pytest.mark.parametrize("streams", [1, 100])
def test_ten_thousand_pushes_within_the_stream_limit(streams):
    with Nghttpd("-m", str(streams)) as peer, Broker(channels=[peer.channel(connections=1)], extra=PATIENT) as broker:
        push_many(broker, 10_000)
        wait_all_sent(broker, 10_000)
        assert attempts(broker, "accepted") == 10_000 == http(broker, "requests_total", delivery="answered")
        assert http(broker, "trouble_total", kind="refused_stream") == 0, "nghttpd refuses what is above its limit"
        assert http(broker, "streams_allowed") == streams
        assert http(broker, "connects_total") == 1


def test_a_server_that_is_stopped_in_mid_run():
    with H2o('proc {|env| [200, {"apns-id" => env["HTTP_APNS_ID"].to_s}, []] }') as peer:
        with Broker(channels=[peer.channel()], extra=PATIENT) as broker:
            push_many(broker, 20_000)
            wait_for(lambda: attempts(broker, "accepted") > 3000, 60)
            peer.process.send_signal(signal.SIGTERM)  # GOAWAY, graceful shutdown
            peer.process.wait()
            peer.start()
            wait_all_sent(broker, 20_000)
            seen = Counter(peer.answered())
            repeats = sum(seen.values()) - len(seen)
            assert len(seen) == 20_000, "nothing lost"
            assert repeats <= attempts(broker, "unknown")


REASONS = {"BadDeviceToken": (400, "token_invalid"), "DeviceTokenNotForTopic": (400, "token_invalid"), "BadCollapseId": (400, "rejected"),
           "InvalidPushType": (400, "rejected"), "Unregistered": (410, "token_invalid"), "ExpiredToken": (410, "token_invalid"),
           "PayloadTooLarge": (413, "rejected"), "TooManyRequests": (429, "retry"), "InternalServerError": (500, "retry"),
           "ServiceUnavailable": (503, "retry"), "Shutdown": (503, "retry"), "MethodNotAllowed": (405, "rejected"),
           "BadPath": (404, "rejected"), "Forbidden": (403, "rejected"), "InvalidProviderToken": (403, "config")}


def test_each_reason_over_another_stack():
    table = json.dumps({reason: status for reason, (status, _) in REASONS.items()}).replace('":', '"=>')
    handler = ('proc {|env| t = ' + table + '; r = t.keys[env["PATH_INFO"][-2, 2].to_i(16)]; r ? [t[r], {"content-type" => "application/json"}, '
               '["{\\"reason\\":\\"#{r}\\",\\"timestamp\\":1759990000123}"]] : [200, {}, []] }')
    with H2o(handler) as peer, Broker(channels=[peer.channel()], extra=PATIENT) as broker:
        for index, (reason, (status, result)) in enumerate(REASONS.items()):
            (message,) = push_many(broker, 1, TOKEN[:-2] + f"{index:02x}")
            first = broker.delivery_when_attempted(message)["attempts"][0]
            wait_for(lambda: broker.delivery(message)["attempts"][0].get("vendor_code"), 15, lambda: broker.delivery(message))
            first = broker.delivery(message)["attempts"][0]
            assert (first["vendor_code"], first["result"], first["http_status"]) == (reason, result, status)
        wait_for(lambda: broker.channel("apns")["state"] == "failed", 15)


def test_one_token_that_an_independent_judge_accepts_serves_all():
    with FakeApple("--shy") as apple, Broker(channels=[apple.channel()], extra=PATIENT) as broker:
        push_many(broker, 1000)
        wait_all_sent(broker, 1000)
        state = apple.state()
        assert state["tokens_seen"] == 1
        assert state["never_indexed"][":path"] and state["never_indexed"]["authorization"] and not state["never_indexed"]["apns-topic"]
        assert state["most_streams"] > 1, "more than one once the first was accepted"
