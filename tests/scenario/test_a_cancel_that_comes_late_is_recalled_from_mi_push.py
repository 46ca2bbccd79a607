"""Who cancels a message that Xiaomi has already has it taken back, from the queue and from the screens, and is told how that went."""

from godwit_testing import Broker, FakeVendor, mipush, wait_for


def recalled(broker, message, reason):
    wait_for(lambda: all(d.get("reason") == reason for d in broker.deliveries(message)), what=f"each delivery being {reason}")
    return broker.message(message)


def test_what_mi_push_has_taken_is_taken_back():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        for n in range(3):
            broker.register(f"d{n}", {"mi": f"regid{n}"})
        one, keyed, many = (broker.push({"device": "d0"}), broker.push({"device": "d1"}, collapse_key="order-1"),
                            broker.push({"devices": ["d0", "d1", "d2"]}))
        kept = broker.push({"device": "d2"})
        for message in (one, keyed, many, kept):
            broker.wait_status(message, "sent")
        for message, out in ((one, 1), (keyed, 1), (many, 3)):
            answer = broker.expect(200, "DELETE", f"/v1/messages/{message}")
            assert (answer["cancelled"], answer["already_out"], answer["recalling"]) == (0, out, out)
            told = recalled(broker, message, "recalled")
            assert told["status"] == "sent" and told["recall"] == {"asked": out, "taken": out, "failed": 0}
        recalls = vendor.control("recalls")
        assert {r["path"] for r in recalls} == {"/v3/message/regid/revoke"}
        assert sorted(r["registration_id"] for r in recalls) == ["regid0", "regid0", "regid1", "regid1", "regid2"]
        assert "recall" not in broker.message(kept)
        assert broker.expect(200, "DELETE", f"/v1/messages/{one}")["recalling"] == 0  # once is enough
        assert len(vendor.control("recalls")) == 5


def test_a_recall_that_xiaomi_refuses_is_told_with_its_words():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        broker.register("d0", {"mi": "regid0"})
        message = broker.push({"device": "d0"})
        broker.wait_status(message, "sent")
        vendor.control("recall", {"code": 65028})
        broker.expect(200, "DELETE", f"/v1/messages/{message}")
        told = recalled(broker, message, "recall_failed")
        assert told["status"] == "sent" and told["recall"] == {"asked": 1, "taken": 0, "failed": 1}
        assert "recall came too late: message id not found" in broker.delivery(message)["attempts"][0]["vendor_detail"]


def test_by_message_id_a_thousand_devices_come_back_in_one_call():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor, recall_api="v2")]) as broker:
        for n in range(50):
            broker.register(f"d{n}", {"mi": f"regid{n}"})
        message = broker.push({"devices": [f"d{n}" for n in range(50)]})
        wait_for(lambda: broker.message(message)["counts"]["sent"] == 50, what="all being sent")
        assert broker.expect(200, "DELETE", f"/v1/messages/{message}")["recalling"] == 50
        assert recalled(broker, message, "recalled")["recall"]["taken"] == 50
        assert [r["path"] for r in vendor.control("recalls")] == ["/v2/message/revoke"] * len(vendor.calls())


def test_a_recall_survives_the_crash_that_interrupts_it():
    with FakeVendor() as vendor, Broker(channels=[mipush(vendor)]) as broker:
        broker.register("d0", {"mi": "regid0"})
        message = broker.push({"device": "d0"})
        broker.wait_status(message, "sent")
        vendor.control("recall", {"code": 10002})  # busy: it is asked again later
        broker.expect(200, "DELETE", f"/v1/messages/{message}")
        broker.kill()
        vendor.control("recall", {"code": 0})
        broker.start()
        recalled(broker, message, "recalled")
