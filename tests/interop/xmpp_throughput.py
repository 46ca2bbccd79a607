#!/usr/bin/python3
"""Messages a second over one component stream against Prosody and ejabberd, each started here, beside a bare sender to the same server:
`tests/interop/xmpp_throughput.py [--messages N] [--json]`. The account is away and the messages are for now or never, so what is measured is
the stream and the server's reading, not its disk."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from godwit_testing import BUILD  # noqa: E402
from xmpp_servers import COMPONENT, HOST, SECRET, Ejabberd, Prosody  # noqa: E402

for kind in (Prosody, Ejabberd):
    with kind() as server:
        server.register("bob")
        subprocess.run([BUILD / "bin/bench_xmpp", "--server", f"127.0.0.1:{server.component_port}", "--name", kind.__name__.lower(), "--jid", COMPONENT,
                        "--secret", SECRET, "--to", f"bob@{HOST}", "--rounds", "3", "--messages", "30000", *sys.argv[1:]], check=True)
