"""All benches in a short form, one after the other: `python -m bench`, a few minutes.

Ends with 1 when a figure that must hold did not. The long forms, whose figures are in docs/benchmarks.md, are the
benches themselves: `python -m bench.NAME`.
"""

import sys
import time
from types import ModuleType

from bench import (
    blobs,
    cancel,
    comfyui,
    dashboard,
    dispatch,
    end_to_end,
    fan_out,
    faults,
    labels,
    listing,
    observing,
    replicas,
    reuse,
    scheduler,
    store,
    streams,
    submit,
)

BENCHES: tuple[ModuleType, ...] = (
    *(store, observing, submit, listing, dashboard, labels, scheduler, dispatch),
    *(end_to_end, comfyui, reuse, cancel, fan_out, streams, blobs, faults, replicas),
)


def main() -> None:
    """Run them all, whatever one of them says."""
    begun = time.perf_counter()
    failed = [bench.__name__ for bench in BENCHES if not _holds(bench)]
    print(f"\n{len(BENCHES)} benches in {time.perf_counter() - begun:.0f} s")
    if failed:
        sys.exit(f"did not hold: {', '.join(failed)}")


def _holds(bench: ModuleType) -> bool:
    print(f"\n== {bench.__name__} {' '.join(bench.SHORT)}", flush=True)
    try:
        bench.main(bench.SHORT)
    except SystemExit as refusal:
        print(refusal.code)
        return not refusal.code
    return True


if __name__ == "__main__":
    main()
