#!/usr/bin/env python3
"""A fake TPNS for tests, with its older interfaces Xinge V3 and V2: what Tencent's documents say (product 548; Xinge REST pages of 2019),
checked strictly, signatures first. Written from the documents, not from any client.

Run it alone:  fake_tpns.py --port 0 --access-id 1500001234 --secret KEY    (prints "PORT n" when it listens)

What a token's (or account's, tag's) behaviour may be (control call POST /_control/behave {"TARGET": "BEHAVIOUR", …}; default "ok"):
  ok            accepted; counted as arrived
  lost          accepted; sent, but never counted as arrived
  click         accepted; arrived and clicked
  dead          a list skips it (invalid_targe_list); alone, or without ignore_invalid_token, it is refused
  code:N        refused with the code N of the table, the whole call
  busy:N        the first N calls get the interface's "busy", then ok
  http429:N:S   the first N calls get HTTP 429 with Retry-After: S, then ok
  http500:N     the first N calls get HTTP 500 without JSON, then ok
  html:N        the first N calls get a proxy's HTML page with 200, then ok
  slow:MS       accepted after MS milliseconds
  hang, reset   the request is read and never answered; the connection is closed
  maker:NAME    accepted; counted under TPNS's channel NAME (xm, hw, oppo, …) in the statistics instead of xg

Control calls: GET /_control/arrivals -> [{"regid", "push", "accepted", "body"}]; GET /_control/calls; GET /_control/questions;
POST /_control/outage {"on": true} (every push gets HTTP 500); POST /_control/reset.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import time
import urllib.parse

from http_fake import serve

TPNS, V3, V2 = "tpns", "v3", "v2"
BUSY = {TPNS: 1008004, V3: 10101, V2: -104}
AUTH = {TPNS: 1008003, V3: 10104, V2: -103}
INVALID = {TPNS: 1008007, V3: 10103, V2: -1}
TOO_LARGE = {TPNS: 1008007, V3: 10117, V2: 73}
DEAD = {TPNS: 1008006, V3: 10110, V2: 6}
MOST, MESSAGE_BYTES, CLOCK_S = 1000, 4096, 600
TOP = {"audience_type", "message_type", "message", "environment", "token_list", "account_list", "account_push_type", "account_type", "tag_rules",
       "tag_list", "upload_id", "expire_time", "send_time", "loop_param", "multi_pkg", "plan_id", "ignore_invalid_token", "push_speed",
       "collapse_id", "channel_rules", "tpns_online_push_type", "force_collapse"}
V3_TOP = (TOP | {"platform", "push_id", "stat_tag", "seq", "badge_type"}) - {"ignore_invalid_token", "account_type", "account_push_type", "channel_rules", "tag_rules"}
ANDROID = {"n_ch_id", "n_ch_name", "xm_ch_id", "fcm_ch_id", "hw_ch_id", "oppo_ch_id", "vivo_ch_id", "hw_category", "hw_importance", "hw_biz_type",
           "badge_type", "ring", "vibrate", "lights", "clearable", "ring_raw", "icon_type", "icon_res", "small_icon", "icon_color", "builder_id",
           "style_id", "n_id", "action", "custom_content"}


class Refused(Exception):
    def __init__(self, code, reason=""):
        self.code, self.reason = code, reason


class Vendor:
    def __init__(self, access_id, secret, host):
        self.access_id, self.secret, self.host = access_id, secret, host
        self.ios = access_id.startswith("16")
        self.reset()

    def reset(self):
        self.behaviours, self.times, self.arrivals, self.calls, self.questions, self.pushes, self.stored = {}, {}, [], [], [], {}, {}
        self.next_id, self.outage = 900_000_000, False

    # ---- who calls

    def check_json_auth(self, api, headers, body):
        basic = "Basic " + base64.b64encode(f"{self.access_id}:{self.secret}".encode()).decode()
        if headers.get("authorization"):
            if headers["authorization"] != basic:
                raise Refused(AUTH[api], "auth failure")
            return
        timestamp = headers.get("timestamp", "")
        text = (timestamp + headers.get("accessid", "")).encode() + body
        sign = base64.b64encode(hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest().encode()).decode()
        fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) < CLOCK_S
        if api != TPNS or not fresh or headers.get("accessid") != self.access_id or headers.get("sign") != sign:
            raise Refused(AUTH[api], "auth failure")

    def check_v2_auth(self, path, form):
        signed = "POST" + self.host + path + "".join(f"{k}={form[k]}" for k in sorted(form) if k != "sign") + self.secret
        if form.get("access_id") != self.access_id or form.get("sign") != hashlib.md5(signed.encode()).hexdigest():
            raise Refused(AUTH[V2], "sign")
        if not form.get("timestamp", "").isdigit() or abs(time.time() - int(form["timestamp"])) > min(int(form.get("valid_time", 600)), 600):
            raise Refused(-102, "timestamp")

    # ---- what the documents ask of a push

    def check_message(self, api, message):
        def need(holds, reason):
            if not holds:
                raise Refused(INVALID[api], reason)

        need(isinstance(message, dict), "message")
        if len(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()) > MESSAGE_BYTES:
            raise Refused(TOO_LARGE[api], "message over 4 KB")
        if api == V2:
            if not self.ios:
                need(message.get("title") and message.get("content"), "title and content are required")
                need(isinstance(message.get("custom_content", {}), dict), "custom_content")
            else:
                need(isinstance(message.get("aps"), dict), "aps")
            return
        need(message.get("title") and message.get("content"), "title and content are required")
        part = message.get("ios" if self.ios else "android", {})
        need(("android" if self.ios else "ios") not in message, "the other platform's object")
        own = part.get("custom_content", "" if api == TPNS else {})
        if api == TPNS:
            need(isinstance(own, str) and (own == "" or isinstance(json.loads(own), dict)), "custom_content must be JSON text")
        if not self.ios:
            need(api == TPNS or isinstance(own, dict), "custom_content must be an object")
            need(set(part) <= ANDROID, f"no such member {set(part) - ANDROID}")
            action = part.get("action", {"action_type": 1})
            need(action.get("action_type") in (1, 2, 3), "action_type")
            need(action["action_type"] != 2 or action.get("browser", {}).get("url"), "browser.url")
            need(action["action_type"] != 3 or action.get("intent"), "intent")

    def check_json(self, api, body):
        def need(holds, reason):
            if not holds:
                raise Refused(INVALID[api], reason)

        need(set(body) <= (TOP if api == TPNS else V3_TOP), f"no such parameter {set(body) - (TOP if api == TPNS else V3_TOP)}")
        need(body.get("message_type") in ("notify", "message"), "message_type")
        need(0 <= body.get("expire_time", 0) <= 259_200, "expire_time")
        need(api == TPNS or body.get("platform") == ("ios" if self.ios else "android"), "platform")
        need(not self.ios or body.get("environment") in ("product", "dev"), "environment")
        self.check_message(api, body.get("message"))
        kind = body.get("audience_type")
        if kind in ("token", "token_list"):
            targets = body.get("token_list", [])
            need(all(isinstance(t, str) and 0 < len(t) <= (36 if api == TPNS else 64) for t in targets), "token")
        elif kind in ("account", "account_list"):
            targets = body.get("account_list", [])
        elif kind == "tag":
            rules = body.get("tag_rules")
            targets = rules[0]["tag_items"][0]["tags"] if rules else body.get("tag_list", {}).get("tags", [])
        else:
            raise Refused(INVALID[api], f"audience_type {kind}")
        need(targets and len(targets) <= MOST, "targets")
        need(kind not in ("token", "account") or len(targets) == 1, "one target")
        need(api == TPNS or kind not in ("token_list", "account_list") or "push_id" in body, "push_id")
        return kind, targets

    # ---- answers

    async def push_json(self, headers, raw):
        api = V3 if headers.get("authorization") and not self.access_id.isdigit() else TPNS
        try:
            self.check_json_auth(api, headers, raw)
            body = json.loads(raw)
            kind, targets = self.check_json(api, body)
            return await self.push(api, targets, body, body.get("ignore_invalid_token") == 1 and kind.endswith("list"))
        except Refused as refused:
            return 200, {"seq": 0, "ret_code": refused.code, "err_msg": refused.reason}, {}
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            return 200, {"seq": 0, "ret_code": 1008001 if api == TPNS else 10106, "err_msg": str(error)}, {}

    async def push_v2(self, path, form):
        try:
            self.check_v2_auth(path, form)
            name = path.rsplit("/", 1)[1]
            if name == "create_multipush":
                self.check_message(V2, json.loads(form["message"]))
                self.next_id += 1
                self.stored[str(self.next_id)] = json.loads(form["message"])
                return 200, {"ret_code": 0, "err_msg": "", "result": {"push_id": str(self.next_id)}}, {}
            if name.endswith("_multiple"):
                if form.get("push_id") not in self.stored:
                    raise Refused(-1, "push_id")
                message, targets = self.stored[form["push_id"]], json.loads(form["device_list" if name.startswith("device") else "account_list"])
            else:
                message = json.loads(form["message"])
                self.check_message(V2, message)
                targets = json.loads(form["tags_list"]) if name == "tags_device" else [form["device_token" if name == "single_device" else "account"]]
                if not 0 <= int(form.get("expire_time", 0)) <= 259_200 or form.get("message_type") not in ("0", "1", "2"):
                    raise Refused(-1, "parameter")
            if not targets or len(targets) > MOST:
                raise Refused(-1, "targets")
            return await self.push(V2, targets, {"message": message}, False)
        except Refused as refused:
            return 200, {"ret_code": refused.code, "err_msg": refused.reason}, {}
        except (ValueError, KeyError, TypeError) as error:
            return 200, {"ret_code": -1, "err_msg": str(error)}, {}

    async def push(self, api, targets, body, skips_dead):
        self.calls.append({"api": api, "targets": len(targets)})
        if self.outage:
            return 500, None, {}
        misbehaves = await self.misbehave(api, targets, body)
        if misbehaves is not NotImplemented:
            return misbehaves
        dead = [t for t in targets if self.behaviours.get(t) == "dead"]
        if dead and not skips_dead:
            raise Refused(DEAD[api] if len(targets) == 1 or api == TPNS else 10304 if api == V3 else 6, "token invalid")
        good = [t for t in targets if t not in dead] if dead else targets
        self.next_id += 1
        push_id = str(self.next_id)
        self.pushes[push_id] = good
        self.note(good, body, True, push_id)
        answer = {"seq": 0, "push_id": push_id, "ret_code": 0, "environment": "", "err_msg": "", "result": "[0]" if len(targets) == 1 else ""}
        if dead:
            answer["invalid_targe_list"] = dead
        return 200, answer, {}

    async def misbehave(self, api, targets, body):
        for target in targets if self.behaviours else ():
            kind, *rest = self.behaviours.get(target, "ok").split(":")
            if kind in ("ok", "lost", "click", "dead", "maker"):
                continue
            seen = self.times[target] = self.times.get(target, 0) + 1
            if kind in ("hang", "reset"):
                self.note(targets, body, False, None)
                await asyncio.sleep(3600 if kind == "hang" else 0)
                return None
            if kind == "slow":
                await asyncio.sleep(float(rest[0]) / 1000)
            elif kind == "code":
                raise Refused(int(rest[0]), "as told")
            elif seen > int(rest[0]):
                continue
            elif kind == "busy":
                raise Refused(BUSY[api], "busy")
            elif kind == "http429":
                return 429, None, {"Retry-After": rest[1]}
            elif kind == "http500":
                return 500, None, {}
            elif kind == "html":
                return 200, b"<html><body>Bad gateway</body></html>", {}
        return NotImplemented

    def note(self, targets, body, accepted, push_id):
        self.arrivals += [{"regid": t, "push": push_id, "accepted": accepted, "body": body} for t in targets]

    def statistics(self, headers, raw):
        try:
            self.check_json_auth(TPNS, headers, raw)
        except Refused as refused:
            return 200, {"retCode": refused.code, "errMsg": refused.reason}, {}
        push_id = json.loads(raw).get("pushId")
        self.questions.append(push_id)
        if push_id not in self.pushes:
            return 200, {"retCode": 1008015, "errMsg": "push id unknown"}, {}
        by_channel = {}
        for target in self.pushes[push_id]:
            kind, *rest = self.behaviours.get(target, "ok").split(":")
            for channel in ("all", rest[0] if kind == "maker" else "xg"):
                f = by_channel.setdefault(channel, {"channel": channel, "pushActiveUv": 0, "pushOnlineUv": 0, "arrivalUv": 0, "clickUv": 0, "cleanupUv": 0})
                f["pushActiveUv"] += 1
                f["pushOnlineUv"] += 1
                f["arrivalUv"] += kind != "lost"
                f["clickUv"] += kind == "click"
        return 200, {"retCode": 0, "errMsg": "", "result": list(by_channel.values())}, {}

    # ---- paths

    async def route(self, method, path, headers, body):
        if method == "POST" and path == "/v3/push/app":
            return await self.push_json(headers, body)
        if method == "POST" and path == "/v3/statistics/get_push_task_stat_channel":
            return self.statistics(headers, body)
        if method == "POST" and path.startswith("/v2/push/"):
            return await self.push_v2(path, dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
        if path == "/_control/behave":
            self.behaviours.update(json.loads(body))
            return 200, {}, {}
        if path == "/_control/outage":
            self.outage = json.loads(body)["on"]
            return 200, {}, {}
        if path == "/_control/reset":
            self.reset()
            return 200, {}, {}
        asked = {"/_control/arrivals": self.arrivals, "/_control/calls": self.calls, "/_control/questions": self.questions}
        if path in asked:
            return 200, asked[path], {}
        return 404, {"ret_code": 1008001, "err_msg": f"no such path {path}"}, {}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--access-id", default="1500001234")
    parser.add_argument("--secret", default="00112233445566778899aabbccddeeff")
    parser.add_argument("--host", default="127.0.0.1", help="the name by which it is called: V2 signs it")
    options = parser.parse_args()
    asyncio.run(serve(Vendor(options.access_id, options.secret, options.host), options.port))


if __name__ == "__main__":
    main()
