"""A stranger copies the README's lines into a shell: each must work, in a checkout that has never run before."""

import os
import re
import select
import signal
import socket
import subprocess

import pytest
from godwit_testing import BUILD, free_port, wait_for

ROOT = BUILD.parents[1]
MARK = "<!-- these lines are run by"


def lines_of_the_readme():
    text = (ROOT / "README.md").read_text()
    return re.search(r"```sh\n(.*?)```", text[text.index(MARK):], re.S).group(1)


@pytest.fixture
def checkout(tmp_path):
    """The project as it lies here, but with a `run` folder of its own."""
    for entry in ROOT.iterdir():
        if entry.name not in ("run", ".git"):
            (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def start(checkout):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(checkout / "notify"))
    ports = {"GODWIT_HTTP_PORT": str(free_port()), "GODWIT_MQTT_PORT": str(free_port())}
    broker = subprocess.Popen(["./run.sh"], cwd=checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, **ports, "NOTIFY_SOCKET": str(checkout / "notify")})
    readable, _, _ = select.select([notify], [], [], 120)
    assert readable and b"READY=1" in notify.recv(4096), broker.communicate()[0] if broker.poll() is not None else "not ready"
    return broker


@pytest.mark.skipif(BUILD.name != "release", reason="run.sh builds and runs the release preset")
def test_register_hold_push_and_see_it_arrive(checkout):
    broker = start(checkout)
    try:
        shell = subprocess.run(["bash", "-c", lines_of_the_readme() + "\necho MESSAGE=$MESSAGE"], cwd=checkout, capture_output=True, text=True, timeout=60)
        assert shell.returncode == 0, shell
        out = shell.stdout
        assert '"title":"New order"' in out and '"title":"While you were away"' in out, out + shell.stderr
        once = re.findall(r'^\{[^\n]*"message_id":"(\w+)"[^\n]*"recipients"', out, re.M)
        assert len(once) == 2 and once[0] == once[1], out
        assert out.count('"title":"Once"') == 1, out
        message = re.search(r"MESSAGE=(\w+)", out).group(1)

        def shown():
            show = f"source run/godwit.env; build/release/bin/godwit messages show {message}"
            return subprocess.run(["bash", "-c", show], cwd=checkout, capture_output=True, text=True).stdout
        text = wait_for(lambda: (lambda t: t if "delivered" in t else None)(shown()))
        assert "selfconn" in text and "delivered [device]" in text, text
    finally:
        broker.send_signal(signal.SIGTERM)
        output = broker.communicate(timeout=30)[0]
    assert broker.returncode == 0, output
