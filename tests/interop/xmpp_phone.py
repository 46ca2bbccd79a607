#!/usr/bin/python3
"""A phone made of slixmpp, an XMPP client library that we did not write, in a process of its own.

Dialect `xmpp` is slixmpp as it comes: its XEP-0184 plugin answers receipt requests, its XEP-0198 plugin manages the stream. Dialect
`androidpn` knows the notification IQ: with `--confirm` it confirms as the forks do, without it says nothing, like Androidpn 0.5.0.
Each line that it writes is an event: ready, shown (the first time an id is seen), again (the same id came once more), cut, refused.
"""

import json
import subprocess
import sys
import threading
from pathlib import Path

NOTIFICATION = "androidpn:iq:notification"


class Phone:
    """`with Phone(server, "bob") as phone:` is a phone that is signed in. `events` grows as it tells."""

    def __init__(self, server, name, password="pass-word", dialect="xmpp", confirm=True, host="push.localhost", resource=None, sm=True,
                 subscribe=True, wait=True):
        resource = resource or ("AndroidpnClient" if dialect == "androidpn" else "phone")
        self.jid = f"{name}@{host}"
        self.arguments = [sys.executable, __file__, "--jid", f"{self.jid}/{resource}", "--password", password, "--port", str(server.client_port),
                          "--ca", str(server.certificate), "--dialect", dialect]
        self.arguments += [flag for flag, on in (("--confirm", confirm), ("--sm", sm), ("--subscribe", subscribe)) if on]
        self.events, self.changed, self.wait = [], threading.Condition(), wait

    def __enter__(self):
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if self.wait:
            self.wait_for(lambda: self.told("ready"), 30, "the phone to sign in")
        return self

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stdin.close()

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def told(self, kind):
        return [e[kind] for e in self.events if kind in e]

    @property
    def shown(self):
        return self.told("shown")

    def wait_for(self, question, seconds=15, what="it"):
        with self.changed:
            assert self.changed.wait_for(question, seconds), f"{what} did not happen within {seconds} s; {len(self.events)} events, the last: {self.events[-5:]}"

    def wait_shown(self, *ids, seconds=15):
        self.wait_for(lambda: set(ids) <= set(self.shown), seconds, f"showing {ids}")


def main():
    import argparse
    import asyncio
    import logging
    from xml.etree import ElementTree

    import slixmpp
    from slixmpp.xmlstream.handler import Callback
    from slixmpp.xmlstream.matcher import MatchXPath

    parser = argparse.ArgumentParser()
    for name in ("jid", "password", "port", "ca", "dialect"):
        parser.add_argument("--" + name)
    for name in ("confirm", "sm", "subscribe"):
        parser.add_argument("--" + name, action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)

    def tell(**event):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()

    class Client(slixmpp.ClientXMPP):
        def __init__(self):
            super().__init__(options.jid, options.password)
            self.seen = set()
            self.ca_certs = Path(options.ca)
            self.auto_authorize = self.auto_subscribe = options.subscribe
            if options.dialect == "xmpp":
                self.register_plugin("xep_0184")
                self.add_event_handler("message", self.on_push)
            else:
                self.register_handler(Callback("notification", MatchXPath(f"{{jabber:client}}iq/{{{NOTIFICATION}}}notification"), self.on_notification))
            if options.sm:
                self.register_plugin("xep_0198")
                self.add_event_handler("session_resumed", lambda _: tell(resumed=True))
            self.add_event_handler("disconnected", lambda _: self.connect(("127.0.0.1", int(options.port))))
            self.register_plugin("xep_0199")
            self.add_event_handler("session_start", self.on_start)
            self.add_event_handler("failed_auth", lambda _: tell(refused=True))

        async def on_start(self, _):
            self.send_presence()
            await self.get_roster()
            tell(ready=self.boundjid.full)

        def show(self, id, **more):
            tell(**{"again" if id in self.seen else "shown": id}, **more)
            self.seen.add(id)

        def on_push(self, message):
            push = message.xml.find("{urn:godwit:push:1}push")
            if push is not None:
                self.show(message["id"], payload=json.loads(push.text), body=message["body"], type=message["type"], sender=str(message["from"]))

        def on_notification(self, iq):
            n = iq.xml.find(f"{{{NOTIFICATION}}}notification")
            fields = {child.tag.split("}")[1]: child.text or "" for child in n}
            self.show(fields["id"], fields=fields, order=[child.tag.split("}")[1] for child in n])
            if options.confirm:
                confirm = self.make_iq_set(ito=iq["from"])
                query = ElementTree.Element("{androidpn:iq:deliverconfirm}deliverconfirm")
                ElementTree.SubElement(query, "{androidpn:iq:deliverconfirm}uuid").text = fields["id"]
                confirm.append(query)
                confirm.send(callback=lambda _: None, timeout=30)

        async def ask(self, whom):
            tell(pong=await self["xep_0199"].ping(whom, timeout=10))
            info = await self["xep_0030"].get_info(whom, timeout=10)
            tell(features=sorted(info["disco_info"]["features"]))

        def command(self, line):
            if line == "cut":  # as when the radio goes away: no goodbye
                self.transport.abort()
                tell(cut=True)
            elif line.startswith("ask "):
                asyncio.ensure_future(self.ask(line.split()[1]))
            elif line.startswith("opened "):
                _, id, to = line.split()
                message = self.make_message(mto=to)
                ElementTree.SubElement(message.xml, "{urn:godwit:push:1}event", {"id": id, "event": "opened"})
                message.send()
            elif line.startswith("forge "):  # a receipt for somebody else's message
                _, id, to = line.split()
                message = self.make_message(mto=to)
                ElementTree.SubElement(message.xml, "{urn:xmpp:receipts}received", {"id": id})
                message.send()

    client = Client()

    def listen():
        for line in sys.stdin:
            client.loop.call_soon_threadsafe(client.command, line.strip())

    threading.Thread(target=listen, daemon=True).start()
    client.connect(("127.0.0.1", int(options.port)))
    client.loop.run_forever()


if __name__ == "__main__":
    main()
