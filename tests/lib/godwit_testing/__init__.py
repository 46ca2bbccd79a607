"""What scenario and interop tests stand on: a real godwitd, fake vendors, real MQTT clients, and a way to wait."""

from .broker import Broker, KEYS
from .mqtt import MqttDevice
from .vendor import FakeVendor
from .waiting import wait_for

__all__ = ["Broker", "FakeVendor", "KEYS", "MqttDevice", "wait_for"]
