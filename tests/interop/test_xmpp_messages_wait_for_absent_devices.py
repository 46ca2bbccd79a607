"""A phone that is away gets its messages when it is back, whoever held them meanwhile; presence says when."""

import os
import signal

import pytest

from godwit_testing import wait_for
from xmpp_phone import Phone
from xmpp_servers import Ejabberd, Prosody
from xmpp_world import world

SERVERS = pytest.mark.parametrize("server_class", [Prosody, Ejabberd])


@SERVERS
@pytest.mark.parametrize("mode", ["component", "client"])
def test_the_broker_holds_what_presence_forbids(server_class, mode):
    with world(server_class, mode) as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        with Phone(server, "bob", sm=False) as bob:
            broker.wait_status(broker.push({"device": "d1"}), "delivered")
            wait_for(lambda: broker.channel("xmpp")["connections"] == 1, 15, "presence to be known")
        wait_for(lambda: broker.channel("xmpp")["connections"] == 0, 15, "its end to be known")
        waiting = [broker.push({"device": "d1"}, title=f"{n}") for n in range(5)]
        short = broker.push({"device": "d1"}, ttl=1)
        broker.wait_status(short, "expired")
        assert all(broker.delivery(m)["attempts"] == [] for m in waiting), "nothing was sent to nobody"
        with Phone(server, "bob", sm=False) as bob:
            bob.wait_shown(*waiting)
            assert bob.told("again") == [] and short not in bob.shown
            for message in waiting:
                broker.wait_status(message, "delivered")


def test_what_a_dead_connection_swallowed_comes_again():
    """Protects against messages that a server has written to a phone which was gone already: it confirms them, and nobody keeps them."""
    with world(Prosody) as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        with Phone(server, "bob", sm=False) as bob:
            broker.wait_status(broker.push({"device": "d1"}), "delivered")
            wait_for(lambda: broker.channel("xmpp")["connections"] == 1, 15, "presence to be known")
            os.kill(bob.process.pid, signal.SIGSTOP)
            lost = broker.push({"device": "d1"})
            broker.wait_status(lost, "sent")
        wait_for(lambda: broker.channel("xmpp")["connections"] == 0, 15, "its end to be known")
        with Phone(server, "bob", sm=False) as bob:
            bob.wait_shown(lost)
            assert bob.told("again") == []
            broker.wait_status(lost, "delivered")


@SERVERS
def test_the_server_holds_where_it_is_told_to(server_class):
    with world(server_class, offline="server") as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        messages = [broker.push({"device": "d1"}) for _ in range(5)]
        for message in messages:
            broker.wait_status(message, "sent")
        with Phone(server, "bob") as bob:
            bob.wait_shown(*messages)
            assert bob.told("again") == []
            for message in messages:
                broker.wait_status(message, "delivered")


@SERVERS
def test_an_absent_androidpn_phone_is_waited_for(server_class):
    with world(server_class, dialect="androidpn") as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        messages = [broker.push({"device": "d1"}) for _ in range(3)]
        attempt = broker.delivery_when_attempted(messages[0])["attempts"][0]
        wait_for(lambda: broker.delivery(messages[0])["attempts"][0].get("vendor_code") == "service-unavailable", 10, lambda: attempt)
        with Phone(server, "bob", dialect="androidpn", sm=False) as bob:
            bob.wait_shown(*messages)
            assert bob.told("again") == []
            for message in messages:
                broker.wait_status(message, "delivered")
