"""Before anything is measured, a Xiaomi phone gets Mi Push first, another phone with a Mi token does not; the operator may say otherwise."""

from godwit_testing import Broker, FakeTpns, FakeVendor, mipush, xinge


def first_channel(broker, device):
    return broker.delivery_when_attempted(broker.push({"device": device}))["attempts"][0]["channel"]


def test_the_manufacturer_decides_at_first():
    with FakeVendor() as mi, FakeTpns() as tpns, Broker(channels=[xinge(tpns), mipush(mi)]) as broker:
        for device, maker in (("redmi", "Redmi"), ("xiaomi", "XIAOMI"), ("nokia", "Nokia"), ("unknown", "")):
            broker.register(device, {"mi": f"mi-{device}", "xinge": f"x-{device}"}, **({"manufacturer": maker} if maker else {}))
        assert first_channel(broker, "redmi") == "mi"
        assert first_channel(broker, "xiaomi") == "mi"
        assert first_channel(broker, "nokia") == "xinge"
        assert first_channel(broker, "unknown") == "xinge"


def test_the_operator_may_say_otherwise():
    with FakeVendor() as mi, FakeTpns() as tpns:
        with Broker(channels=[xinge(tpns), {**mipush(mi), "prior": 0.95, "manufacturer_priors": {"xiaomi": 0.1}}]) as broker:
            broker.register("xiaomi", {"mi": "mi-1", "xinge": "x-1"}, manufacturer="Xiaomi")
            broker.register("nokia", {"mi": "mi-2", "xinge": "x-2"}, manufacturer="Nokia")
            assert first_channel(broker, "xiaomi") == "xinge"
            assert first_channel(broker, "nokia") == "mi"
