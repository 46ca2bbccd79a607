"""godwit prints tables for people and JSON for programs, and its errors carry the next step."""

import json
import os
import subprocess

from godwit_testing import BUILD, KEYS, Broker, loopback


def godwit(broker, *arguments, check=True):
    env = {**os.environ, "GODWIT_URL": f"http://127.0.0.1:{broker.port}", "GODWIT_SERVER_KEY": KEYS["server"], "GODWIT_ADMIN_KEY": KEYS["admin"]}
    done = subprocess.run([BUILD / "bin/godwit", *arguments], capture_output=True, text=True, env=env, timeout=60)
    assert not check or done.returncode == 0, done
    return done


def test_every_noun(tmp_path):
    with Broker(channels=[loopback("loop")]) as broker:
        godwit(broker, "devices", "put", "d1", '{"user_id":"u1","platform":"android","manufacturer":"Xiaomi","channels":{"loop":{"token":"t"}}}')
        assert "d1" in godwit(broker, "devices", "list").stdout
        assert "u1" in godwit(broker, "devices", "show", "d1").stdout
        assert json.loads(godwit(broker, "--json", "devices", "user", "u1").stdout)["devices"][0]["device_id"] == "d1"
        sent = json.loads(godwit(broker, "--json", "messages", "send", "--user", "u1", "--title", "Hi").stdout)
        broker.wait_status(sent["message_id"], "delivered")
        shown = godwit(broker, "messages", "show", sent["message_id"], "--why").stdout
        assert "delivered" in shown and "loop" in shown and "WHY" in shown
        assert godwit(broker, "explain", sent["message_id"]).stdout == shown
        assert "loop" in godwit(broker, "devices", "route", "d1").stdout
        assert "enabled" in godwit(broker, "channels", "list").stdout
        assert "disabled" in godwit(broker, "channels", "disable", "loop").stdout
        assert "enabled" in godwit(broker, "channels", "enable", "loop").stdout
        assert "a fresh instance serves" in godwit(broker, "channels", "reload", "loop").stdout
        assert "loop" in godwit(broker, "stats", "--by", "channel,manufacturer").stdout
        assert "server" in godwit(broker, "keys", "list").stdout
        messages = tmp_path / "m.ndjson"
        messages.write_text('{"to":{"user":"u1"},"notification":{"title":"x"}}\n' * 2500 + '{"to":{}}\n')
        done = godwit(broker, "messages", "send", "--file", str(messages), check=False)
        assert "2,500 accepted, 1 refused" in done.stdout and done.returncode == 1, done
        godwit(broker, "devices", "delete", "d1")
        gone = godwit(broker, "devices", "show", "d1", check=False)
        assert gone.returncode == 1 and "404" in gone.stderr


def test_errors_carry_the_next_step():
    done = subprocess.run([BUILD / "bin/godwit", "--url", "http://127.0.0.1:1", "devices", "list"], capture_output=True, text=True)
    assert done.returncode == 1 and "is godwitd running?" in done.stderr
    with Broker(channels=[loopback("loop")]) as broker:
        done = godwit(broker, "--key", "wrong-key-of-somebody", "devices", "list", check=False)
        assert done.returncode == 1 and "401" in done.stderr and "--key" in done.stderr


def test_completion_knows_every_command():
    script = f'source <({BUILD}/bin/godwit completion bash); COMP_WORDS=(godwit messages ""); COMP_CWORD=2; _godwit; echo "${{COMPREPLY[@]}}"'
    words = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()
    assert {"send", "show", "cancel", "tail"} <= set(words), words
