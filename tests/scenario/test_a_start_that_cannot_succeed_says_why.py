"""Each failure at the start is one clear line and the exit code that tells a supervisor what to do."""

import subprocess

import pytest
from godwit_testing import BUILD, Broker, free_port, loopback, own_connection


def end_of(broker, *arguments):
    broker.write_config()
    done = subprocess.run([BUILD / "bin/godwitd", "--config", broker.config_file, *arguments], capture_output=True, text=True, timeout=30)
    lines = [line for line in done.stderr.splitlines() if line.startswith(("godwitd:", str(broker.config_file)))]
    return done.returncode, "\n".join(lines), done


@pytest.fixture
def broker(tmp_path):
    return Broker(channels=[loopback("loop")], directory=tmp_path)


def test_unknown_plugin_names_the_line_and_the_near_one(broker):
    broker.config["channels"][0]["plugin"] = "lopback"
    code, text, _ = end_of(broker)
    assert code == 64 and "lopback" in text and "channels[0]" in text, text


def test_wrong_plugin_setting_names_its_key(broker):
    broker.config["channels"][0]["config"] = {"deliver": 7}
    code, text, _ = end_of(broker)
    assert code == 64 and "deliver" in text, text
    code, text, _ = end_of(broker, "--check-config")
    assert code == 2 and "deliver" in text, text


def test_plugin_of_another_abi_major_names_both_versions(broker):
    broker.config["channels"] = [{"name": "old", "plugin": str(BUILD / "lib/test_plugins/broken_other_major.so")}]
    code, text, _ = end_of(broker)
    assert code == 64 and "broken_other_major.so" in text and "ABI" in text and "rebuild" in text, text


@pytest.mark.parametrize("place, code, words", [("create", 64, "another coat"), ("start", 75, "no route to anywhere")])
def test_plugin_that_throws_is_named_with_its_words(broker, place, code, words):
    plugin = str(BUILD / "lib/test_plugins/misbehaving.so")
    broker.config["channels"] = [{"name": "wild", "plugin": plugin, "config": {"do": f"throw_in_{place}"}}]
    got, text, _ = end_of(broker)
    assert got == code and "wild" in text and words in text and place in text, text


def test_journal_that_lost_files_is_not_taken_for_an_empty_one(broker, tmp_path):
    with broker:
        broker.register("d", {"loop": "t"})
    journal = tmp_path / "data/journal"
    for file in journal.iterdir():
        file.unlink()
    code, text, _ = end_of(broker)
    assert code == 75 and "journal" in text and "missing" in text and "backup" in text, text


def test_unknown_key_names_file_line_and_key(broker):
    broker.config["chanels"] = []
    code, text, _ = end_of(broker, "--check-config")
    assert code == 2 and "chanels" in text and "did you mean 'channels'" in text and "godwit.yaml:" in text, text


def test_proxy_that_cannot_be_read_is_named_without_its_password(broker):
    broker.config["http"]["proxy"] = "http://ann:hunter2@2@proxy.example:3128"
    code, text, _ = end_of(broker, "--check-config")
    assert code == 2 and "http.proxy" in text and "'@' is %40" in text and "hunter" not in text, text


def test_good_configuration_is_ok(broker):
    code, _, done = end_of(broker, "--check-config")
    assert code == 0 and "ok" in done.stdout, done


def test_http_port_in_use(broker):
    with Broker(channels=[loopback("loop")]) as running:
        broker.config["http"]["listen"] = f"127.0.0.1:{running.port}"
        code, text, _ = end_of(broker)
        assert code == 75 and f"127.0.0.1:{running.port}" in text and "in use" in text, text


def test_mqtt_port_in_use(broker):
    port = free_port()
    with Broker(channels=[own_connection(port)]):
        broker.config["channels"] = [own_connection(port)]
        code, text, _ = end_of(broker)
        assert code == 75 and f"127.0.0.1:{port}" in text and "in use" in text, text


def test_locked_data_directory(broker):
    with Broker(channels=[loopback("loop")]) as running:
        broker.config["data_dir"] = running.config["data_dir"]
        code, text, _ = end_of(broker)
        assert code == 75 and running.config["data_dir"] in text and str(running.process.pid) in text, text


def test_data_directory_that_cannot_be_written(broker, tmp_path):
    (tmp_path / "file").write_text("")
    broker.config["data_dir"] = str(tmp_path / "file" / "data")  # a file stands where a folder is needed: stops root too
    code, text, _ = end_of(broker)
    assert code == 75 and str(tmp_path / "file") in text, text


def test_missing_file_and_bad_option():
    done = subprocess.run([BUILD / "bin/godwitd", "--config", "/nonexistent.yaml"], capture_output=True, text=True)
    assert done.returncode == 64 and "/nonexistent.yaml" in done.stderr
    assert subprocess.run([BUILD / "bin/godwitd", "--frobnicate"], capture_output=True).returncode == 64
    assert subprocess.run([BUILD / "bin/godwitd", "--help"], capture_output=True).returncode == 0
