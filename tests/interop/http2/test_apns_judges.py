"""Judges that we did not write. Which case of the plan (tests against foreign peers) is shown where:
  1  ten thousand pushes within 1 and 100 streams        test_apns_foreign_servers: nghttpd
  2  a server that is stopped in mid-run                 test_apns_foreign_servers: h2o; GOAWAY on Node: test_apns_nothing_is_lost_or_doubled
  3  each reason of Apple's table                        test_apns_foreign_servers: h2o with answers in Ruby; plugins/apns/channel_test
  4  the provider token                                  here, by jose, jwcrypto and PyJWT; one token under load: test_apns_foreign_servers
  5  the fake's own honesty                              here, by aioapns
  6  header indexing                                     here, by what nghttpd read
  17 slow, silent, half-open and resetting peers         test_apns_what_may_have_arrived_is_unknown: Node; net_test: H2Server
Beyond the plan, a proxy, PING, idleness and absence: test_apns_connections_live_and_end_well (tinyproxy, nghttpd, h2o).
"""

import asyncio
import base64
import json
import os
import re
import ssl
import subprocess
import sys
import time
from pathlib import Path

import jwt
from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol
from jwcrypto import jwk, jws

sys.path.insert(0, str(Path(__file__).parent))
from peers import TOKEN, Broker, Nghttpd, PATIENT, push_many, wait_all_sent  # noqa: E402
from godwit_testing import FakeApple, ios_token, wait_for  # noqa: E402


# Debian's place for JavaScript modules: its own node looks there by itself, others have to be told.
NODE = {**os.environ, "NODE_PATH": "/usr/share/nodejs"}


def jose(token, public):
    """What jose says: (0, {header, claims}) or (1, its reason)."""
    judge = Path(__file__).parent / "jose_judge.cjs"
    done = subprocess.run(["/usr/bin/node", judge, token, public.decode()], capture_output=True, text=True, env=NODE)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_the_provider_token_is_jose_to_three_judges():
    with FakeApple() as apple, Broker(channels=[apple.channel()], extra=PATIENT) as broker:
        push_many(broker, 1)
        wait_all_sent(broker, 1)
        scheme, token = apple.pushes()[0]["headers"]["authorization"].split(" ")
        public = subprocess.run(["openssl", "pkey", "-in", apple.key, "-pubout"], check=True, capture_output=True).stdout
        judge = jws.JWS()
        judge.deserialize(token, jwk.JWK.from_pem(public), alg="ES256")
        assert scheme == "bearer" and judge.jose_header == {"alg": "ES256", "kid": "FAKEKEY001", "typ": "JWT"}
        claims = jwt.decode(token, public, algorithms=["ES256"])
        assert set(claims) == {"iss", "iat"} and claims["iss"] == "TEAMID0001" and abs(claims["iat"] - time.time()) < 60

        assert jose(token, public) == (0, {"header": judge.jose_header, "claims": claims})
        head, body, signature = token.split(".")
        other = base64.urlsafe_b64encode(json.dumps({**claims, "iss": "TEAMID0002"}).encode()).decode().rstrip("=")
        refused, why = jose(f"{head}.{other}.{signature}", public)
        assert refused == 1 and "signature verification failed" in why, "a judge that lets everything pass is none"


def test_an_independent_client_hears_from_the_fake_what_the_broker_hears():
    cases = {"good": (None, "200", None), "gone": ("Unregistered", "410", "Unregistered"), "bad": ("BadDeviceToken", "400", "BadDeviceToken"),
             "much": ("TooManyRequests", "429", "TooManyRequests")}
    with FakeApple() as apple, Broker(channels=[apple.channel()], extra=PATIENT) as broker:
        apple.behave({name: behaviour for name, (behaviour, *_) in cases.items() if behaviour})

        async def ask():
            context = ssl.create_default_context(cafile=apple.ca)
            context.set_alpn_protocols(["h2"])
            protocol = type("Here", (APNsProductionClientProtocol,), {"APNS_SERVER": "localhost", "APNS_PORT": apple.port})
            client = APNs(key=str(apple.key), key_id="FAKEKEY001", team_id="TEAMID0001", topic="org.example.chat", ssl_context=context)
            client.pool.protocol_class = protocol
            answers = {}
            for name in cases:
                wish = NotificationRequest(device_token=ios_token(name), message={"aps": {"alert": "hi"}}, push_type=PushType.ALERT, priority=10)
                answers[name] = await client.send_notification(wish)
            return answers

        answers = asyncio.run(ask())
        for name, (_, status, reason) in cases.items():
            assert (answers[name].status, answers[name].description) == (status, reason), name
            (message,) = push_many(broker, 1, ios_token(name))
            wait_for(lambda: broker.delivery(message)["attempts"] and broker.delivery(message)["attempts"][0].get("http_status"), 15)
            attempt = broker.delivery(message)["attempts"][0]
            assert (str(attempt["http_status"]), attempt.get("vendor_code")) == (status, reason)


def test_what_nghttpd_read_of_the_header_is_indexed_as_apple_advises():
    with Nghttpd("-v", "-c", "4096") as peer, Broker(channels=[peer.channel(connections=1)], extra=PATIENT) as broker:
        push_many(broker, 50)
        wait_all_sent(broker, 50)
        wait_for(lambda: read_log(peer).count(f":path: /3/device/{TOKEN}") >= 50, 15)
        log = read_log(peer)
        told = re.findall(r"\(stream_id=\d+(, sensitive)?\) ([:a-z-]+): ", log)  # sensitive: came as a literal that must never be indexed
        assert told, log[:2000]
        never = {name for mark, name in told if mark}
        assert {":path", "authorization"} <= never and not never & {"apns-topic", "apns-push-type", ":method"}, never


def read_log(peer):
    return (peer.folder / "log").read_text(errors="replace")
