"""Tencent's three tables of errors through the whole broker: what becomes of the message and the token.

Each code has a channel of its own, because some hold the channel, or stop it, or add up to a circuit breaker.
"""

import pytest

from godwit_testing import Broker, FakeTpns, wait_for, xinge

TPNS = {
    "rejected": [1008001, 1008002, 1008007, 1008016, 1008015, 1008019, 1008026, 10010012, 424242],
    "retry": [1008004],
    "token_invalid": [1008006, 1008029, 10010005, 10110008],
    "throttled": [1008028],
    "config": [1008003, 1008011, 1008012, 1008013, 1008020, 1008021, 1008022, 1008023, 1008030, 1008031, 1008035, 1010001, 10030002],
    "accepted": [10010018],
}
V3 = {
    "rejected": [10102, 10103, 10106, 10107, 10115, 10202, 10205, 10116, 10117],
    "retry": [10001, 10100, 10101, 10108, 10109, 10111, 10114, 10201, 10203, 10207, 10301, 10401, 10501, 10601, 10605, 10701, 11001],
    "token_invalid": [10110, 10305],
    "config": [10104, 10105, 10606],
}
V2 = {
    "rejected": [-1, -101, 2, 6, 7, 48, 73, 75, 78, 83],
    "retry": [-3, -5, 5, -104],
    "config": [-2, -102, -103, 91, 92, 100, -106],
}
CASES = [(api, verdict, codes) for api, table in (("tpns", TPNS), ("v3", V3), ("v2", V2)) for verdict, codes in table.items()]


def answered(broker, message):
    return next((a for d in broker.deliveries(message) for a in d["attempts"] if a.get("http_status")), None)


@pytest.mark.parametrize("api, verdict, codes", CASES, ids=[f"{api}-{verdict}" for api, verdict, _ in CASES])
def test_the_verdict(api, verdict, codes):
    with FakeTpns("a1b2c3d4e5f60" if api == "v3" else "1500001234") as vendor:
        with Broker(channels=[xinge(vendor, name=f"x{code}", api=api) for code in codes]) as broker:
            vendor.behave({f"t{code}": f"code:{code}" for code in codes})
            messages = {}
            for code in codes:
                broker.register(f"d{code}", {f"x{code}": f"t{code}"})
                messages[code] = broker.push({"device": f"d{code}"}, ttl=120)
            for code, message in messages.items():
                attempt = wait_for(lambda m=message: answered(broker, m), what=f"the answer {code}")
                assert attempt["result"] == verdict, attempt
                assert verdict == "accepted" or attempt["vendor_code"] == str(code), attempt
            for code in codes:
                tokens = set() if verdict == "token_invalid" else {f"x{code}"}
                wait_for(lambda c=code, t=tokens: broker.live_channels(f"d{c}") == t, what=f"the token after {code}")
                wait_for(lambda c=code: (broker.channel(f"x{c}")["state"] == "failed") == (verdict == "config"), what=f"the state after {code}")
