#!/usr/bin/env python3
"""A fake Mi Push server for tests: what Xiaomi's server API documents say (pId 1559 sending, 1560 error codes, 1656 limits), and the
misbehaviour that every HTTP vendor shows sooner or later. Written from the documents, not from any client.

Run it alone:  fake_mipush.py --port 0 --secret FAKEsecret    (prints "PORT n" when it listens)

What a regid's behaviour may be (control call POST /_control/behave {"REGID": "BEHAVIOUR", …}; default "ok"):
  ok            accepted; a delivered receipt (type 1) to extra.callback
  click         accepted; delivered, then clicked (type 2)
  silent        accepted; no receipt ever
  dead          accepted; then the receipt "target invalid" (type 16), as Xiaomi tells of regids in a list
  illegal       refused with 66007 "regid illegal"
  code:N        refused with the code N of the table
  busy:N        the first N calls get 10002 "busy", then ok
  http429:N:S   the first N calls get HTTP 429 with Retry-After: S, then ok
  http500:N     the first N calls get HTTP 500 without JSON, then ok
  slow:MS       accepted after MS milliseconds
  hang          the request is read and never answered
  reset         the connection is closed after the request was read
Control calls: GET /_control/arrivals -> [{"message", "regid", "accepted", "form"}]; GET /_control/count; POST /_control/receipt
{"url", "data": {…}} sends a receipt of any content (late, doubled, forged, malformed); POST /_control/reset forgets everything.
"""

import argparse
import asyncio
import json
import time
import urllib.parse

REFUSALS = {10002: "busy", 10016: "missing parameter", 10017: "invalid parameter", 21301: "authentication failed", 66007: "regid illegal",
            65009: "content too long", 200001: "exceed quota, quota: 2, have acked: 2", 200002: "over QPS", 10029: "invalid device",
            22022: "illegal package name", 27001: "channel not approved"}
MAX_REGIDS = 1000  # of one call
RECEIPT_DELAY_S = 0.3  # receipts come in batches, "about once a second"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


class Vendor:
    def __init__(self, secret, package):
        self.secret, self.package = secret, package
        self.reset()

    def reset(self):
        self.behaviours, self.calls, self.arrivals, self.next_id = {}, {}, [], 0

    # ---- the send call

    async def send(self, headers, form):
        """Answers (HTTP status, JSON or None, extra headers), or None to close the connection."""
        if headers.get("authorization") != "key=" + self.secret:
            return self.refuse(21301)
        if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return self.refuse(10017)
        for field in ("restricted_package_name", "registration_id", "title", "description"):
            if not form.get(field, "").strip():
                return self.refuse(10016, f"missing {field}")
        if self.package not in form["restricted_package_name"].split(","):
            return self.refuse(22022)
        if form.get("pass_through", "0") not in ("0", "1") or not form.get("notify_type", "-1").lstrip("-").isdigit():
            return self.refuse(10017)
        if len(form["title"]) >= 50 or len(form["description"]) >= 128 or len(form.get("payload", "").encode()) > 4096:
            return self.refuse(65009)
        if len(form.get("extra.callback.param", "")) > 64:
            return self.refuse(65036)
        regids = form["registration_id"].split(",")
        if len(regids) > MAX_REGIDS:
            return self.refuse(10017)
        return await self.behave(regids, form)

    async def behave(self, regids, form):
        kind, *numbers = self.behaviours.get(regids[0], "ok").split(":")  # a list behaves like its first regid
        numbers = [float(n) for n in numbers]
        seen = self.calls[regids[0]] = self.calls.get(regids[0], 0) + 1
        if kind == "hang":
            self.note(regids, form, accepted=False)
            await asyncio.sleep(3600)
        if kind == "reset":
            self.note(regids, form, accepted=False)
            return None
        if kind == "illegal":
            return self.refuse(66007)
        if kind == "code":
            return self.refuse(int(numbers[0]))
        if kind == "busy" and seen <= numbers[0]:
            return self.refuse(10002)
        if kind == "http429" and seen <= numbers[0]:
            return 429, None, {"Retry-After": f"{numbers[1]:g}"}
        if kind == "http500" and seen <= numbers[0]:
            return 500, None, {}
        if kind == "slow":
            await asyncio.sleep(numbers[0] / 1000)
        self.note(regids, form, accepted=True)
        self.next_id += 1
        message_id = f"scm01b2{self.next_id:013d}ab"
        self.send_receipts(kind, message_id, regids, form)
        return 200, {"result": "ok", "trace_id": f"Xcm{self.next_id}", "code": 0, "data": {"id": message_id},
                     "description": "ok", "info": f"Received push messages for {len(regids)} regid"}, {}

    def note(self, regids, form, accepted):
        for regid in regids:
            self.arrivals.append({"message": form.get("extra.callback.param", ""), "regid": regid, "accepted": accepted, "form": form})

    def refuse(self, code, reason=None):
        reason = reason or REFUSALS.get(code, "refused")
        return 200, {"result": "error", "reason": reason, "trace_id": "Xcm0", "code": code, "description": reason}, {}

    # ---- receipts

    def send_receipts(self, kind, message_id, regids, form):
        url = form.get("extra.callback")
        wanted = int(form.get("extra.callback.type", "3") or 3)
        types = {"silent": [], "dead": [16], "click": [1, 2]}.get(kind, [1])
        for receipt_type in types:
            if url and wanted & receipt_type:
                data = {message_id: {"param": form.get("extra.callback.param", ""), "type": receipt_type, "targets": ",".join(regids),
                                     "jobkey": "", "barStatus": "Enable", "timestamp": int(time.time() * 1000),
                                     **({"errorCode": 1} if receipt_type == 16 else {})}}
                asyncio.get_running_loop().call_later(RECEIPT_DELAY_S, lambda d=data: asyncio.ensure_future(post_receipt(url, d)))


async def post_receipt(url, data):
    """A form POST with one field, `data`. Answers the HTTP status, or 0 when nobody took it. `data` may be any text, for malformed ones."""
    parts = urllib.parse.urlsplit(url)
    text = data if isinstance(data, str) else json.dumps(data)
    body = urllib.parse.urlencode({"data": text}).encode()
    path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        writer.write(f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        status = int((await asyncio.wait_for(reader.readline(), 10)).split()[1])
        writer.close()
        return status
    except (OSError, IndexError, ValueError, asyncio.TimeoutError):
        return 0


class Server:
    def __init__(self, vendor):
        self.vendor = vendor

    async def serve(self, reader, writer):
        try:
            while await self.one_request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()

    async def one_request(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in head[1:] if ":" in line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        answer = await self.route(method, target.split("?")[0], headers, body)
        if answer is None:
            return False
        status, value, extra = answer
        content = b"" if value is None else json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", "Content-Type: application/json", f"Content-Length: {len(content)}"]
        lines += [f"{k}: {v}" for k, v in extra.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
        await writer.drain()
        return headers.get("connection", "").lower() != "close"

    async def route(self, method, path, headers, body):
        vendor = self.vendor
        if method == "POST" and path in ("/v2/message/regid", "/v3/message/regid"):
            form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
            return await vendor.send(headers, form)
        if path == "/_control/behave":
            vendor.behaviours.update(json.loads(body))
            return 200, {}, {}
        if path == "/_control/arrivals":
            return 200, vendor.arrivals, {}
        if path == "/_control/count":
            return 200, {"arrivals": len(vendor.arrivals)}, {}
        if path == "/_control/receipt":
            wish = json.loads(body)
            return 200, {"status": await post_receipt(wish["url"], wish["data"])}, {}
        if path == "/_control/reset":
            vendor.reset()
            return 200, {}, {}
        return 404, {"result": "error", "reason": f"no such path {path}"}, {}


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", default="FAKEsecret")
    parser.add_argument("--package", default="com.example.shop")
    options = parser.parse_args()
    server = await asyncio.start_server(Server(Vendor(options.secret, options.package)).serve, "127.0.0.1", options.port, backlog=1024, limit=1 << 20)
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
