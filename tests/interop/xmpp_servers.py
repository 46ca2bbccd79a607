"""prosody and ejabberd from Debian, each started by the test in a directory of its own, on free ports of loopback, with an own
configuration: nothing depends on a service of the machine."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from godwit_testing import free_port, wait_for

HOST = "push.localhost"  # where the phones have their accounts
COMPONENT = "broker.localhost"  # what godwitd is
SECRET = "component-secret"
SENDER = "sender"  # the account for client mode
PASSWORD = "pass-word"


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def certificate(directory):
    """A self-signed certificate for HOST: (certificate, key, both in one file)."""
    certificate, key, both = directory / "cert.pem", directory / "key.pem", directory / "both.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    return certificate, key, both


class Server:
    """`with Prosody() as server:`. Accounts are made by `register(name)`; `cut()` and friends belong to xmpp_proxy."""

    user = None  # the Debian user that it runs as when the test is root: it refuses to be root
    resume_seconds = 60

    def __init__(self, resume_seconds=60):
        self.resume_seconds = resume_seconds

    def __enter__(self):
        self._directory = tempfile.TemporaryDirectory(prefix="godwit-xmpp-")
        self.directory = Path(self._directory.name)
        self.client_port, self.component_port = free_port(), free_port()
        self.certificate, self.key, self.both = certificate(self.directory)
        self.write_config()
        self.as_user = {}
        if os.geteuid() == 0 and self.user:
            owner = pwd.getpwnam(self.user)
            self.as_user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            for path in [self.directory, *self.directory.rglob("*")]:
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self.start()
        return self

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.directory, env=self.environment(), **self.as_user)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def environment(self):
        return {**os.environ, "HOME": str(self.directory)}

    def start(self):
        with open(self.directory / "output", "ab") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=output, cwd=self.directory, env=self.environment(),
                                            start_new_session=True, **self.as_user)
        wait_for(self.is_up, 90, lambda: f"{type(self).__name__} to listen:\n{self.log()}")

    def is_up(self):
        assert self.process.poll() is None, self.log()
        return listens(self.client_port) and listens(self.component_port)

    def log(self):
        return "".join(f"--- {p.name}\n{p.read_text(errors='replace')[-3000:]}\n" for p in self.directory.glob("*") if p.name in ("output", "log", "ejabberd.log"))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        # The process may have been a script whose server still writes its files.
        wait_for(self.is_gone, 20, f"the last process of {type(self).__name__} to end")

    def is_gone(self):
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def __exit__(self, *error):
        if error[0] is not None:
            print(self.log())
        self.stop()
        self._directory.cleanup()


class Prosody(Server):
    user = "prosody"

    def write_config(self):
        d = self.directory
        (d / "data").mkdir()
        (d / "prosody.cfg.lua").write_text(f"""
            interfaces = {{ "127.0.0.1" }}; component_interfaces = {{ "127.0.0.1" }}
            c2s_ports = {{ {self.client_port} }}; component_ports = {{ {self.component_port} }}
            modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "smacks", "offline", "time", "version", "legacyauth", "register_ibr" }}
            modules_disabled = {{ "s2s", "http" }}
            allow_registration = true; registration_throttle_max = 100000; min_seconds_between_registrations = 0
            c2s_require_encryption = true; authentication = "internal_hashed"; storage = "internal"
            component_conflict_resolve = "kick_old"
            data_path = "{d}/data"; pidfile = "{d}/pid"; log = {{ info = "{d}/log" }}
            smacks_hibernation_time = {self.resume_seconds}
            limits = {{}}
            VirtualHost "{HOST}"
              ssl = {{ key = "{self.key}"; certificate = "{self.certificate}" }}
            Component "{COMPONENT}"
              component_secret = "{SECRET}"
            """)

    def command(self):
        return [shutil.which("prosody"), "--config", self.directory / "prosody.cfg.lua", "-F"]

    def register(self, name, password=PASSWORD):
        self.run(shutil.which("prosodyctl"), "--config", self.directory / "prosody.cfg.lua", "register", name, HOST, password)

    def stored(self, name):
        """How many messages wait in the server's storage for this account."""
        file = self.directory / "data" / HOST.replace(".", "%2e") / "offline" / f"{name}.list"
        return file.read_text().count("item({") if file.exists() else 0


class Ejabberd(Server):
    user = "ejabberd"

    def write_config(self):
        d = self.directory
        for name in ("conf", "logs", "spool"):
            (d / name).mkdir()
        (d / "conf/ejabberd.yml").write_text(f"""
hosts: ["{HOST}"]
loglevel: 4
certfiles: ["{self.both}"]
listen:
  - {{port: {self.client_port}, ip: "127.0.0.1", module: ejabberd_c2s, starttls_required: true, access: everyone, max_stanza_size: 262144}}
  - {{port: {self.component_port}, ip: "127.0.0.1", module: ejabberd_service, hosts: {{"{COMPONENT}": {{password: "{SECRET}"}}}}}}
s2s_access: none
auth_password_format: scram
access_rules:
  everyone: [{{allow: all}}]
modules:
  mod_admin_extra: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
  mod_offline: {{access_max_user_messages: 100000}}
  mod_stream_mgmt: {{resume_timeout: {self.resume_seconds}, resend_on_timeout: if_offline, max_ack_queue: 100000}}
""")
        (d / "conf/inetrc").write_text("")

    # A distribution port of its own for each start: the last one's may still be in TIME_WAIT.
    def start(self):
        d = self.directory
        (d / "conf/ejabberdctl.cfg").write_text(f"""
INET_DIST_INTERFACE=127.0.0.1
ERLANG_NODE=godwit{self.client_port}@localhost
ERL_INETRC={d}/conf/inetrc
ERL_DIST_PORT={free_port()}
""")
        super().start()

    def environment(self):
        return {**super().environment(), "EJABBERD_PID_PATH": str(self.directory / "pid")}

    def control(self, *words):
        d = self.directory
        return [shutil.which("ejabberdctl"), "--config-dir", d / "conf", "--config", d / "conf/ejabberd.yml", "--ctl-config",
                d / "conf/ejabberdctl.cfg", "--logs", d / "logs", "--spool", d / "spool", *words]

    def command(self):
        return self.control("foreground")

    def is_up(self):
        return super().is_up() and subprocess.run(self.control("status"), capture_output=True, timeout=60, cwd=self.directory, env=self.environment(),
                                                  **self.as_user).returncode == 0

    def register(self, name, password=PASSWORD):
        self.run(*self.control("register", name, HOST, password))

    def stored(self, name):
        return int(self.run(*self.control("get_offline_count", name, HOST)))

    def stop(self, how=signal.SIGTERM):
        if how == signal.SIGTERM and self.process.poll() is None:
            subprocess.run(self.control("stop"), capture_output=True, timeout=60, cwd=self.directory, env=self.environment(), **self.as_user)
        super().stop(how)
