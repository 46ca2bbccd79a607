"""iOS devices in the running broker: what Apple takes is `sent` and no more, the app's own receipt is `delivered` by the device, a token
that Apple calls dead is unbound, and rates of different kinds stay apart."""

import json
import time

from godwit_testing import Broker, FakeApple, ios_token, loopback, make_client_certificate, wait_for

QUICK = {"routing": {"min_wait": "100ms", "max_wait": "500ms"}}


def iphone(broker, name, token=None):
    return broker.register(name, {"apns": token or ios_token(name)}, platform="ios", manufacturer="Apple", os_version="18.1")


def rates(broker):
    rows = broker.expect(200, "GET", "/v1/stats/delivery?by=channel&window=24h")["rates"]
    return [row for row in rows if row["channel"] == "apns"]


def test_a_push_and_the_apps_own_receipt():
    with FakeApple("--shy") as apple, Broker(channels=[apple.channel()], extra=QUICK) as broker:
        iphone(broker, "ada")
        body = {"to": {"device": "ada"},
                "notification": {"title": "Ada", "body": "Lunch?", "badge": 3, "sound": "default", "thread_id": "room-42", "category": "MSG",
                                 "link": "chat://room/42", "image": "https://img.example.org/a.jpg"},
                "data": {"room": "42"}, "options": {"ttl": 3600, "priority": "high", "collapse_key": "room-42"},
                "overrides": {"apns": {"aps": {"interruption-level": "time-sensitive"}}}}
        message = broker.expect(202, "POST", "/v1/messages", body)["message_id"]
        broker.wait_status(message, "sent")
        (push,) = apple.pushes("ada")
        assert push["status"] == 200
        assert push["payload"] == {
            "aps": {"alert": {"title": "Ada", "body": "Lunch?"}, "badge": 3, "sound": "default", "thread-id": "room-42", "category": "MSG",
                    "mutable-content": 1, "interruption-level": "time-sensitive"},
            "link": "chat://room/42", "image": "https://img.example.org/a.jpg", "room": "42", "message_id": message}
        headers = push["headers"]
        assert headers["apns-topic"] == "org.example.chat" and headers["apns-push-type"] == "alert" and headers["apns-priority"] == "10"
        assert headers["apns-collapse-id"] == "room-42" and abs(int(headers["apns-expiration"]) - time.time() - 3600) < 60
        (attempt,) = broker.delivery(message)["attempts"]
        assert (attempt["channel"], attempt["result"], attempt["vendor_id"]) == ("apns", "accepted", headers["apns-id"])
        assert broker.metric("godwit_receipts_total", channel="apns", kind="device") is None, "Apple's answer is no receipt"
        assert {row["receipt_kind"]: row["rate"] for row in rates(broker)} == {"accepted": None}, "what Apple takes makes no rate"

        # The app's notification service extension ran, with the id that it found in the payload.
        broker.expect(200, "POST", "/v1/receipts",
                      [{"message_id": push["payload"]["message_id"], "device_id": "ada", "event": "delivered"}])
        broker.wait_status(message, "delivered")
        wait_for(lambda: broker.metric("godwit_receipts_total", channel="apns", kind="device", event="delivered") == 1)
        by_kind = {row["receipt_kind"]: row for row in rates(broker)}
        assert by_kind["device"]["delivered"] == 1 and by_kind["device"]["rate"] == 1
        assert by_kind["accepted"]["rate"] is None and "vendor" not in by_kind
        assert apple.state()["never_indexed"][":path"] and apple.state()["never_indexed"]["authorization"]


def test_a_dead_token_is_unbound_unless_it_was_registered_since():
    with FakeApple() as apple, Broker(channels=[{**apple.channel(), "prior": 0.95}, {**loopback("spare"), "prior": 0.3}], extra=QUICK) as broker:
        hour = 3_600_000
        now = int(time.time() * 1000)
        apple.behave({"gone": f"Unregistered:{now + hour}", "back": f"Unregistered:{now - hour}"})
        for name in ("gone", "back"):
            broker.register(name, {"apns": ios_token(name), "spare": name}, platform="ios", manufacturer="Apple")
        for name in ("gone", "back"):
            message = broker.push({"device": name}, priority="critical")
            broker.wait_status(message, "delivered")
            first, second = broker.delivery(message)["attempts"]
            assert (first["channel"], first["result"], first["vendor_code"]) == ("apns", "token_invalid", "Unregistered")
            assert second["channel"] == "spare"
        wait_for(lambda: "apns" not in broker.live_channels("gone"))
        assert "apns" in broker.live_channels("back"), "Apple speaks of an hour before this registration"


def test_a_wrong_key_stops_the_channel_with_advice_and_a_new_one_heals_it():
    with FakeApple() as apple, Broker(channels=[apple.channel(key_id="OTHERKEY01"), loopback("spare")], extra=QUICK) as broker:
        broker.register("d", {"apns": ios_token("d"), "spare": "d"}, platform="ios")
        message = broker.push({"device": "d"}, priority="critical")
        broker.wait_status(message, "delivered")
        wait_for(lambda: broker.channel("apns")["state"] == "failed")
        assert "InvalidProviderToken" in json.dumps(broker.channel("apns"))
        assert len(apple.pushes()) == 1, "one refusal is enough"
        assert "apns" in broker.live_channels("d"), "the token is not to blame"


def test_a_client_certificate_does_instead_of_a_key(tmp_path):
    certificate = make_client_certificate(tmp_path / "client.pem", days=20)
    by_certificate = {"team_id": None, "key_id": None, "key": None, "certificate_file": f"${{file:{certificate}}}"}
    with FakeApple("--client-ca", certificate) as apple, Broker(channels=[apple.channel(**by_certificate)], extra=QUICK) as broker:
        iphone(broker, "ada")
        message = broker.push({"device": "ada"})
        broker.wait_status(message, "sent")
        (push,) = apple.pushes("ada")
        assert push["status"] == 200 and "authorization" not in push["headers"]
        assert "ends soon" in broker.log(), "20 days are few"


def test_a_live_activity_goes_to_everybody_on_its_broadcast_channel():
    with FakeApple() as apple, Broker(channels=[apple.channel()], extra=QUICK) as broker:
        body = {"to": {"token": {"channel": "apns", "token": "broadcast:dHN0LXNyY2gtY2hubA=="}}, "data": {},
                "options": {"ttl": 60, "priority": "high"}, "overrides": {"apns": {"aps": {"event": "update", "content-state": {"score": "2:1"}}}}}
        message = broker.expect(202, "POST", "/v1/messages", body)["message_id"]
        broker.wait_status(message, "sent")
        (push,) = apple.pushes()
        assert push["headers"][":path"] == "/4/broadcasts/apps/org.example.chat"
        assert push["headers"]["apns-channel-id"] == "dHN0LXNyY2gtY2hubA==" and push["payload"]["aps"]["content-state"] == {"score": "2:1"}


def test_broadcast_channels_are_made_used_and_deleted_by_messages():
    with FakeApple() as apple, Broker(channels=[apple.channel()], extra=QUICK) as broker:
        def order(action, token="broadcast:new", state="sent", **more):
            body = {"to": {"token": {"channel": "apns", "token": token}}, "data": {}, "options": {"ttl": 60},
                    "overrides": {"apns": {"broadcast_channel": {"action": action, **more}}}}
            message = broker.expect(202, "POST", "/v1/messages", body)["message_id"]
            broker.wait_status(message, state)
            return broker.delivery(message)["attempts"][0]

        made = order("create", **{"message-storage-policy": 1})["vendor_id"]
        assert made != "dHN0LXNyY2gtY2hubA==" and order("read", f"broadcast:{made}")["vendor_detail"] == "message-storage-policy 1"
        listed = order("list")["vendor_detail"]
        assert listed.startswith("2 channels: ") and made in listed

        body = {"to": {"token": {"channel": "apns", "token": f"broadcast:{made}"}}, "data": {}, "options": {"ttl": 60, "priority": "high"},
                "overrides": {"apns": {"aps": {"event": "update", "content-state": {"score": "2:1"}}}}}
        message = broker.expect(202, "POST", "/v1/messages", body)["message_id"]
        broker.wait_status(message, "sent")

        # A channel that keeps nothing takes a broadcast only as now or never.
        fleeting = order("create", **{"message-storage-policy": 0})["vendor_id"]
        body["to"]["token"]["token"] = f"broadcast:{fleeting}"
        body["overrides"]["apns"]["headers"] = {"apns-expiration": "0"}
        broker.wait_status(broker.expect(202, "POST", "/v1/messages", body)["message_id"], "sent")

        assert order("delete", f"broadcast:{made}")["vendor_detail"] == "deleted"
        assert order("read", f"broadcast:{made}", "failed")["vendor_code"] == "ChannelNotRegistered"
        assert made not in order("list")["vendor_detail"]
        paths = {(p["headers"][":method"], p["headers"][":path"]) for p in apple.pushes()}
        assert ("DELETE", "/1/apps/org.example.chat/channels") in paths
