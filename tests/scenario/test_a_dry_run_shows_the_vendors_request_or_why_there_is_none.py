"""Before a backend sends anything, the dry run shows what each vendor would be asked, without secrets, or why its channel refuses."""

import json
from urllib.parse import parse_qs

from godwit_testing import Broker
from godwit_testing.apple import KEY_ID, TEAM, TOPIC, make_p8

NOBODY = "http://127.0.0.1:9"  # nothing is sent
SECRET = "00112233445566778899aabbccddeeff"
ADDRESSES = {"apns": "ab" * 32, "mi": "regid", "xinge": "t1", "old-xinge": "t1"}


def channels(folder):
    yield {"name": "apns", "plugin": "apns", "config": {"origin": NOBODY, "topic": TOPIC, "team_id": TEAM, "key_id": KEY_ID,
                                                        "key": make_p8(folder / "key.p8").read_text()}}
    yield {"name": "mi", "plugin": "mipush", "config": {"origin": NOBODY, "app_secret": SECRET, "package_name": "com.example.shop"}}
    for name, api in (("xinge", "tpns"), ("old-xinge", "v2")):
        yield {"name": name, "plugin": "xinge", "config": {"origin": NOBODY, "api": api, "access_id": "1500001234", "secret_key": SECRET}}


def test_a_dry_run(tmp_path):
    with Broker(channels=channels(tmp_path)) as broker:

        def ask(channel, **message):
            to = {"token": {"channel": channel, "token": ADDRESSES[channel]}}
            message = {"to": to, "notification": {"title": "New order"}, **message}
            answer = broker.call("POST", "/v1/messages/validate", message)
            assert answer.status == 200, answer
            assert SECRET not in answer.body.decode() and "PRIVATE KEY" not in answer.body.decode()
            [sample] = answer.json["samples"]
            assert sample["channel"] == channel, sample
            return sample

        def shown(channel):
            sample = ask(channel)
            assert "errors" not in sample, sample
            [request] = sample["requests"]
            assert request["method"] == "POST" and request["body"] == sample["payload"]
            return request["url"], {h["name"]: h["value"] for h in request["headers"]}, request["body"]

        url, headers, body = shown("apns")
        assert url == f"{NOBODY}/3/device/{ADDRESSES['apns']}"
        assert headers["authorization"] == "***" and headers["apns-topic"] == TOPIC and headers["apns-push-type"] == "alert"
        assert json.loads(body)["aps"]["alert"]["title"] == "New order"

        url, headers, body = shown("mi")
        assert url == f"{NOBODY}/v3/message/regid" and parse_qs(body)["registration_id"] == ["regid"]
        assert headers == {"authorization": "***", "content-type": "application/x-www-form-urlencoded;charset=UTF-8"}

        url, headers, body = shown("xinge")
        assert url == f"{NOBODY}/v3/push/app" and json.loads(body)["token_list"] == ["t1"]
        assert headers == {"content-type": "application/json", "accessid": "1500001234", "timestamp": "(now)", "sign": "***"}

        url, headers, body = shown("old-xinge")
        assert url == f"{NOBODY}/v2/push/single_device" and headers == {"content-type": "application/x-www-form-urlencoded"}
        assert parse_qs(body)["access_id"] == ["1500001234"] and parse_qs(body)["sign"] == ["***"]

        def refused(channel, **message):
            sample = ask(channel, **message)
            assert "requests" not in sample and "payload" not in sample, sample
            [error] = sample["errors"]
            assert error["channel"] == channel
            return error.get("field"), error["detail"]

        field, why = refused("apns", overrides={"apns": {"headers": {"apns-push-type": "telepathy"}}})
        assert field == "/overrides/apns/headers/apns-push-type" and "'telepathy' is none that Apple knows; these are: alert, " in why
        assert refused("apns", overrides={"apns": {"headers": {"apns-priority": [1]}}}) == (
            "/overrides/apns/headers/apns-priority", "BadOverride: must be a number or plain ASCII text")
        much = {"x": "y" * 4000}  # that the broker takes it does not mean that there is room for what a vendor wants around it
        assert refused("apns", data=much)[1].startswith("PayloadTooLarge: the payload has 4")
        assert "Xinge takes 4096; send less data" in refused("xinge", data=much)[1]
