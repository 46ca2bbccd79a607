"""Entries of godwit.yaml's `channels` list."""

from .broker import BUILD


def loopback(name, **config):
    return {"name": name, "plugin": "loopback", "config": config}


def own_connection(port, name="selfconn", **config):
    return {"name": name, "plugin": "selfconn", "config": {"tcp": f"127.0.0.1:{port}", **config}}


def vendor_channel(vendor, broker_port=None, name="mi", **config):
    """The example channel against a FakeVendor; with `broker_port` receipts come back as callbacks."""
    settings = {"origin": vendor.origin, "app_secret": vendor.SECRET, "package_name": vendor.PACKAGE, **config}
    if broker_port:
        settings |= {"callback_url": f"http://127.0.0.1:{broker_port}/v1/callbacks/{name}", "callback_path": CALLBACK_PATH}
    return {"name": name, "plugin": str(BUILD / "lib/godwit/mipush_like.so"), "config": settings}


def mipush(vendor, broker_port=None, name="mi", **config):
    """The Mi Push channel against a FakeVendor; with `broker_port` receipts come back as callbacks."""
    return {**vendor_channel(vendor, broker_port, name, **config), "plugin": "mipush"}


def xinge(vendor, name="xinge", **config):
    """The Xinge channel against a FakeTpns."""
    return {"name": name, "plugin": "xinge", "config": {"origin": vendor.origin, "access_id": vendor.access_id, "secret_key": vendor.SECRET, **config}}


CALLBACK_PATH = "unguessable-part-of-the-path"
