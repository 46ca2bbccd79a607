"""Case 17 of the plan, on Node's HTTP/2 stack: in the middle of 100,000 pushes the peer resets streams, does not answer, cuts the
connection, or closes its half of it. What may have arrived is reported as unknown, and repeated only then."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from losses import every_message_ends_once  # noqa: E402


def test_streams_that_are_reset():
    every_message_ends_once("reset")


def test_requests_that_are_never_answered():
    every_message_ends_once("hang", request_timeout_ms=1500)


# Few streams where all that are out are lost at once: the engine repeats only a small share of what it sends.
def test_connections_that_are_cut():
    every_message_ends_once("cut", max_streams=30, connections=1)


def test_connections_that_are_closed_on_one_side():
    every_message_ends_once("half_close", max_streams=30, connections=1)
