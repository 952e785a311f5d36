"""Spans of time as people write them in a command."""

import re

from fireside.cli.errors import USAGE, CommandFailed

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(text: str) -> float | None:
    """Read `30m`, `24h` or `7d`; None for `never`. Anything else is a mistake in the command."""
    if text == "never":
        return None
    found = _SPAN.fullmatch(text)
    if found is None:
        raise CommandFailed(f"{text!r} is no span of time; write 30m, 24h, 7d or never", USAGE)
    return int(found[1]) * _SECONDS[found[2]]
