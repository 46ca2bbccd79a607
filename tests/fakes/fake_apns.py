#!/usr/bin/env python3
"""A fake APNs for tests, written from Apple's pages ("Sending notification requests to APNs", "Establishing a token-based connection to
APNs", "Handling notification responses from APNs", "Sending broadcast push notification requests to APNs", "Sending channel
management requests to APNs"), not from any client.
HTTP/2 by python3-h2, which shares nothing with nghttp2; tokens are judged by jwcrypto, which takes raw signatures only, as JOSE asks.

Run it alone:  fake_apns.py --key key.p8    (prints "PORT n CONTROL m CA file" when it listens; a key without a file is made up)

It checks what Apple checks, and a little more strictly where Apple is known to be lenient: path, method, each apns-* header, push type
against payload, that a connection keeps to one team, key and app, priority of background pushes, size, topic, and the provider token (alg, kid, iss, iat within an hour, signature).

What a token's behaviour may be (control call POST /behave {"HEX": "BEHAVIOUR", …}; default "ok"):
  ok               200
  REASON[:N]       the status and reason of Apple's table, for the first N calls (or always), then ok; Unregistered[:TIMESTAMP_MS]
  hang             the request is read and never answered
  reset:CODE       RST_STREAM with the code; refused:N: REFUSED_STREAM for the first N calls, then ok
  goaway           answered, then GOAWAY with {"reason":"Shutdown"} as debug data for all that is above it, and the end
  cut              the connection is closed after the request was read
Control calls (plain HTTP on the second port): GET /pushes -> [{token, headers, payload, status, reason, connection}], GET /state ->
{connections, tokens_seen, never_indexed, most_streams}, POST /streams {"limit": N} (SETTINGS on every open connection),
POST /goaway {} (graceful GOAWAY on every open connection), POST /reset {}.
"""

import argparse
import asyncio
import base64
import json
import re
import ssl
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
import hpack
from jwcrypto import jwk, jws

REASONS = {
    "BadCollapseId": 400, "BadDeviceToken": 400, "BadExpirationDate": 400, "BadMessageId": 400, "BadPriority": 400, "BadTopic": 400,
    "DeviceTokenNotForTopic": 400, "DuplicateHeaders": 400, "IdleTimeout": 400, "InvalidPushType": 400, "MissingDeviceToken": 400,
    "MissingTopic": 400, "PayloadEmpty": 400, "TopicDisallowed": 400, "BadCertificate": 403, "BadCertificateEnvironment": 403,
    "ExpiredProviderToken": 403, "Forbidden": 403, "InvalidProviderToken": 403, "MissingProviderToken": 403,
    "UnrelatedKeyIdInToken": 403, "BadEnvironmentKeyIdInToken": 403, "BadPath": 404, "MethodNotAllowed": 405, "ExpiredToken": 410,
    "Unregistered": 410, "PayloadTooLarge": 413, "TooManyProviderTokenUpdates": 429, "TooManyRequests": 429,
    "InternalServerError": 500, "ServiceUnavailable": 503, "Shutdown": 503, "BadChannelId": 400, "ChannelNotRegistered": 400,
    "FeatureNotEnabled": 400, "BadRequestParams": 400, "BadRequestPayload": 400, "CannotCreateChannelConfig": 400, "MissingChannelId": 400, "MissingPushType": 400, "TopicMismatch": 403,
}
SUFFIXES = {
    "alert": "", "background": "", "voip": ".voip", "complication": ".complication", "controls": ".push-type.controls",
    "fileprovider": ".pushkit.fileprovider", "liveactivity": ".push-type.liveactivity", "location": ".location-query",
    "pushtotalk": ".voip-ptt", "widgets": ".push-type.widgets",
}


class Refusal(Exception):
    def __init__(self, reason, **more):
        super().__init__(reason)
        self.reason, self.more = reason, more


class Apple:
    """What Apple knows and decides; no network in it."""

    def __init__(self, options, keys):
        self.options, self.keys = options, keys  # by key ID
        self.reset()

    def reset(self):
        self.behaviours, self.calls, self.pushes, self.tokens, self.never_indexed = {}, {}, [], set(), {}
        self.most_streams, self.bound = 0, {}
        self.channels = {"dHN0LXNyY2gtY2hubA==": {"message-storage-policy": 1, "push-type": "LiveActivity"}}

    def bind(self, connection, headers):
        """The first push fixes team, key and app of a connection."""
        if self.options.client_ca or "authorization" not in headers:
            return
        head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in headers["authorization"].split(" ")[1].split(".")[:2])
        who = (claims["iss"], head["kid"])
        topic = headers.get("apns-topic", "")
        bound_to, topics = self.bound.setdefault(connection, (who, topic.removesuffix(SUFFIXES.get(headers.get("apns-push-type"), ""))))
        if who != bound_to:
            raise Refusal("UnrelatedKeyIdInToken")
        if topic and not topic.startswith(topics):
            raise Refusal("TopicDisallowed")

    def check_token(self, headers):
        if self.options.client_ca:  # whoever got through the handshake has a certificate; a token beside it is ignored by Apple
            return
        if "authorization" not in headers:
            raise Refusal("MissingProviderToken")
        scheme, _, token = headers["authorization"].partition(" ")
        if scheme != "bearer" or token.count(".") != 2:
            raise Refusal("InvalidProviderToken")
        if token not in self.tokens:  # a signature costs a millisecond here; ten thousand pushes carry the same one
            try:
                kid = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
                judge = jws.JWS()
                judge.deserialize(token, self.keys[kid], alg="ES256")
                head, claims = judge.jose_header, json.loads(judge.payload)
            except Exception as error:  # noqa: BLE001  whatever is wrong with it
                raise Refusal("InvalidProviderToken") from error
            if head.get("alg") != "ES256" or claims.get("iss") != self.options.team_id:
                raise Refusal("InvalidProviderToken")
            if set(claims) != {"iss", "iat"} or abs(time.time() - claims["iat"]) > 3600:
                raise Refusal("ExpiredProviderToken")
            self.tokens.add(token)

    def check_headers(self, headers):
        if not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers.get("apns-id", str(uuid.uuid4()))):
            raise Refusal("BadMessageId")
        if not headers.get("apns-expiration", "0").isdigit():
            raise Refusal("BadExpirationDate")
        if headers.get("apns-priority", "10") not in ("1", "5", "10"):
            raise Refusal("BadPriority")
        if len(headers.get("apns-collapse-id", "").encode()) > 64:
            raise Refusal("BadCollapseId")

    def check_push(self, headers, body):
        self.check_token(headers)
        self.check_headers(headers)
        kind = headers.get("apns-push-type")
        if kind not in SUFFIXES:
            raise Refusal("InvalidPushType")
        if "apns-topic" not in headers:
            raise Refusal("MissingTopic")
        if headers["apns-topic"] not in {topic + SUFFIXES[kind] for topic in (self.options.topic, *self.options.also_topic)}:
            raise Refusal("TopicDisallowed" if headers["apns-topic"].startswith(self.options.topic) else "BadTopic")
        if not body:
            raise Refusal("PayloadEmpty")
        if len(body) > (5120 if kind == "voip" else 4096):
            raise Refusal("PayloadTooLarge")
        payload = json.loads(body)
        aps = payload.get("aps")
        if not isinstance(aps, dict) or not aps:
            raise Refusal("PayloadEmpty")
        shown = {"alert", "badge", "sound"} & set(aps)
        if kind == "background" and (aps.get("content-available") != 1 or shown or headers.get("apns-priority") == "10"):
            raise Refusal("BadPriority" if headers.get("apns-priority") == "10" else "InvalidPushType")
        if kind == "alert" and not shown:
            raise Refusal("InvalidPushType")
        if kind == "liveactivity" and not {"event", "timestamp", "content-state"} <= set(aps):
            raise Refusal("PayloadEmpty")
        return payload

    def behaviour(self, token):
        kind, *numbers = self.behaviours.get(token, "ok").split(":")
        self.calls[token] = self.calls.get(token, 0) + 1
        if kind == "Unregistered":
            raise Refusal(kind, timestamp=int(numbers[0]) if numbers else int(time.time() * 1000))
        if kind in ("refused",) or kind in REASONS:
            if numbers and self.calls[token] > int(numbers[0]):
                return "ok", []
        if kind in REASONS:
            raise Refusal(kind)
        return kind, numbers

    def receive(self, connection, headers, body):
        """Answers (status, answer headers, body), or what to do to the connection as a word with a number."""
        push = {"token": headers[":path"].rsplit("/", 1)[-1], "headers": headers, "payload": None, "status": 0, "reason": None,
                "connection": connection}
        self.pushes.append(push)
        answer = {"apns-id": headers.get("apns-id", str(uuid.uuid4()))}
        try:
            if match := re.fullmatch("/1/apps/([^/]+)/(channels|all-channels)", headers[":path"]):
                push["status"], more, content = self.manage(headers, match[1], match[2], body)
                return push["status"], {"apns-request-id": headers.get("apns-request-id", str(uuid.uuid4())), **more}, content
            if headers[":method"] != "POST":
                raise Refusal("MethodNotAllowed")
            if match := re.fullmatch("/4/broadcasts/apps/([^/]+)", headers[":path"]):
                self.check_broadcast(match[1], headers)
                push["payload"], answer = json.loads(body), {"apns-request-id": headers.get("apns-request-id", "")}
                push["token"] = headers["apns-channel-id"]
                what = self.behaviour(push["token"])
            elif match := re.fullmatch("/3/device/([0-9a-fA-F]*)", headers[":path"]):
                if not match[1]:
                    raise Refusal("MissingDeviceToken")
                push["payload"] = self.check_push(headers, body)
                self.bind(connection, headers)
                what = self.behaviour(match[1])
                if len(match[1]) != 64:
                    raise Refusal("BadDeviceToken")
            else:
                raise Refusal("BadPath")
            if what[0] in ("hang", "reset", "refused", "cut"):
                push["status"] = -1
                return what
            push["status"] = 200
            if what[0] == "goaway":
                return "goaway", answer
            return 200, answer, b""
        except Refusal as refusal:
            push["status"], push["reason"] = REASONS[refusal.reason], refusal.reason
            return push["status"], answer, json.dumps({"reason": refusal.reason, **refusal.more}).encode()

    def manage(self, headers, bundle, where, body):
        """Channel management: answers (status, headers, body)."""
        self.check_token(headers)
        if bundle != self.options.topic:
            raise Refusal("TopicMismatch")
        if "apns-topic" in headers or not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers.get("apns-request-id", str(uuid.uuid4()))):
            raise Refusal("BadRequestParams")
        method, channel = headers[":method"], headers.get("apns-channel-id")
        if method != "POST" and body:
            raise Refusal("BadRequestPayload")
        if where == "all-channels":
            if method != "GET":
                raise Refusal("MethodNotAllowed")
            return 200, {}, json.dumps({"channels": list(self.channels)}).encode()
        if method == "POST":
            wish = json.loads(body or b"null")
            if not isinstance(wish, dict) or set(wish) != {"message-storage-policy", "push-type"} or wish["push-type"] != "LiveActivity":
                raise Refusal("BadRequestPayload")
            if wish["message-storage-policy"] not in (0, 1) or channel:
                raise Refusal("BadRequestParams")
            if len(self.channels) == 10_000:
                raise Refusal("CannotCreateChannelConfig")
            made = base64.b64encode(uuid.uuid4().bytes).decode()
            self.channels[made] = wish
            return 201, {"apns-channel-id": made}, b""
        if method not in ("GET", "DELETE"):
            raise Refusal("MethodNotAllowed")
        if not channel:
            raise Refusal("MissingChannelId")
        if channel not in self.channels:
            raise Refusal("ChannelNotRegistered")
        if method == "GET":
            return 200, {}, json.dumps(self.channels[channel]).encode()
        del self.channels[channel]
        return 204, {}, b""

    def check_broadcast(self, bundle, headers):
        self.check_token(headers)
        if bundle != self.options.topic:
            raise Refusal("TopicMismatch")
        if "apns-channel-id" not in headers:
            raise Refusal("MissingChannelId")
        if headers["apns-channel-id"] not in self.channels:
            raise Refusal("ChannelNotRegistered")
        if headers.get("apns-push-type") != "liveactivity":
            raise Refusal("MissingPushType")
        if "apns-topic" in headers or not headers.get("apns-expiration", "").isdigit():
            raise Refusal("BadExpirationDate")
        if self.channels[headers["apns-channel-id"]]["message-storage-policy"] == 0 and headers["apns-expiration"] != "0":
            raise Refusal("BadExpirationDate")


class Connection(asyncio.Protocol):
    """One HTTP/2 connection: bytes to events and back."""

    every, number = set(), 0

    def __init__(self, apple):
        self.apple = apple
        Connection.number += 1
        self.name = Connection.number
        self.requests = {}
        self.trusted = False

    def connection_made(self, transport):
        self.transport = transport
        if transport.get_extra_info("ssl_object").selected_alpn_protocol() != "h2":
            return transport.abort()
        Connection.every.add(self)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        limit = self.apple.options.streams
        self.h2.local_settings = h2.settings.Settings(client=False, initial_values={
            # Apple: one stream until a request with a good token has been answered.
            h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1 if self.apple.options.shy else limit,
            h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 65535, h2.settings.SettingCodes.MAX_HEADER_LIST_SIZE: 8000})
        self.h2.initiate_connection()
        self.flush()

    def connection_lost(self, error):
        Connection.every.discard(self)

    def flush(self):
        if data := self.h2.data_to_send():
            self.transport.write(data)

    def allow(self, streams):
        self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: streams})
        self.flush()

    def say_goodbye(self):
        self.h2.close_connection(0, json.dumps({"reason": "Shutdown"}).encode())
        self.flush()
        self.transport.close()

    def data_received(self, data):
        try:
            for event in self.h2.receive_data(data):
                self.take(event)
                if self.transport.is_closing():
                    return
        except h2.exceptions.ProtocolError as error:
            print("PROTOCOL ERROR", error, flush=True)
        self.flush()

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.requests[event.stream_id] = (event.headers, bytearray())
            self.apple.most_streams = max(self.apple.most_streams, len(self.requests))
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id][1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.requests.pop(event.stream_id, None)
        if getattr(event, "stream_ended", None) is not None:
            self.serve(event.stream_id)

    def serve(self, stream):
        pairs, body = self.requests[stream]
        headers = {}
        for pair in pairs:
            name, value = pair[0].decode(), pair[1].decode()
            if name in headers:
                return self.answer(stream, 400, {}, b'{"reason":"DuplicateHeaders"}')
            headers[name] = value
            never = isinstance(pair, hpack.NeverIndexedHeaderTuple)
            self.apple.never_indexed[name] = self.apple.never_indexed.get(name, True) and never
        what = self.apple.receive(self.name, headers, bytes(body))
        if isinstance(what[0], int):
            self.answer(stream, *what)
            if self.apple.options.shy and what[0] == 200 and not self.trusted:
                self.trusted = True
                self.h2.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.apple.options.streams})
        elif what[0] == "goaway":
            self.answer(stream, 200, what[1], b"")
            self.h2.close_connection(0, json.dumps({"reason": "Shutdown"}).encode(), last_stream_id=stream)
            self.flush()
            self.transport.close()
        elif what[0] == "cut":
            self.transport.abort()
        elif what[0] in ("reset", "refused"):
            code = h2.errors.ErrorCodes.REFUSED_STREAM if what[0] == "refused" else int(what[1][0])
            self.h2.reset_stream(stream, code)
            self.requests.pop(stream)

    def answer(self, stream, status, headers, body):
        self.h2.send_headers(stream, [(":status", str(status)), *headers.items()], end_stream=not body)
        if body:
            self.h2.send_data(stream, body, end_stream=True)
        self.requests.pop(stream, None)


async def control(apple, reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    length = next((int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:")), 0)
    wish = json.loads(await reader.readexactly(length) or b"{}")
    value = {}
    if path == "/behave":
        apple.behaviours.update(wish)
    elif path == "/pushes":
        value = apple.pushes
    elif path == "/state":
        value = {"connections": Connection.number, "tokens_seen": len(apple.tokens), "never_indexed": apple.never_indexed,
                 "most_streams": apple.most_streams, "pushes": len(apple.pushes)}
    elif path == "/streams":
        apple.options.streams = wish["limit"]
        for connection in list(Connection.every):
            connection.allow(wish["limit"])
    elif path == "/goaway":
        for connection in list(Connection.every):
            connection.say_goodbye()
    elif path == "/reset":
        apple.reset()
    content = json.dumps(value).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(content) + content)
    await writer.drain()
    writer.close()


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=fake APNs", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{folder}/server.key", "-out",
                    f"{folder}/server.pem"], check=True, capture_output=True)
    return f"{folder}/server.pem", f"{folder}/server.key"


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", required=True, help="the .p8 whose public half judges the tokens")
    parser.add_argument("--key-id", default="FAKEKEY001")
    parser.add_argument("--also-key", nargs=2, action="append", default=[], metavar=("ID", "FILE"), help="another key of the team")
    parser.add_argument("--also-topic", action="append", default=[], help="another app of the team")
    parser.add_argument("--team-id", default="TEAMID0001")
    parser.add_argument("--topic", default="org.example.chat")
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--client-ca", help="ask for a client certificate that this CA has signed, instead of tokens")
    parser.add_argument("--shy", action="store_true", help="one stream until a push was accepted, as Apple does")
    options = parser.parse_args()
    keys = {name: jwk.JWK.from_pem(Path(file).read_bytes()) for name, file in [(options.key_id, options.key), *options.also_key]}
    apple = Apple(options, keys)
    with tempfile.TemporaryDirectory(prefix="fake-apns-") as folder:
        certificate, key = make_certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.set_alpn_protocols(["h2"])
        if options.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(options.client_ca)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(apple), "127.0.0.1", options.port, ssl=context)
        steering = await asyncio.start_server(lambda r, w: control(apple, r, w), "127.0.0.1", 0)
        print("PORT", server.sockets[0].getsockname()[1], "CONTROL", steering.sockets[0].getsockname()[1], "CA", certificate, flush=True)
        await asyncio.gather(server.serve_forever(), steering.serve_forever())


if __name__ == "__main__":
    asyncio.run(main())
