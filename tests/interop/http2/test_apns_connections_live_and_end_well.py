"""How connections begin, are kept and end, with servers that we did not write: through a proxy (tinyproxy), asked by PING and closed when
unused (nghttpd), closed by a server that finds them idle (h2o), and tried again with patience while nobody is there."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from peers import Broker, H2o, Nghttpd, PATIENT, TinyProxy, attempts, http, push_many, wait_all_sent  # noqa: E402
from godwit_testing import FakeApple, wait_for  # noqa: E402

TAKES_ALL = 'proc {|env| [200, {"apns-id" => env["HTTP_APNS_ID"].to_s}, []] }'


def test_pushes_go_through_a_proxy_that_asks_for_a_password():
    with TinyProxy() as proxy, FakeApple() as apple:
        with Broker(channels=[apple.channel(connections=1)], extra={**PATIENT, "http": {"proxy": proxy.url()}}) as broker:
            push_many(broker, 300)
            wait_all_sent(broker, 300)
            assert len(apple.pushes()) == 300 and proxy.asked_for() == [f"localhost:{apple.port}"], "one tunnel for all"
        with Broker(channels=[apple.channel()], extra={**PATIENT, "http": {"proxy": proxy.url("ann:wrong")}}) as broker:
            (message,) = push_many(broker, 1)
            broker.delivery_when_attempted(message)
            wait_for(lambda: broker.delivery(message)["attempts"][0].get("vendor_code"), 15)
            first = broker.delivery(message)["attempts"][0]
            assert (first["result"], first["vendor_code"]) == ("throttled", "not_sent")
            assert "refused CONNECT: HTTP/1.0 401" in first["vendor_detail"] and len(apple.pushes()) == 300


def test_a_quiet_connection_is_asked_by_ping_and_closed_when_nobody_needs_it():
    with Nghttpd("-v") as peer, Broker(channels=[peer.channel(ping_interval_ms=100, idle_timeout_ms=2000)], extra=PATIENT) as broker:
        push_many(broker, 1)
        wait_all_sent(broker, 1)
        wait_for(lambda: http(broker, "connections") == 0, 30)
        for word in ("recv PING frame", "send PING frame", "recv GOAWAY frame"):  # closed with a word, not cut
            wait_for(lambda: word in (peer.folder / "log").read_text(errors="replace"), 15, lambda: word)
        push_many(broker, 1)
        wait_all_sent(broker, 2)
        assert http(broker, "connects_total") == 2
        assert http(broker, "trouble_total", kind="ping_lost") == http(broker, "trouble_total", kind="connection_lost") == 0


def test_a_connection_that_the_server_finds_idle_costs_nothing():
    with H2o(TAKES_ALL, idle_seconds=1) as peer, Broker(channels=[peer.channel()], extra=PATIENT) as broker:
        for turn in range(1, 3):
            push_many(broker, 10)
            wait_all_sent(broker, 10 * turn)
            wait_for(lambda: http(broker, "connections") == 0, 30)
        wait_for(lambda: len(peer.answered()) == 20, 15)
        assert attempts(broker, "accepted") == 20 and attempts(broker, "unknown") == 0


def test_a_server_that_is_away_is_tried_with_patience_and_used_when_it_is_back():
    with H2o(TAKES_ALL) as peer:
        peer.process.terminate()
        peer.process.wait()
        with Broker(channels=[peer.channel()], extra=PATIENT) as broker:
            push_many(broker, 200)
            wait_for(lambda: attempts(broker, "throttled") + attempts(broker, "retry") >= 200, 30)
            assert http(broker, "trouble_total", kind="connect_failed") < 20, "200 messages do not knock 200 times"
            peer.start()
            wait_all_sent(broker, 200)
            wait_for(lambda: len(peer.answered()) == 200, 15)
            assert attempts(broker, "unknown") == 0
