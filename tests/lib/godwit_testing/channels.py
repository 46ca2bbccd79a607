"""Entries of godwit.yaml's `channels` list."""


def loopback(name, **config):
    return {"name": name, "plugin": "loopback", "config": config}


def own_connection(port, name="selfconn", **config):
    return {"name": name, "plugin": "selfconn", "config": {"tcp": f"127.0.0.1:{port}", **config}}
