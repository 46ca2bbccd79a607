"""Every figure of the contract is there, and adds up."""

from godwit_testing import Broker, free_port, loopback, own_connection

NAMES = ["godwit_messages_total", "godwit_attempts_total", "godwit_receipts_total", "godwit_delivery_rate", "godwit_delivery_seconds_bucket",
         "godwit_queue_depth", "godwit_overload_shed_total", "godwit_channel_state", "godwit_connections", "godwit_storage_commit_seconds_bucket",
         "godwit_final_system_failures_total"]


def test_names_and_sums():
    with Broker(channels=[loopback("loop"), own_connection(free_port())]) as broker:
        for n in range(10):
            broker.register(f"d{n}", {"loop": f"t{n}"}, manufacturer="Xiaomi")
        answers = broker.batch([{"to": {"device": f"d{n % 10}"}, "notification": {"title": "x"}} for n in range(100)])
        for a in answers:
            broker.wait_status(a["message_id"], "delivered")
        text = broker.call("GET", "/metrics", key=None).body.decode()
        missing = [name for name in NAMES if name not in text]
        assert not missing, missing
        assert broker.metric("godwit_messages_total", app="app", state="accepted") == 100
        assert broker.metric("godwit_messages_total", app="app", state="delivered") == 100
        assert broker.metric("godwit_attempts_total", channel="loop") >= 100
        assert broker.metric("godwit_receipts_total", channel="loop", kind="device", event="delivered") == 100
