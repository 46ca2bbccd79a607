"""A vendor that takes everything and delivers nothing: no receipt in time means the next channel."""

from godwit_testing import KEYS, Broker, loopback, wait_for


def test_next_channel_when_no_receipt_comes():
    channels = [{**loopback("silent", deliver=0), "prior": 0.95}, {**loopback("works"), "prior": 0.5}]
    with Broker(channels=channels, extra={"routing": {"min_wait": "100ms", "max_wait": "300ms"}}) as broker:
        broker.register("d", {"silent": "s", "works": "w"})
        message = broker.push({"device": "d"}, priority="critical")
        broker.wait_status(message, "delivered")
        attempts = broker.delivery(message)["attempts"]
        assert [a["channel"] for a in attempts] == ["silent", "works"], attempts
        assert all(a["why"] for a in attempts)


def test_ordered_takes_the_callers_order_and_all_takes_every_channel():
    with Broker(channels=[loopback("one"), loopback("two")]) as broker:
        broker.register("d", {"one": "1", "two": "2"})
        ordered = broker.push({"device": "d"}, routing="ordered", channels=["two", "one"])
        broker.wait_status(ordered, "delivered")
        assert broker.delivery(ordered)["attempts"][0]["channel"] == "two"
        every = broker.push({"device": "d"}, routing="all")
        broker.wait_complete(every)
        assert {a["channel"] for a in broker.delivery(every)["attempts"]} == {"one", "two"}


def test_an_app_has_its_own_routing_for_messages_that_name_none():
    app = {"id": "app", "server_keys": [KEYS["server"]], "client_keys": [KEYS["client"]],
           "channels": ["two", "one"], "routing": "ordered"}
    with Broker(channels=[loopback("one"), loopback("two")], apps=[app]) as broker:
        broker.register("d", {"one": "1", "two": "2"})
        message = broker.push({"device": "d"})
        broker.wait_status(message, "delivered")
        assert [a["channel"] for a in broker.delivery(message)["attempts"]] == ["two"]
        app["routing"] = "all"
        broker.write_config()
        broker.hang_up()

        def both_are_taken():
            every = broker.push({"device": "d"})
            broker.wait_complete(every)
            return {a["channel"] for a in broker.delivery(every)["attempts"]} == {"one", "two"}
        wait_for(both_are_taken)
