"""Every field of every body wrong in turn: a 4xx problem that points at it, and a broker that goes on working."""

import copy
import json

import pytest
from godwit_testing import Broker, loopback

MESSAGE = {
    "to": {"user": "u"},
    "notification": {"title": "t", "body": "b", "image": "https://x/y.png", "sound": "default", "badge": 1, "category": "c", "thread_id": "t",
                     "link": "app://x", "title_loc_key": "k", "title_loc_args": ["a"], "body_loc_key": "k", "body_loc_args": ["a"]},
    "data": {"k": "v"},
    "options": {"ttl": 60, "priority": "high", "collapse_key": "k", "deliver_at": "2099-01-01T00:00:00Z", "silent": False,
                "channels": ["loop"], "routing": "best", "class": "transactional"},
    "overrides": {"apns": {}},
}
DEVICE = {"user_id": "u", "platform": "android", "manufacturer": "m", "model": "m", "os_version": "1", "app_version": "1", "locale": "zh-CN",
          "timezone": "Asia/Shanghai", "network": "wifi", "location": {"lat": 1.0, "lon": 1.0}, "tags": ["a"], "channels": {"loop": {"token": "t"}}}
RECEIPT = {"message_id": "0" * 26, "device_id": "d", "event": "delivered", "at": "2026-11-21T08:00:00Z"}


@pytest.fixture(scope="module")
def broker():
    with Broker(channels=[loopback("loop")]) as broker:
        yield broker
        broker.register("after", {"loop": "t"})  # it still works after all that
        broker.wait_status(broker.push({"device": "after"}), "delivered")


def members(value, pointer=""):
    """Every member of a JSON value by its pointer, the containers too."""
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        here = f"{pointer}/{name}"
        yield here
        if isinstance(member, (dict, list)):
            yield from members(member, here)


def with_wrong(value, pointer):
    """A copy in which the member is of a type that fits nowhere: a list in a list in a list of itself."""
    out = copy.deepcopy(value)
    at, (*path, last) = out, [int(p) if p.isdigit() else p for p in pointer[1:].split("/")]
    for part in path:
        at = at[part]
    at[last] = [[["wrong"]]] if not isinstance(at[last], list) else 7
    return out


def assert_points_at(answer, pointer):
    assert 400 <= answer.status < 500 and answer.headers["content-type"].startswith("application/problem+json"), answer
    problem = answer.json
    assert {"type", "title", "status", "detail", "errors"} <= problem.keys(), problem
    assert any(pointer.startswith(e["pointer"]) or e["pointer"].startswith(pointer) for e in problem["errors"]), (pointer, problem)
    assert all(e["detail"] and e["code"] for e in problem["errors"])


FREE = ("/data/", "/overrides/apns")  # members that are the caller's own


@pytest.mark.parametrize("pointer", [p for p in members(MESSAGE) if not p.startswith(FREE)])
def test_message(broker, pointer):
    assert_points_at(broker.call("POST", "/v1/messages", with_wrong(MESSAGE, pointer)), pointer)


@pytest.mark.parametrize("pointer", list(members(DEVICE)))
def test_device(broker, pointer):
    assert_points_at(broker.call("PUT", "/v1/devices/d", with_wrong(DEVICE, pointer), key="client"), pointer)
    assert broker.call("GET", "/v1/devices/d").status == 404  # nothing of it was kept


@pytest.mark.parametrize("pointer", list(members(RECEIPT)))
def test_receipt(broker, pointer):
    assert_points_at(broker.call("POST", "/v1/receipts", [with_wrong(RECEIPT, pointer)]), "/0" + pointer)


@pytest.mark.parametrize("change, pointer", [
    ({"extra": 1}, "/extra"), ({"to": {}}, "/to"), ({"to": {"user": "u", "topic": "t"}}, "/to"), ({"to": {"users": []}}, "/to/users"),
    ({"to": {"user": ""}}, "/to/user"), ({"options": {"ttl": -1}}, "/options/ttl"), ({"options": {"ttl": 10 ** 12}}, "/options/ttl"),
    ({"options": {"priority": "urgent"}}, "/options/priority"), ({"options": {"deliver_at": "tomorrow"}}, "/options/deliver_at"),
    ({"options": {"prioritty": "high"}}, "/options/prioritty"), ({"notification": {"title": "x" * 9000}}, "/notification"),
])
def test_values_out_of_range(broker, change, pointer):
    assert_points_at(broker.call("POST", "/v1/messages", {**{"to": {"user": "u"}, "notification": {"title": "t"}}, **change}), pointer)


def test_all_faults_are_named_at_once(broker):
    problem = broker.call("POST", "/v1/messages", {"to": {}, "options": {"ttl": "x", "priority": 1}, "what": 1}).json
    assert {"/options/ttl", "/options/priority", "/what"} <= {e["pointer"] for e in problem["errors"]}, problem


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"to":' * 200, b'{"to":{"user":"\xff"}}'])
def test_bodies_that_are_no_message(broker, body):
    answer = broker.call("POST", "/v1/messages", body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status < 500, answer


def test_a_bad_line_of_a_batch_costs_only_itself(broker):
    good = '{"to":{"user":"u"},"notification":{"title":"t"}}'
    body = "\n".join([good, "{broken", '{"to":{}}', good]).encode() + b"\n"
    answer = broker.call("POST", "/v1/messages/batch", body, headers={"Content-Type": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.body.decode().splitlines()]
    assert [("message_id" in line) for line in lines] == [True, False, False, True], lines
    assert [line["index"] for line in lines] == [0, 1, 2, 3]
