"""Xiaomi's table of errors (pId 1560) through the whole broker: what becomes of the message, the token and the channel.

Each code has a channel of its own, because some hold the channel, or stop it, or add up to a circuit breaker.
"""

import pytest

from godwit_testing import Broker, FakeVendor, mipush, wait_for

VERDICTS = {
    "rejected": [10008, 10012, 10016, 10017, 21305, 65011, 10041, 20209, 65010, 65013, 65035, 20315, 65008, 65012, 65016, 65017, 65028,
                 26006, 65007, 65009, 65014, 65015, 424242],
    "retry": [-1, 1, 10001, 10002, 10003, 20301, 20607, 22102, 26003, 65029, 65030, 10030, 10032, 10035, 10039, 10037, 20215, 20216],
    "token_invalid": [10029, 66007],
    "unreachable": [65003],
    "throttled": [10027, 10034, 26004, 26005, 65006, 200001, 200002],
    "config": [10031, 10033, 10036, 10038, 21301, 21302, 21303, 22000, 22006, 22007, 22022, 27001, 65036, 65037, 65038],
}
OF_THE_ACCOUNT = {10031, 10033, 10036, 10038, 21301, 21302, 21303, 22000, 22006, 22007, 22022}


def answered(broker, message):
    deliveries = broker.deliveries(message)
    return next((a for d in deliveries for a in d["attempts"] if a.get("vendor_code")), None)


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict(verdict):
    codes = VERDICTS[verdict]
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor, name=f"mi{code}") for code in codes]) as broker:
        vendor.behave({f"t{code}": f"code:{code}" for code in codes})
        messages = {}
        for code in codes:
            broker.register(f"d{code}", {f"mi{code}": f"t{code}"})
            messages[code] = broker.push({"device": f"d{code}"}, ttl=120)
        for code, message in messages.items():
            attempt = wait_for(lambda m=message: answered(broker, m), what=f"the answer {code}")
            assert (attempt["result"], attempt["vendor_code"]) == (verdict, str(code)), attempt
        for code in codes:
            tokens = set() if verdict == "token_invalid" else {f"mi{code}"}
            wait_for(lambda c=code, t=tokens: broker.live_channels(f"d{c}") == t, what=f"the token after {code}")
            channel = broker.channel(f"mi{code}")
            if verdict == "throttled" and code not in (10027, 200002):  # those two last a second
                assert channel.get("held_until"), channel
            assert (channel["state"] == "failed") == (code in OF_THE_ACCOUNT), channel
