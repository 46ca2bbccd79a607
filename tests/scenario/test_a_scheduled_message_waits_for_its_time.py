"""deliver_at holds a message back, also over a restart."""

import datetime

from godwit_testing import Broker, loopback


def in_seconds(n):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=n)).isoformat().replace("+00:00", "Z")


def test_not_before_its_time_and_not_forgotten():
    broker = Broker(channels=[loopback("loop")])
    broker.start()
    broker.register("d", {"loop": "t"})
    soon, later = broker.push({"device": "d"}, deliver_at=in_seconds(2)), broker.push({"device": "d"}, deliver_at=in_seconds(3600))
    assert broker.message(soon)["status"] in ("accepted", "planned")
    broker.kill()
    with broker:
        broker.wait_status(soon, "delivered")
        assert broker.message(later)["status"] in ("accepted", "planned")
