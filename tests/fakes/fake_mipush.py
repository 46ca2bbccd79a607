#!/usr/bin/env python3
"""A fake Mi Push server for tests: what Xiaomi's server API documents say (pId 1559 sending, 1560 error codes, 1656 limits, 2367 recall),
checked strictly, and the misbehaviour that every HTTP vendor shows sooner or later. Written from the documents, not from any client.

Run it alone:  fake_mipush.py --port 0 --secret FAKEsecret    (prints "PORT n" when it listens)
With --classes 100001:public,100002:private a push must name one of these message classes (27001), as since 2024-11.

What a target's behaviour may be (control call POST /_control/behave {"TARGET": "BEHAVIOUR", …}; default "ok"):
  ok            accepted; a delivered receipt (type 1) to extra.callback
  click         accepted; delivered, then clicked (type 2)
  twice         accepted; the delivered receipt comes three times
  silent        accepted; no receipt ever
  dead          accepted; then the receipt "target invalid" (type 16), as Xiaomi tells of regids in a list; also told by the feedback call
  moved:NEW     accepted; then "target invalid" with the regid NEW in its place
  filtered      accepted; then type 64;   disabled: type 32
  bad           accepted, but listed in data.badRegIds
  illegal       refused with 66007 "regid illegal": the whole call is
  code:N        refused with the code N of the table, the whole call
  busy:N        the first N calls get 10002 "busy", then ok
  http429:N:S   the first N calls get HTTP 429 with Retry-After: S, then ok
  http500:N     the first N calls get HTTP 500 without JSON, then ok
  html:N        the first N calls get a proxy's HTML page with 200, then ok
  slow:MS       accepted after MS milliseconds
  hang          the request is read and never answered
  reset         the connection is closed after the request was read
A call with several targets is refused, delayed or reset if any of them says so.

Control calls: GET /_control/arrivals -> [{"message", "regid", "accepted", "form"}]; GET /_control/calls -> [{"path", "targets"}]; GET
/_control/count; GET /_control/recalls; POST /_control/recall {"code": n} (every recall gets that code; 0: ok); POST /_control/limits {"qps": n, "quota": {"CLASS": n}}; POST /_control/outage {"on": true} (every send gets HTTP 500); POST
/_control/receipt {"url", "data": {…}}
sends a receipt of any content (late, doubled, forged, malformed); POST /_control/reset forgets everything.
"""

import argparse
import asyncio
import json
import time
import urllib.parse

from http_fake import serve

REFUSALS = {10002: "busy", 10016: "missing parameter", 10017: "invalid parameter", 21301: "authentication failed", 66007: "regid illegal",
            65009: "content too long", 65014: "too many extras", 65015: "extras too long", 200002: "over QPS", 10029: "invalid device",
            22022: "illegal package name", 27001: "channel not approved", 65028: "message id not found", 65036: "callback parameter too long", 65037: "callback too long"}
MAX_TARGETS = 1000  # of one call
DAY_MS = 86_400_000
RECEIPT_DELAY_S = 0.3  # receipts come in batches, "about once a second"
SENDS = {"/v2/message/regid": "registration_id", "/v3/message/regid": "registration_id", "/v4/message/regid": "registration_id",
         "/v2/message/alias": "alias", "/v3/message/alias": "alias", "/v2/message/user_account": "user_account",
         "/v2/message/topic": "topic", "/v3/message/topic": "topic"}
MERGED = {"/v2/multi_messages/regids": "registration_id", "/v2/multi_messages/aliases": "alias", "/v2/multi_messages/user_accounts": "user_account"}
NUMBERS = {"pass_through", "notify_type", "notify_id", "time_to_live"}
REVOKES = {"/v3/message/regid/revoke": "registration_id", "/v3/message/alias/revoke": "alias",
           "/v3/message/user_account/revoke": "user_account", "/v1/message/regid/revoke": "registration_id", "/v2/message/revoke": "msg_id"}
PARAMETERS = {"payload", "restricted_package_name", "pass_through", "title", "description", "notify_type", "notify_id", "time_to_live",
              "time_to_send", "registration_id", "alias", "user_account", "topic"}


class Refused(Exception):
    def __init__(self, code, reason=None):
        self.code, self.reason = code, reason or REFUSALS.get(code, "refused")


def need(holds, code, reason=None):
    if not holds:
        raise Refused(code, reason)


def whole_number(text, low, high, name):
    need(text.lstrip("-").isdigit() and low <= int(text) <= high, 10017, f"{name}={text}")


class Vendor:
    def __init__(self, secret, package, classes):
        self.secret, self.package, self.classes = secret, package, classes
        self.reset()

    def reset(self):
        self.behaviours, self.times, self.arrivals, self.calls, self.recalls, self.next_id = {}, {}, [], [], [], 0
        self.quota, self.acked, self.qps, self.second, self.in_second, self.dead, self.outage = {}, {}, None, 0, 0, [], False
        self.ids, self.recall_code = set(), 0

    def authorised(self, headers):
        need(headers.get("authorization") == "key=" + self.secret, 21301)

    # ---- what the documents ask of a request

    def check_send(self, headers, form, field):
        self.authorised(headers)
        need(headers.get("content-type", "").replace(" ", "").lower() in ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded;charset=utf-8"), 10017)
        for name in ("restricted_package_name", field, "title", "description"):
            need(form.get(name, "").strip(), 10016, f"missing {name}")
        for name in form:
            need(name in PARAMETERS or name.startswith("extra."), 10017, f"no such parameter {name}")
        need(self.package in form["restricted_package_name"].split(","), 22022)
        need(form.get("pass_through", "0") == "0", 10017, "pass-through messages are no longer delivered")
        whole_number(form.get("notify_type", "-1"), -1, 7, "notify_type")
        whole_number(form.get("notify_id", "0"), 0, 2**31 - 1, "notify_id")
        need(len(form["title"]) < 50 and len(form["description"]) < 128 and len(form.get("payload", "").encode()) < 4096, 65009)
        targets = form[field].split(",")
        need(all(targets) and len(targets) <= (1 if field == "topic" else MAX_TARGETS), 10017, "too many targets")
        self.check_extras({k[6:]: v for k, v in form.items() if k.startswith("extra.")}, form)
        return targets

    def check_extras(self, extras, form):
        need(len(extras) <= 10, 65014)
        need(sum(len(k) + len(v) for k, v in extras.items()) <= 1024, 65015)
        effect = extras.get("notify_effect")
        need(effect in ("1", "2", "3"), 10017, "custom notifications are switched off: notify_effect is compulsory")
        need(effect != "2" or extras.get("intent_uri", "").startswith("intent:"), 10017, "intent_uri")
        need(effect != "3" or extras.get("web_uri", "").startswith(("http://", "https://")), 10017, "web_uri")
        need(len(extras.get("callback.param", "").encode()) <= 64, 65036)
        need(len(extras.get("callback", "")) <= 200, 65037)
        whole_number(extras.get("callback.type", "3"), 1, 1267, "callback.type")
        kind = "private"
        if self.classes:
            need(extras.get("channel_id") in self.classes, 27001)
            kind = self.classes[extras["channel_id"]]
        if "time_to_live" in form:
            whole_number(form["time_to_live"], 1, DAY_MS * (10 if kind == "private" else 1), "time_to_live")
        else:
            need(extras.get("only_send_once") in (None, "1"), 10017)

    def check_merged(self, headers, form, path):
        """multi_messages: each target with a message of its own, in plain JSON. Answers [(target, the message as a form)]."""
        self.authorised(headers)
        need(set(form) <= {"messages", "time_to_send"}, 10017, "parameters of multi_messages")
        try:
            entries = json.loads(form.get("messages", ""))
        except ValueError:
            raise Refused(10017, "messages is no JSON") from None
        need(isinstance(entries, list) and 1 <= len(entries) <= MAX_TARGETS, 10017, "messages")
        out = []
        for entry in entries:
            need(set(entry) == {"target", "message"} and isinstance(entry["target"], str), 10017, "an entry of messages")
            message = entry["message"]
            need(all(isinstance(message[n], int) for n in NUMBERS & set(message)), 10017, "numbers are plain JSON")
            need(not any(n.startswith("extra.") for n in message), 10017, "extras stand in an object")
            need(all(isinstance(v, str) for v in message.get("extra", {}).values()), 10017, "extras are texts")
            one = {k: str(v) for k, v in message.items() if k != "extra"} | {"extra." + k: v for k, v in message.get("extra", {}).items()}
            self.check_send(headers, one | {MERGED[path]: entry["target"]}, MERGED[path])
            out.append((entry["target"], one))
        return out

    def check_pace(self):
        second = int(time.monotonic())
        if second != self.second:
            self.second, self.in_second = second, 0
        self.in_second += 1
        need(self.qps is None or self.in_second <= self.qps, 200002)

    def check_quota(self, channel, count):
        if channel in self.quota:
            quota, acked = self.quota[channel], self.acked.get(channel, 0)
            need(acked < quota, 200001, f"exceed quota, quota: {quota}, have acked: {acked}")
            self.acked[channel] = acked + count

    # ---- the calls: each answers (HTTP status, JSON or bytes or None, extra headers), or None to close the connection

    async def send(self, headers, form, path):
        try:
            targets = self.check_send(headers, form, SENDS[path])
            self.calls.append({"path": path, "targets": len(targets)})
            self.check_pace()
            if self.outage:
                return 500, None, {}
            misbehaves = await self.misbehave(targets, form)
            if misbehaves is not NotImplemented:
                return misbehaves
            self.check_quota(form.get("extra.channel_id", ""), len(targets))
        except Refused as refused:
            return self.refuse(refused.code, refused.reason)
        bad = [t for t in targets if self.behaviours.get(t) == "bad"]
        good = [t for t in targets if t not in bad] if bad else targets
        self.note(good, form, accepted=True)
        self.next_id += 1
        message_id = f"scm01b2{self.next_id:013d}ab"
        self.ids.add(message_id)
        self.send_receipts(message_id, good, form)
        data = {"id": message_id, **({"badRegIds": bad} if bad else {})}
        channel = form.get("extra.channel_id", "")
        if channel in self.quota:
            data |= {"day_quota": str(self.quota[channel]), "day_acked": str(self.acked[channel])}
        return 200, {"result": "ok", "trace_id": f"Xcm{self.next_id}", "code": 0, "data": data,
                     "description": "ok", "info": f"Received push messages for {len(targets)} regid"}, {}

    async def misbehave(self, targets, form):
        """NotImplemented when nothing is to be done wrong."""
        for target in targets if self.behaviours else ():
            kind, *rest = self.behaviours.get(target, "ok").split(":")
            if kind in ("ok", "click", "twice", "silent", "dead", "moved", "filtered", "disabled", "bad"):
                continue
            seen = self.times[target] = self.times.get(target, 0) + 1
            if kind == "hang":
                self.note(targets, form, accepted=False)
                await asyncio.sleep(3600)
            elif kind == "reset":
                self.note(targets, form, accepted=False)
                return None
            elif kind == "slow":
                await asyncio.sleep(float(rest[0]) / 1000)
            elif kind == "illegal":
                raise Refused(66007)
            elif kind == "code":
                raise Refused(int(rest[0]))
            elif seen > int(rest[0]):
                continue
            elif kind == "busy":
                raise Refused(10002)
            elif kind == "http429":
                return 429, None, {"Retry-After": rest[1]}
            elif kind == "http500":
                return 500, None, {}
            elif kind == "html":
                return 200, b"<html><body>Bad gateway</body></html>", {}
        return NotImplemented

    async def send_merged(self, headers, form, path):
        try:
            entries = self.check_merged(headers, form, path)
            self.calls.append({"path": path, "targets": len(entries)})
            self.check_pace()
            if self.outage:
                return 500, None, {}
            for target, one in entries:
                misbehaves = await self.misbehave([target], one)
                if misbehaves is not NotImplemented:
                    return misbehaves
        except Refused as refused:
            return self.refuse(refused.code, refused.reason)
        self.next_id += 1
        message_id = f"scm01b2{self.next_id:013d}ab"
        self.ids.add(message_id)
        exceeded = {}
        for target, one in entries:
            channel = one.get("extra.channel_id", "")
            try:
                self.check_quota(channel, 1)
            except Refused:  # not 200001 here
                exceeded[channel or "no_channel"] = exceeded.get(channel or "no_channel", 0) + 1
                continue
            self.note([target], one, accepted=True)
            self.send_receipts(message_id, [target], one)
        told = {"channel_exceed_quota": " ".join(f"{c}:{n}" for c, n in exceeded.items())} if exceeded else {}
        return 200, {"result": "ok", "trace_id": f"Xcm{self.next_id}", "code": 0, "data": {"id": message_id, **told}, "description": "ok"}, {}

    def feedback(self, headers):
        try:
            self.authorised(headers)
        except Refused as refused:
            return self.refuse(refused.code, refused.reason)
        page, self.dead = self.dead[:1000], self.dead[1000:]
        return 200, {"result": "ok", "code": 0, "data": {"list": page}}, {}

    def recall(self, headers, form, path):
        try:
            self.authorised(headers)
            for name in (REVOKES[path], "restricted_package_name", *(() if path == "/v2/message/revoke" else ("notify_id",))):
                need(form.get(name), 10016, f"missing {name}")
            need(set(form) <= {REVOKES[path], "restricted_package_name", "notify_id"}, 10017, "parameters of a recall")
            need(form["restricted_package_name"] == self.package, 22022)
            if self.recall_code:
                raise Refused(self.recall_code)
            need(self.knows(form, REVOKES[path]), 65028)
        except Refused as refused:
            return self.refuse(refused.code, refused.reason)
        self.recalls.append({"path": path, **form})
        return 200, {"result": "ok", "code": 0, "data": {}}, {}

    def knows(self, form, field):
        if field == "msg_id":
            return form["msg_id"] in self.ids
        return any(a["accepted"] and a["regid"] == form[field] and a["form"].get("notify_id") == form["notify_id"] for a in self.arrivals)

    def note(self, targets, form, accepted):
        for target in targets:
            self.arrivals.append({"message": form.get("extra.callback.param", ""), "regid": target, "accepted": accepted, "form": form})

    def refuse(self, code, reason=None):
        reason = reason or REFUSALS.get(code, "refused")
        return 200, {"result": "error", "reason": reason, "trace_id": "Xcm0", "code": code, "description": reason}, {}

    # ---- receipts: for each type one member with all its targets, each type in a call of its own

    def send_receipts(self, message_id, targets, form):
        by_type = {}
        for target in targets:
            kind = self.behaviours.get(target, "ok").split(":")[0]
            types = {"silent": [], "dead": [16], "moved": [16], "click": [1, 2], "twice": [1, 1, 1], "filtered": [64], "disabled": [32]}
            for turn, receipt_type in enumerate(types.get(kind, [1])):
                by_type.setdefault((turn, receipt_type), []).append(target)
            if kind == "dead":
                self.dead.append(target)
        url, wanted = form.get("extra.callback"), int(form.get("extra.callback.type", "3"))
        calls = []
        for (_, receipt_type), of_type in sorted(by_type.items()):
            if not url or not wanted & receipt_type:
                continue
            entry = {"param": form.get("extra.callback.param", ""), "type": receipt_type, "targets": ",".join(of_type), "jobkey": "",
                     "barStatus": "Enable", "timestamp": int(time.time() * 1000)}
            if receipt_type == 16:
                entry["errorCode"] = 1
                moved = {t: self.behaviours[t].split(":")[1] for t in of_type if self.behaviours[t].startswith("moved:")}
                entry |= {"replaceTarget": moved} if moved else {}
            calls.append({message_id: entry})
        if calls:
            asyncio.get_running_loop().call_later(RECEIPT_DELAY_S, lambda: asyncio.ensure_future(post_all(url, calls)))

    # ---- paths

    async def route(self, method, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if not path.startswith("/_") else {}
        if method == "POST" and path in SENDS:
            return await self.send(headers, form, path)
        if method == "POST" and path in MERGED:
            return await self.send_merged(headers, form, path)
        if method == "POST" and path in REVOKES:
            return self.recall(headers, form, path)
        if method == "GET" and path == "/v1/feedback/fetch_invalid_regids":
            return self.feedback(headers)
        if path == "/_control/behave":
            self.behaviours.update(json.loads(body))
            return 200, {}, {}
        if path == "/_control/arrivals":
            return 200, self.arrivals, {}
        if path == "/_control/calls":
            return 200, self.calls, {}
        if path == "/_control/recalls":
            return 200, self.recalls, {}
        if path == "/_control/limits":
            wish = json.loads(body)
            self.qps = wish.get("qps", self.qps)
            self.quota.update(wish.get("quota", {}))
            return 200, {}, {}
        if path == "/_control/outage":
            self.outage = json.loads(body)["on"]
            return 200, {}, {}
        if path == "/_control/recall":
            self.recall_code = json.loads(body)["code"]
            return 200, {}, {}
        if path == "/_control/count":
            return 200, {"arrivals": len(self.arrivals)}, {}
        if path == "/_control/receipt":
            wish = json.loads(body)
            return 200, {"status": await post_receipt(wish["url"], wish["data"])}, {}
        if path == "/_control/reset":
            self.reset()
            return 200, {}, {}
        return 404, {"result": "error", "reason": f"no such path {path}"}, {}


async def post_all(url, calls):
    for data in calls:
        await post_receipt(url, data)


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", default="FAKEsecret")
    parser.add_argument("--package", default="com.example.shop")
    parser.add_argument("--classes", default="", help="id:public,id:private: the message classes of the console")
    options = parser.parse_args()
    vendor = Vendor(options.secret, options.package, dict(c.split(":") for c in options.classes.split(",") if c))
    asyncio.run(serve(vendor, options.port))


if __name__ == "__main__":
    main()
