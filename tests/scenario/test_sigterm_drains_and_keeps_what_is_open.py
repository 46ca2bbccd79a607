"""An upgrade stops the broker under load: exit 0, and every accepted message still ends."""

import threading

from godwit_testing import Broker, loopback


def test_nothing_accepted_is_lost_over_a_drain():
    broker = Broker(channels=[loopback("loop", latency={"median_ms": 20, "sigma": 0.5})])
    broker.start()
    for n in range(20):
        broker.register(f"d{n}", {"loop": f"t{n}"})
    accepted, stop = [], threading.Event()

    def load():
        n = 0
        while not stop.is_set():
            n += 1
            try:
                answer = broker.call("POST", "/v1/messages", {"to": {"device": f"d{n % 20}"}, "notification": {"title": str(n)}})
            except OSError:
                return
            if answer.status == 202:
                accepted.append(answer.json["message_id"])

    threads = [threading.Thread(target=load) for _ in range(4)]
    for t in threads:
        t.start()
    while len(accepted) < 200:
        threads[0].join(0.01)
    assert broker.stop() == 0, broker.log()
    stop.set()
    for t in threads:
        t.join()
    with broker:
        for message in accepted:
            broker.wait_status(message, "delivered")
