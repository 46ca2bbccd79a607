"""What the XMPP tests have in common: a server, godwitd connected to it through a relay, and a way to make the channel's entry."""

import contextlib

from godwit_testing import Broker, wait_for

from xmpp_proxy import Proxy
from xmpp_servers import COMPONENT, HOST, PASSWORD, SECRET, SENDER


def xmpp_channel(server, mode="component", dialect="xmpp", port=None, **config):
    if mode == "component":
        who = {"jid": COMPONENT, "password": SECRET}
    else:
        who = {"jid": f"{SENDER}@{HOST}", "password": PASSWORD, "ca_file": str(server.certificate)}
    port = port or (server.component_port if mode == "component" else server.client_port)
    return {"name": "xmpp", "plugin": "xmpp", "config": {"mode": mode, "server": f"127.0.0.1:{port}", "dialect": dialect, "domain": HOST, **who, **config}}


@contextlib.contextmanager
def world(server_class, mode="component", dialect="xmpp", phones=("bob",), resume_seconds=60, **config):
    """Yields (server, proxy, broker) with the channel ready, and accounts for the phones."""
    with server_class(resume_seconds) as server:
        for name in (*phones, *([SENDER] if mode == "client" else [])):
            server.register(name)
        with Proxy(server.component_port if mode == "component" else server.client_port) as proxy:
            with Broker(channels=[xmpp_channel(server, mode, dialect, proxy.port, **config)]) as broker:
                wait_ready(broker)
                yield server, proxy, broker


def wait_ready(broker, seconds=20):
    wait_for(lambda: broker.channel("xmpp")["state"] == "ready", seconds, lambda: f"the channel to be ready: {broker.channel('xmpp')}\n{broker.log()}")


def receipts(broker, event="delivered"):
    return int(broker.metric("godwit_receipts_total", channel="xmpp", event=event) or 0)
