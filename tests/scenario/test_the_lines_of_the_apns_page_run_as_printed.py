"""An operator copies the lines of docs/channels/apns.md into a shell, from nothing to a push to the fake APNs: each must work."""

import os
import re
import signal
import subprocess

from godwit_testing import BUILD, free_port

ROOT = BUILD.parents[1]
MARK = "<!-- these lines are run by"


def test_from_nothing_to_a_push(tmp_path):
    text = (ROOT / "docs/channels/apns.md").read_text()
    lines = re.search(r"```sh\n(.*?)```", text[text.index(MARK):], re.S).group(1).replace("build/release/bin", f"build/{BUILD.name}/bin")
    environment = {**os.environ, "PORT": str(free_port()), "TMPDIR": str(tmp_path)}
    shell = subprocess.Popen(["bash", "-c", lines], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             start_new_session=True)  # a group of its own, so that nothing that it starts is left behind
    try:
        out = shell.communicate(timeout=60)[0]
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        raise AssertionError(shell.communicate()[0]) from None
    assert shell.returncode == 0, out
    assert re.search(r"phone-1 +sent +1 +apns +accepted", out), out
    assert '"apns-push-type": "alert"' in out and '"title": "New order"' in out and '"status": 200' in out, out
    assert re.search(r"apns +apns \S+ +enabled +ready", out) and "drained" in out, out
