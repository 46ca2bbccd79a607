"""A leaked key is replaced while the broker runs; a bad new file keeps the old one in force."""

from godwit_testing import KEYS, Broker, loopback, wait_for

NEW = "gws_the-key-after-the-leak"


def test_keys_change_and_bad_files_do_not():
    with Broker(channels=[loopback("loop")]) as broker:
        broker.register("d", {"loop": "t"})
        broker.config["apps"][0]["server_keys"] = [NEW]
        broker.write_config()
        broker.hang_up()
        wait_for(lambda: broker.call("GET", "/v1/devices/d", key=NEW).status == 200)
        assert broker.call("GET", "/v1/devices/d", key=KEYS["server"]).status == 401
        broker.config_file.write_text("data_dir: [")
        broker.hang_up()
        wait_for(lambda: "not reloaded" in broker.log())
        assert broker.call("GET", "/v1/devices/d", key=NEW).status == 200


def test_a_live_channel_setting_changes():
    with Broker(channels=[loopback("loop")]) as broker:
        broker.register("d", {"loop": "t"})
        broker.wait_status(broker.push({"device": "d"}), "delivered")
        broker.config["channels"][0]["config"]["deliver"] = 0
        broker.write_config()
        broker.hang_up()

        def nothing_arrives_any_more():
            message = broker.push({"device": "d"})
            return broker.delivery_when_attempted(message)["attempts"][0]["result"] == "accepted" and \
                broker.message(message)["counts"]["delivered"] == 0
        wait_for(nothing_arrives_any_more)
