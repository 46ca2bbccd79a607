"""XMPP clients behind Prosody and ejabberd, with godwitd as a component and as a client: receipts, reports, and no forged ones."""

import pytest

from xmpp_phone import Phone
from xmpp_servers import COMPONENT, Ejabberd, Prosody
from xmpp_world import receipts, world

SERVERS = pytest.mark.parametrize("server_class", [Prosody, Ejabberd])


def kinds(broker, message):
    return {(r["event"], r["kind"]) for r in broker.delivery(message)["receipts"]}


@SERVERS
@pytest.mark.parametrize("mode", ["component", "client"])
def test_an_xmpp_client_receipts_and_reports(server_class, mode):
    with world(server_class, mode, phones=("bob", "eve")) as (server, proxy, broker), Phone(server, "bob") as bob, Phone(server, "eve") as eve:
        broker.register("d1", {"xmpp": "bob"})  # a user name of `domain`
        message = broker.push({"device": "d1"}, title="喜 <&> \u0000 🦅", ttl=3600)
        broker.wait_status(message, "delivered")
        assert kinds(broker, message) == {("delivered", "device")}
        event = next(e for e in bob.events if e.get("shown") == message)
        assert event["payload"]["notification"] == {"title": "喜 <&> \u0000 🦅"} and event["payload"]["message_id"] == message
        assert event["payload"]["expires_at"] > 1_700_000_000_000
        assert event["body"].startswith("喜 <&> ") and event["type"] == "normal"

        bob.do(f"opened {message} {event['sender']}")
        broker.wait_status(message, "opened")

        # Somebody else on the same server cannot confirm what was not sent to her.
        broker.register("d2", {"xmpp": "ghost"})
        secret = broker.push({"device": "d2"})
        broker.delivery_when_attempted(secret)
        counted = receipts(broker)
        eve.do(f"forge {secret} {event['sender']}")
        later = broker.push({"device": "d1"})  # behind it on the same stream
        broker.wait_status(later, "delivered")
        assert broker.message(secret)["counts"]["delivered"] == 0
        assert receipts(broker) == counted + 1


def test_a_component_is_asked_what_it_is():
    """A stock client may ping the component and ask for its features."""
    with world(Prosody) as (server, proxy, broker), Phone(server, "bob") as bob:
        bob.do(f"ask {COMPONENT}")
        bob.wait_for(lambda: bob.told("pong") and bob.told("features"), 15, "an answer")
        assert "urn:xmpp:receipts" in bob.told("features")[0]
