"""All soaks one after the other: `python -m soak`, fifty minutes. Ends with 1 when one of them did not hold."""

import sys
from collections.abc import Callable

from soak import faults, fleet, memory, replicas

SOAKS: tuple[Callable[[], None], ...] = (fleet.main, replicas.main, faults.main, memory.main)


def main() -> None:
    """Run them all, whatever one of them says."""
    failed = [soak.__module__ for soak in SOAKS if not _holds(soak)]
    if failed:
        sys.exit(f"did not hold: {', '.join(failed)}")


def _holds(soak: Callable[[], None]) -> bool:
    print(f"\n== {soak.__module__}", flush=True)
    try:
        soak()
    except SystemExit as refusal:
        print(refusal.code)
        return not refusal.code
    return True


if __name__ == "__main__":
    main()
