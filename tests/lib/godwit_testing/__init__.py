"""What scenario and interop tests stand on: a real godwitd, fake vendors, real MQTT clients, and a way to wait."""

from .broker import BUILD, KEYS, Broker, free_port
from .channels import loopback, own_connection
from .mqtt import MqttDevice
from .vendor import FakeVendor
from .waiting import wait_for

__all__ = ["BUILD", "Broker", "FakeVendor", "KEYS", "MqttDevice", "free_port", "loopback", "own_connection", "wait_for"]
