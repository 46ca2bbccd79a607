"""A server that restarts is found again, and presence is learnt anew on the next link."""

import pytest

from godwit_testing import wait_for
from xmpp_phone import Phone
from xmpp_servers import HOST, Ejabberd, Prosody
from xmpp_world import wait_ready, world

SERVERS = pytest.mark.parametrize("server_class", [Prosody, Ejabberd])


@SERVERS
def test_a_server_that_restarts_is_found_again(server_class):
    with world(server_class) as (server, proxy, broker):
        broker.register("d1", {"xmpp": "bob"})
        server.stop()
        wait_for(lambda: broker.channel("xmpp")["state"] == "down", 20, lambda: broker.channel("xmpp"))
        message = broker.push({"device": "d1"})
        server.start()
        wait_ready(broker, 60)
        with Phone(server, "bob") as bob:
            bob.wait_shown(message, seconds=30)
            broker.wait_status(message, "delivered", seconds=30)


@SERVERS
def test_presence_is_learnt_anew_after_the_link_was_lost(server_class):
    with world(server_class) as (server, proxy, broker), Phone(server, "bob") as bob:
        broker.register("d1", {"xmpp": f"bob@{HOST}"})
        broker.wait_status(broker.push({"device": "d1"}), "delivered")
        wait_for(lambda: broker.channel("xmpp")["connections"] == 1, 15, "presence to be known")
        proxy.cut()
        wait_for(lambda: proxy.connections == 2, 15, "the next link")
        wait_ready(broker)
        wait_for(lambda: broker.channel("xmpp")["connections"] == 1, 15, "presence to be known again")
