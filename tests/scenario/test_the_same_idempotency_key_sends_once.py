"""A client that repeats its request after a time-out, or after our restart, must not double a push."""

from godwit_testing import Broker, loopback

BODY = {"to": {"device": "d"}, "notification": {"title": "once"}}
KEY = {"Idempotency-Key": "order-123"}


def test_repeats_get_the_first_answer_and_another_body_is_a_conflict():
    broker = Broker(channels=[loopback("loop")])
    broker.start()
    broker.register("d", {"loop": "t"})
    first = broker.expect(202, "POST", "/v1/messages", BODY, headers=KEY)["message_id"]
    assert broker.expect(202, "POST", "/v1/messages", BODY, headers=KEY)["message_id"] == first
    other = broker.call("POST", "/v1/messages", {**BODY, "notification": {"title": "twice"}}, headers=KEY)
    assert other.status == 409 and "dempotency" in other.json["detail"], other
    # The key belongs to the app: another app's is its own.
    assert broker.call("POST", "/v1/messages", BODY, headers=KEY, key="other").json.get("message_id") != first
    broker.wait_status(first, "delivered")
    broker.kill()
    with broker:
        assert broker.expect(202, "POST", "/v1/messages", BODY, headers=KEY)["message_id"] == first
        broker.wait_status(first, "delivered")
        assert not broker.metric("godwit_attempts_total", channel="loop", result="delivered")


def test_keys_in_batch_lines():
    with Broker(channels=[loopback("loop")]) as broker:
        broker.register("d", {"loop": "t"})
        lines = [{**BODY, "idempotency_key": key} for key in ("a", "b", "a")]
        answers = broker.batch(lines)
        assert [a["index"] for a in answers] == [0, 1, 2]
        assert answers[0]["message_id"] == answers[2]["message_id"] != answers[1]["message_id"]
