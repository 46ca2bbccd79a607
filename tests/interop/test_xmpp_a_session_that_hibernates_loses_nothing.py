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
            broker.wait_status(message, "delivered")
        assert bob.told("again") == []


@SERVERS
def test_a_session_that_never_comes_back_loses_nothing(server_class):
    with world(server_class, resume_seconds=3) as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        with Phone(server, "bob") as bob:
            broker.wait_status(broker.push({"device": "d1"}), "delivered")
        messages = [broker.push({"device": "d1"}) for _ in range(5)]  # the server takes it for present
        wait_for(lambda: broker.channel("xmpp")["connections"] == 0, 30, "the server to give the session up")
        with Phone(server, "bob") as bob:
            bob.wait_shown(*messages)
            for message in messages:
                broker.wait_status(message, "delivered")
