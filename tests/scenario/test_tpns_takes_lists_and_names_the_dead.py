"""TPNS takes up to a thousand tokens a call and lists the dead ones; the older interfaces only say that one of them is dead."""

import pytest

from godwit_testing import Broker, FakeTpns, wait_for, xinge


@pytest.mark.parametrize("api, access_id", [("tpns", "1500001234"), ("v3", "a1b2c3d4e5f60")])
def test_a_list_with_dead_tokens(api, access_id):
    with FakeTpns(access_id) as vendor, Broker(channels=[xinge(vendor, api=api)]) as broker:
        for n in range(60):
            broker.register(f"d{n}", {"xinge": f"token{n}"})
            broker.expect(204, "PUT", f"/v1/topics/news/devices/d{n}")
        vendor.behave(token7="dead", token33="dead")
        message = broker.push({"topic": "news"}, ttl=3600)
        wait_for(lambda: broker.message(message)["counts"]["sent"] == 58, what=lambda: str(broker.message(message)))
        arrived = [a["regid"] for a in vendor.control("arrivals")]
        assert len(arrived) == len(set(arrived)) == 58
        if api == "tpns":
            assert len(vendor.calls()) <= 3
        for n in (7, 33):
            wait_for(lambda d=f"d{n}": broker.live_channels(d) == set(), what="the dead token's end")
        assert broker.live_channels("d8") == {"xinge"}


def test_v2_stores_the_message_and_then_names_the_devices():
    with FakeTpns() as vendor, Broker(channels=[xinge(vendor, api="v2")]) as broker:
        for n in range(5):
            broker.register(f"d{n}", {"xinge": f"token{n}"})
        one = broker.push({"device": "d0"}, ttl=3600)
        broker.wait_status(one, "sent")
        many = broker.push({"devices": [f"d{n}" for n in range(5)]}, ttl=3600)
        wait_for(lambda: broker.message(many)["counts"]["sent"] == 5, what=lambda: str(broker.deliveries(many)))
        assert [a["regid"] for a in vendor.control("arrivals")].count("token3") == 1


def test_an_ios_app_has_an_environment():
    with FakeTpns("1600001234") as vendor, Broker(channels=[xinge(vendor, platform="ios", environment="dev")]) as broker:
        broker.register("d1", {"xinge": "token1"}, platform="ios")
        broker.wait_status(broker.push({"device": "d1"}), "sent")
        assert vendor.control("arrivals")[0]["body"]["environment"] == "dev"


@pytest.mark.parametrize("auth", ["sign", "basic"])
def test_a_wrong_key_is_told_and_both_ways_of_proof_work(auth):
    with FakeTpns() as vendor:
        channels = [xinge(vendor, auth=auth), xinge(vendor, name="wrong", auth=auth, secret_key="another")]
        with Broker(channels=channels) as broker:
            broker.register("d1", {"xinge": "token1"})
            broker.register("d2", {"wrong": "token2"})
            broker.wait_status(broker.push({"device": "d1"}), "sent")
            broker.push({"device": "d2"})
            wait_for(lambda: broker.channel("wrong")["state"] == "failed", what="the alarm")
            assert "1008003" in broker.channel("wrong")["state_reason"]


def test_throttled_hung_reset_and_garbled_calls_lose_nothing():
    with FakeTpns() as vendor, Broker(channels=[xinge(vendor, request_timeout_ms=500)]) as broker:
        vendor.behave(slow="http429:1:1", error="http500:1", html="html:1", busy="busy:1", hangs="hang", resets="reset")
        messages = {}
        for token in ("slow", "error", "html", "busy", "hangs", "resets"):
            broker.register(token, {"xinge": token})
            messages[token] = broker.push({"device": token}, ttl=300)
        for token in ("slow", "error", "html", "busy"):
            broker.wait_status(messages[token], "sent", seconds=60)
            assert [a["regid"] for a in vendor.control("arrivals") if a["accepted"]].count(token) == 1
        for token in ("hangs", "resets"):
            wait_for(lambda t=token: "unknown" in {a["result"] for a in broker.delivery(messages[t])["attempts"]}, what=f"the word about {token}")
