"""Androidpn phones behind Prosody and ejabberd: forks confirm, the client of 2010 does not, and the state says no more than is known."""

import pytest

from xmpp_phone import Phone
from xmpp_servers import Ejabberd, Prosody
from xmpp_world import receipts, world

SERVERS = pytest.mark.parametrize("server_class", [Prosody, Ejabberd])


def kinds(broker, message):
    return {(r["event"], r["kind"]) for r in broker.delivery(message)["receipts"]}


@SERVERS
def test_an_androidpn_fork_confirms(server_class):
    with world(server_class, dialect="androidpn") as (server, proxy, broker), Phone(server, "bob", dialect="androidpn", sm=False) as bob:
        broker.register("d1", {"xmpp": bob.jid})
        body = {"to": {"device": "d1"}, "notification": {"title": "T", "body": "B", "link": "app://x", "image": "https://i"}}
        message = broker.expect(202, "POST", "/v1/messages", body)["message_id"]
        broker.wait_status(message, "delivered")
        assert kinds(broker, message) == {("delivered", "device")}
        event = next(e for e in bob.events if e.get("shown") == message)
        assert event["fields"] == {"id": message, "apiKey": "1234567890", "title": "T", "message": "B", "uri": "app://x", "imageUrl": "https://i"}
        assert event["order"][:5] == ["id", "apiKey", "title", "message", "uri"]


@SERVERS
def test_an_androidpn_phone_of_2010_is_never_called_delivered(server_class):
    with world(server_class, dialect="androidpn") as (server, proxy, broker):
        with Phone(server, "bob", dialect="androidpn", confirm=False, sm=False) as bob:
            broker.register("d1", {"xmpp": "bob"})
            message = broker.push({"device": "d1"})
            bob.wait_shown(message)
            broker.wait_status(message, "sent")
            assert broker.delivery(message)["attempts"][0]["result"] == "accepted"
            assert broker.delivery(message)["receipts"] == [] and receipts(broker) == 0


@SERVERS
def test_a_client_that_is_no_androidpn_client_refuses(server_class):
    with world(server_class, dialect="androidpn") as (server, proxy, broker):
        with Phone(server, "bob", dialect="xmpp", resource="AndroidpnClient", sm=False):
            broker.register("d1", {"xmpp": "bob"})
            message = broker.push({"device": "d1"})
            broker.wait_status(message, "failed")
            assert broker.delivery(message)["attempts"][0]["vendor_code"] == "feature-not-implemented"
