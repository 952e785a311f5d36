"""kill -9 of a real ComfyUI under mixed jobs, two of them canceled: each ends as it may, once, and nothing is left.

A soak in small; the large one, with a thousand jobs, is `python -m soak.faults`.
"""

from argparse import Namespace
from collections import Counter
from pathlib import Path

import httpx
import pytest
from bench.servers import running_server
from soak.faults import ENDED, Soak, left_behind
from soak.graphs import flags

pytestmark = [pytest.mark.fault, pytest.mark.sqlite, pytest.mark.timeout(600)]

JOBS, KILLS, CANCELS = 20, 2, 2


def test_mixed_jobs_end_right_and_once_though_comfyui_is_killed(
    tmp_path: Path, comfyui_dir: Path, comfyui_python: Path
) -> None:
    given = Namespace(builtin=False, comfyui_dir=comfyui_dir, comfyui_python=comfyui_python)
    with (
        running_server(tmp_path / "data", *flags(given, tmp_path / "flags"), OMP_NUM_THREADS="1") as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=60) as client,
    ):
        # This one has a slow job to cancel while it runs, and another late in the queue.
        soak = Soak(server, client, seed=1068)
        soak.submit(JOBS, CANCELS)
        jobs = soak.disturb(0.2, "main.py", KILLS)

        assert soak.check() == []

    assert left_behind(tmp_path / "data") == []
    ends = Counter(job["status"] for job in jobs.values())
    assert (soak.kills, ends.total()) == (KILLS, JOBS)
    assert min(ends[end] for end in ENDED) > 0
