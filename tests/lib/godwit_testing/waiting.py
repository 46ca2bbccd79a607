"""Waiting for a state that another process reaches: asked again and again, never slept for."""

import time


def wait_for(question, seconds=10.0, what=None):
    """Answers the first true answer of `question()`; fails with the last answer after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            what = what() if callable(what) else what
            raise AssertionError(f"{what or 'it'} did not happen within {seconds} s; last answer: {answer!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
