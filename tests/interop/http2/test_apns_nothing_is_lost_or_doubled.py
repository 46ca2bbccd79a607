"""Case 2 of the plan, on Node's HTTP/2 stack: the peer ends sessions with GOAWAY in the middle of 100,000 pushes, refuses streams, and
shrinks the stream limit to 1. What it says that it has not looked at goes elsewhere, and nothing is sent twice."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from losses import every_message_ends_once  # noqa: E402


def test_sessions_that_end_with_goaway():
    every_message_ends_once("goaway")


def test_streams_that_are_refused():
    every_message_ends_once("refuse")


def test_a_stream_limit_that_shrinks_to_one():
    every_message_ends_once("shrink", connections=1)
