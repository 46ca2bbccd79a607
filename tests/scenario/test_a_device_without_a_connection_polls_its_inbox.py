"""A client that cannot hold a connection catches up over HTTP and acknowledges by receipts."""

import threading

from godwit_testing import Broker, free_port, own_connection


def test_poll_long_poll_and_acknowledge():
    with Broker(channels=[own_connection(free_port())]) as broker:
        credential = broker.register("phone-1", {"selfconn": None})["credential"]
        first = broker.push({"device": "phone-1"}, "first")
        page = broker.expect(200, "GET", "/v1/inbox", key=credential)
        assert [m["message_id"] for m in page["messages"]] == [first]
        assert page["messages"][0]["notification"]["title"] == "first"

        answers = []
        waiter = threading.Thread(target=lambda: answers.append(
            broker.expect(200, "GET", f"/v1/inbox?after={page['cursor']}&wait=20", key=credential)))
        waiter.start()
        second = broker.push({"device": "phone-1"}, "second")
        waiter.join(15)
        assert [m["message_id"] for m in answers[0]["messages"]] == [second]

        broker.expect(200, "POST", "/v1/receipts", [
            {"message_id": first, "device_id": "phone-1", "event": "delivered"},
            {"message_id": second, "device_id": "phone-1", "event": "opened"}], key=credential)
        assert broker.message(first)["status"] == "delivered"
        assert broker.message(second)["status"] == "opened"
        assert broker.expect(200, "GET", "/v1/inbox", key=credential)["messages"] == []


def test_a_device_may_not_speak_for_another():
    with Broker(channels=[own_connection(free_port())]) as broker:
        mine = broker.register("mine", {"selfconn": None})["credential"]
        broker.register("yours", {"selfconn": None})
        message = broker.push({"device": "yours"})
        answer = broker.call("POST", "/v1/receipts", [{"message_id": message, "device_id": "yours", "event": "delivered"}], key=mine)
        assert answer.status == 403, answer
        assert broker.call("GET", "/v1/devices/yours", key=mine).status in (403, 404)
        assert broker.message(message)["counts"]["delivered"] == 0
