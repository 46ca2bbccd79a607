"""A phone whose radio dies is there for its server until the time for a resumption is over: what was sent meanwhile is shown once."""

import pytest

from godwit_testing import wait_for
from xmpp_phone import Phone
from xmpp_servers import Ejabberd, Prosody
from xmpp_world import world

SERVERS = pytest.mark.parametrize("server_class", [Prosody, Ejabberd])


@SERVERS
def test_a_phone_whose_radio_died_gets_it_once_when_it_resumes(server_class):
    with world(server_class) as (server, proxy, broker), Phone(server, "bob") as bob:
        broker.register("d1", {"xmpp": "bob"})
        broker.wait_status(broker.push({"device": "d1"}), "delivered")
        bob.do("cut")
        messages = [broker.push({"device": "d1"}) for _ in range(20)]
        bob.wait_shown(*messages, seconds=30)
        for message in messages:
            broker.wait_status(message, "delivered", seconds=60)
        assert bob.told("again") == []


# Two states are waited for that a fast phone would not wait for. Presence must be known before the radio dies, else "nobody is there" is true at
# once. And the server must have stored what the session held: ejabberd 23.01 keeps a message back when the account signs in anew at that moment.
@SERVERS
def test_a_session_that_never_comes_back_loses_nothing(server_class):
    with world(server_class, resume_seconds=3) as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        with Phone(server, "bob") as bob:
            broker.wait_status(broker.push({"device": "d1"}), "delivered")
            wait_for(lambda: broker.channel("xmpp")["connections"] == 1, 15, "presence to be known")
        messages = [broker.push({"device": "d1"}) for _ in range(5)]  # the server takes it for present
        wait_for(lambda: broker.channel("xmpp")["connections"] == 0, 30, "the server to give the session up")
        attempted = sum(broker.delivery(m)["attempts"] != [] for m in messages)  # the others wait at the broker
        wait_for(lambda: server.stored("bob") >= attempted, 30, "the server to store what the session held")
        with Phone(server, "bob") as bob:
            bob.wait_shown(*messages)
            for message in messages:
                broker.wait_status(message, "delivered")


# Protects against a phone that is there and gets nothing: ejabberd 23.01 may announce the old session's end after the new one's beginning. What the
# old one held makes its end last; what becomes of that is the server's business here (docs/channels/xmpp.md, Limits).
@SERVERS
def test_a_phone_that_begins_anew_before_its_old_session_is_over_is_there(server_class):
    with world(server_class) as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        for _ in range(3):
            with Phone(server, "bob") as bob:
                message = broker.push({"device": "d1"})
                bob.wait_shown(message)
                broker.wait_status(message, "delivered")
            for _ in range(5):
                broker.push({"device": "d1"})
