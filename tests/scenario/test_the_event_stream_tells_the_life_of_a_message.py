"""Tails and dashboards follow /v1/events instead of polling."""

import http.client
import json

from godwit_testing import KEYS, Broker, loopback


def test_accepted_to_delivered_in_order():
    with Broker(channels=[loopback("loop")]) as broker:
        broker.register("d", {"loop": "t"})
        connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=20)
        connection.request("GET", "/v1/events", headers={"Authorization": "Bearer " + KEYS["server"]})
        stream = connection.getresponse()
        assert stream.status == 200 and stream.getheader("content-type").startswith("text/event-stream")
        message = broker.push({"device": "d"})
        seen = []
        while "delivered" not in seen:
            line = stream.readline().decode().strip()
            if line.startswith("data:"):
                event = json.loads(line[5:])
                if event["message_id"] == message:
                    seen.append(event["event"])
        assert seen[0] == "accepted" and seen.index("attempted") < seen.index("delivered"), seen
        connection.close()
