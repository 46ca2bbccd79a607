"""A vendor that misbehaves below HTTP: what may have arrived is unknown, what did not is sent again, and nothing is lost."""

from godwit_testing import Broker, FakeVendor, loopback, mipush, wait_for


def test_hang_reset_rubbish_and_server_errors():
    with FakeVendor() as vendor:
        # One call each: a message that shared the call of one that hangs would be as unknown as it.
        channels = [mipush(vendor, request_timeout_ms=500, merge_messages=False), loopback("other", accept=1, deliver=1)]
        with Broker(channels=channels) as broker:
            vendor.behave(hangs="hang", resets="reset", html="html:1", error="http500:2", busy="busy:1")
            messages = {}
            for token in ("hangs", "resets", "html", "error", "busy"):
                broker.register(token, {"mi": token})
                messages[token] = broker.push({"device": token}, ttl=300)
            for token in ("html", "error", "busy"):
                broker.wait_status(messages[token], "sent", seconds=60)
                results = [a["result"] for a in broker.delivery(messages[token])["attempts"]]
                assert results[-1] == "accepted" and set(results[:-1]) == {"retry"}, results
                assert [a["regid"] for a in vendor.arrivals()].count(token) == 1
            for token in ("hangs", "resets"):
                wait_for(lambda t=token: broker.delivery_when_attempted(messages[t])["attempts"][0]["result"] == "unknown",
                         what=f"the word about {token}")


def test_a_channel_that_nobody_answers_gives_way_to_the_next():
    with FakeVendor() as vendor:
        dead = mipush(vendor, name="dead", origin="http://127.0.0.1:9", request_timeout_ms=500)
        with Broker(channels=[dead, loopback("other", accept=1, deliver=1)]) as broker:
            broker.register("d1", {"dead": "t1", "other": "o1"})
            message = broker.push({"device": "d1"}, channels=["dead", "other"], routing="ordered", ttl=300)
            broker.wait_status(message, "delivered", seconds=60)


def test_a_wrong_secret_is_told_and_a_corrected_one_is_used_without_a_restart(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("WRONG")
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor, app_secret="${file:" + str(secret) + "}")]) as broker:
        broker.register("d1", {"mi": "t1"})
        message = broker.push({"device": "d1"}, ttl=300)
        wait_for(lambda: broker.channel("mi")["state"] == "failed", what="the alarm")
        assert "21301" in broker.channel("mi")["state_reason"]
        secret.write_text(vendor.SECRET)
        wait_for(lambda: broker.channel("mi")["state"] == "ready", 30, "the channel's return")
        broker.wait_status(broker.push({"device": "d1"}), "sent", seconds=60)
        assert message
