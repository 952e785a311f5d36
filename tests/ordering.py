"""In which order the tests run: at random, but the slow modules first, in all processes of a run but one.

What takes minutes and begins last has the other processes wait for it in the end. Nothing else depends on this. Slow
ones have several processes of their own, so one of ours has quick ones meanwhile.
"""

import os
from collections import defaultdict
from collections.abc import Sequence

import pytest

# From the longest on; parts of their paths.
_SLOW = (
    "faults/test_joined_workers",
    "graphs/editor/test_against_the_editor",
    "server/pages/test_every_page",
    "faults/test_replicas",
    "server/test_openapi_stateful",
    "faults/",
    "server/test_openapi",
    "cli/",
    "clients/",
    "comfyui/",
    "editor/",
    "fleet/",
    "server/pages/test_dashboard_browser",
    "traces/",
    "runtimes/",
)


def slow_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Give the items of shuffled modules anew; xdist deals them out in shares of one size, each in one piece."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    modules = defaultdict[str, list[pytest.Item]](list)
    quick: list[pytest.Item] = []
    for item in items:
        module = item.nodeid.partition("::")[0]
        (modules[module] if _place(module) < len(_SLOW) else quick).append(item)
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for number, module in enumerate(sorted(modules, key=_place)):
        shares[number % max(1, processes - 1)].extend(modules[module])
    ordered: list[pytest.Item] = []
    for number, share in enumerate(shares):
        size = (len(items) - len(ordered)) // (processes - number)
        taken = max(0, size - len(share))
        ordered += [*share, *quick[:taken]]
        del quick[:taken]
    return ordered


def _place(module: str) -> int:
    return next((place for place, part in enumerate(_SLOW) if f"tests/{part}" in module), len(_SLOW))
