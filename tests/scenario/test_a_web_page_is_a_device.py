"""examples/browser in a real Chromium: a push to a page over a WebSocket, shown, acknowledged and reported as opened."""

import functools
import http.server
import json
import subprocess
import threading
import urllib.parse
from pathlib import Path

from godwit_testing import Broker, free_port, own_connection, wait_for

PAGE = Path(__file__).resolve().parents[2] / "examples/browser"


class Browser:
    """One page in a Chromium without a window, with a profile of its own that outlives the page."""

    def __init__(self, profile):
        self.command = ["/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                        "--disable-background-networking", "--disable-component-update", "--disable-sync",
                        f"--user-data-dir={profile}", "--remote-debugging-port=0"]

    def open(self, url):
        self.process = subprocess.Popen([*self.command, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        self.process.wait(20)


def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def test_a_web_page_is_a_device(tmp_path):
    port, websocket = free_port(), free_port()
    site = serve(PAGE)
    with Broker(channels=[own_connection(port, websocket=f"127.0.0.1:{websocket}")]) as broker:
        credential = broker.register("page-1", {"selfconn": None})["credential"]
        query = urllib.parse.urlencode({"url": f"ws://127.0.0.1:{websocket}/mqtt", "app": "app", "device": "page-1",
                                        "credential": credential, "open": "1"})
        page = f"http://127.0.0.1:{site.server_port}/?{query}"
        browser = Browser(tmp_path / "profile")
        waited = broker.push({"device": "page-1"}, "waited for the page")
        browser.open(page)
        try:
            wait_for(lambda: broker.metric("godwit_connections", channel="selfconn") == 1, 60)
            held = broker.push({"device": "page-1"}, "came to the open page")
            for message_id in (waited, held):
                broker.wait_status(message_id, "opened", seconds=30)
        finally:
            browser.close()
        receipts = {r["event"]: r["kind"] for r in broker.delivery(held)["receipts"]}
        assert receipts == {"delivered": "device", "opened": "device"}, json.dumps(receipts)
        wait_for(lambda: broker.metric("godwit_connections", channel="selfconn") == 0, 30)
    site.shutdown()
