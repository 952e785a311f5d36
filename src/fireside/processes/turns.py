"""How soon a thread of a server gets its turn when another one computes.

A thread that writes to SQLite lets go of Python's lock for each of some sixty statements of a job, and waits for the
loop's thread to pause before it may go on: by Python's own measure up to 5 ms each time.
"""

import sys

_TURN_SECONDS = 0.0005
"""Long enough that turns cost little (some 10 microseconds each), shorter than a commit takes."""


def take_turns_soon() -> None:
    """Let threads that wait have their turn after a part of a millisecond."""
    sys.setswitchinterval(_TURN_SECONDS)
