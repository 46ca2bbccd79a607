"""Wrong secrets, unknown names, untrusted certificates: the channel fails with a word that docs/channels/xmpp.md explains."""

import pytest

from godwit_testing import Broker, wait_for
from xmpp_servers import SENDER, Ejabberd, Prosody, certificate
from xmpp_world import xmpp_channel

SERVERS = pytest.mark.parametrize("server_class", [Prosody, Ejabberd])


def reason_of(broker, state):
    return wait_for(lambda: broker.channel("xmpp")["state"] == state and broker.channel("xmpp")["state_reason"], 20, lambda: broker.channel("xmpp"))


@SERVERS
def test_what_an_operator_must_mend_is_said(server_class, tmp_path):
    with server_class() as server:
        server.register(SENDER)
        other = certificate(tmp_path)[0]
        for channel, code in [
            (xmpp_channel(server, password="wrong"), "not-authorized"),
            (xmpp_channel(server, jid="unknown.localhost"), "host-unknown" if server_class is Prosody else "not-authorized"),
            (xmpp_channel(server, "client", password="wrong"), "not-authorized"),
            (xmpp_channel(server, "client", ca_file=str(other)), "tls"),
            (xmpp_channel(server, "client", ca_file=str(tmp_path / "none.pem")), "ca_file"),
        ]:
            with Broker(channels=[channel]) as broker:
                assert reason_of(broker, "failed").startswith(code + ":"), broker.channel("xmpp")
