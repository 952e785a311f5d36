"""How often a process that keeps very much in memory looks for cycles, which nothing else frees.

Python's own measure suits small programs: after 700 new objects it looks, and what is in use just then is soon taken
for old. A leader of a busy fleet looked through all that it knows almost every second, and stood still for that long.
"""

import gc

_NEW_OBJECTS = 5_000
"""More than what the requests and reports of a busy moment need at a time."""
_LOOKS_BETWEEN = 20


def look_for_garbage_seldom() -> None:
    """Look at new objects less often, when most of them are gone by themselves, and seldom at all there are."""
    gc.set_threshold(_NEW_OBJECTS, _LOOKS_BETWEEN, _LOOKS_BETWEEN)
