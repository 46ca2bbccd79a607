"""What scenario and interop tests stand on: a real godwitd, fake vendors, real MQTT clients, and a way to wait."""

from .apple import FakeApple, ios_token, make_client_certificate, make_p8
from .broker import BUILD, KEYS, Broker, free_port
from .channels import CALLBACK_PATH, loopback, mipush, own_connection, vendor_channel, xinge
from .mqtt import MqttDevice
from .vendor import FakeTpns, FakeVendor
from .waiting import wait_for

__all__ = ["BUILD", "Broker", "CALLBACK_PATH", "FakeApple", "FakeTpns", "FakeVendor", "KEYS", "MqttDevice", "free_port", "ios_token", "loopback", "make_client_certificate", "make_p8", "mipush", "own_connection", "vendor_channel", "wait_for", "xinge"]
