"""Many apps and keys in one process. Apple binds a connection to the team, key and app of its first push and refuses the others, so each
channel instance has its own connections; the provider token is the key's, whichever app uses it."""

from collections import defaultdict

from godwit_testing import Broker, FakeApple, ios_token, make_p8, wait_for

APPS = [("chat", "FAKEKEY001", "org.example.chat"), ("mail", "FAKEKEY001", "org.example.mail"), ("news", "OTHERKEY01", "org.example.news")]
EACH = 40


def test_three_apps_over_two_keys(tmp_path):
    other = make_p8(tmp_path / "other.p8")
    with FakeApple("--also-key", "OTHERKEY01", other, "--also-topic", "org.example.mail", "--also-topic", "org.example.news") as apple:
        files = {"FAKEKEY001": apple.key, "OTHERKEY01": other}
        channels = [apple.channel(name, key_id=key, key=f"${{file:{files[key]}}}", topic=topic, connections=1) for name, key, topic in APPS]
        with Broker(channels=channels) as broker:
            for number in range(EACH):
                for name, *_ in APPS:
                    to = {"token": {"channel": name, "token": ios_token(f"{name}{number}")}}
                    broker.expect(202, "POST", "/v1/messages", {"to": to, "notification": {"title": name}})
            wait_for(lambda: len(apple.pushes()) == len(APPS) * EACH, what=lambda: str(apple.state()))
            pushes = apple.pushes()
            assert {push["status"] for push in pushes} == {200}
            used = defaultdict(set)
            for push in pushes:
                used[push["headers"]["apns-topic"]].add(push["connection"])
            assert len(set.union(*used.values())) == sum(map(len, used.values())) == len(APPS), used
            assert apple.state()["tokens_seen"] == 2, "one for each key"
