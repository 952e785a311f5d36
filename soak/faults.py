"""A thousand mixed jobs, some of them canceled, while the processes of the runtime are killed: each ends right, once.

    python -m soak.faults [--jobs N] [--workers N] [--builtin] [--kill-every SECONDS] [--seed N] [--folder DIR]

Jobs succeed, fail in a node, or are canceled at any moment. After every few seconds of work one process that computes
is ended with kill -9, once it has come up: what dies again and again in its starts is left alone for minutes, by
rule. At the end each job has the one end that it may have, with its picture if it succeeded; no attempt succeeded
twice; and when the server has stopped, no process and no file of a run is left.
"""

import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
from bench.comfyui import add_comfyui_options
from bench.measuring import parser_of, work_folder
from bench.servers import Server, running_server
from rich.progress import Progress
from soak.graphs import failing, flags, quick, slow
from soak.processes import command_of, descendants, has_come_up, kill, naming

ENDED = ("completed", "failed", "cancelled")
_SHARES = ((quick, 60, "completed"), (slow, 25, "completed"), (failing, 15, "failed"))
_CANCELED_SHARE = 0.15
_SECONDS_A_JOB = 6.0
_AT_LEAST_SECONDS = 480.0
_LOOK_SECONDS = 0.25
_PAGE = 1000
_MOST_LOST = 0.02
_TWICE = """
    SELECT count(*) FROM (SELECT 1 FROM job_attempt WHERE outcome = 'succeeded' GROUP BY job_pk HAVING count(*) > 1)
"""


class Soak:
    """One server, the jobs it was given, and what may become of each."""

    def __init__(self, server: Server, client: httpx.Client, seed: int) -> None:
        self._server = server
        self._client = client
        self._random = random.Random(seed)
        self.allowed: dict[str, tuple[str, ...]] = {}
        self._to_cancel: list[str] = []
        self.kills = 0

    def submit(self, count: int, cancels: int) -> None:
        """Queue that many jobs, and choose so many of them that will be canceled."""
        makers = [maker for maker, share, _ in _SHARES for _ in range(share)]
        ends = {maker: end for maker, _, end in _SHARES}
        for _ in range(count):
            maker = self._random.choice(makers)
            answer = self._client.post("/api/prompt", json={"prompt": maker()}).raise_for_status()
            job_id = str(answer.json()["prompt_id"])
            self.allowed[job_id] = (ends[maker],)
        self._to_cancel = self._random.sample(list(self.allowed), cancels)
        for job_id in self._to_cancel:
            self.allowed[job_id] += ("cancelled",)

    def disturb(self, kill_every: float, word: str, most_kills: int | None = None) -> dict[str, dict[str, Any]]:
        """Cancel and kill until all have ended, and give the jobs as they are listed then.

        A kill ends a process whose command line holds the word, after so many seconds in which some job ran: were the
        rests counted that follow on a kill, the first to come up again would be struck at once, and nothing ever done.
        `most_kills` makes them few.
        """
        deadline = time.monotonic() + max(_AT_LEAST_SECONDS, len(self.allowed) * _SECONDS_A_JOB)
        work_seconds, looked_at = 0.0, time.monotonic()
        canceled_share = len(self._to_cancel) / len(self.allowed)
        with Progress() as progress:
            bar = progress.add_task("jobs ended", total=len(self.allowed))
            while time.monotonic() < deadline:
                jobs = self._listed()
                ended = sum(job["status"] in ENDED for job in jobs.values())
                progress.update(bar, completed=ended, description=f"jobs ended, {self.kills} kills")
                if ended == len(self.allowed):
                    return jobs
                self._cancel_up_to(int((1 - ended / len(self.allowed)) * canceled_share * len(self.allowed)), jobs)
                strikes = any(job["status"] == "in_progress" for job in jobs.values())
                work_seconds += time.monotonic() - looked_at if strikes else 0.0
                looked_at = time.monotonic()
                is_due = work_seconds > kill_every and self.kills != most_kills and strikes
                if is_due and self._kill_one(word):
                    work_seconds = self._random.uniform(-0.5, 0.5) * kill_every
                time.sleep(_LOOK_SECONDS)
        stuck = Counter(job["status"] for job in self._listed().values())
        sys.exit(f"not all jobs have ended: {dict(stuck)}")

    def _listed(self) -> dict[str, dict[str, Any]]:
        jobs: dict[str, dict[str, Any]] = {}
        for offset in range(0, len(self.allowed), _PAGE):
            answer = self._client.get("/api/jobs", params={"limit": _PAGE, "offset": offset}).raise_for_status()
            jobs |= {job["id"]: job for job in answer.json()["jobs"]}
        return {job_id: job for job_id, job in jobs.items() if job_id in self.allowed}

    def _cancel_up_to(self, left: int, jobs: dict[str, dict[str, Any]]) -> None:
        """Cancel so that only so many are left to be: what runs just now, or what waits, before what has ended."""
        by_status = sorted(self._to_cancel, key=lambda job_id: jobs.get(job_id, {}).get("status") in ENDED)
        running = [job_id for job_id in by_status if jobs.get(job_id, {}).get("status") == "in_progress"]
        for job_id in list(dict.fromkeys([*running, *by_status]))[: max(0, len(self._to_cancel) - left)]:
            self._to_cancel.remove(job_id)
            self._client.post(f"/api/jobs/{job_id}/cancel").raise_for_status()

    def _kill_one(self, word: str) -> bool:
        computing = (pid for pid in descendants(self._server.pid) if word in command_of(pid))
        victims = [pid for pid in computing if has_come_up(pid)]
        if victims:
            kill(self._random.choice(victims))
            self.kills += 1
        return bool(victims)

    def check(self) -> list[str]:
        """Name every job that ended as it may not, or whose picture is not there."""
        wrong: list[str] = []
        lost = 0
        for job_id, allowed in self.allowed.items():
            job = self._client.get(f"/api/jobs/{job_id}").raise_for_status().json()
            if job["status"] not in allowed:
                # A job that was struck three times is given up by the rules, which hardly ever happens.
                lost += job["status"] == "failed"
                if job["status"] != "failed" or "lost" not in str(job.get("execution_error")):
                    wrong.append(f"{job_id}: {job['status']}, not {allowed}: {job.get('execution_error')}")
            elif job["status"] == "completed":
                wrong += self._wrong_picture(job_id, job)
        if lost > len(self.allowed) * _MOST_LOST:
            wrong.append(f"{lost} jobs were given up")
        return wrong

    def _wrong_picture(self, job_id: str, job: dict[str, Any]) -> list[str]:
        images = job["outputs"].get("3", {}).get("images", [])
        if len(images) != 1:
            return [f"{job_id}: has {len(images)} pictures"]
        answer = self._client.get("/api/view", params=images[0], follow_redirects=True)
        is_whole = answer.is_success and answer.content.startswith(b"\x89PNG") and b"IEND" in answer.content[-12:]
        return [] if is_whole else [f"{job_id}: its picture is not whole ({answer.status_code})"]


def left_behind(data_dir: Path) -> list[str]:
    """Name what a server that has stopped should not have left: processes, files of runs, attempts without an end."""
    found = [f"process {line}" for line in naming(str(data_dir))]
    workers = data_dir / "run" / "workers"
    parts = ("scratch/jobs", *(f"runtime/{name}" for name in ("input", "output", "temp", "left")))
    folders = [workers.glob(f"*/{part}/**/*") for part in parts]
    found += [f"file {path}" for paths in folders for path in paths if path.is_file()]
    found += [f"file {path}" for path in (data_dir / "blobs" / "unfinished").iterdir()]
    with closing(sqlite3.connect(data_dir / "fireside.db")) as database:
        (twice,) = database.execute(_TWICE).fetchone()
        (open_ended,) = database.execute("SELECT count(*) FROM job_attempt WHERE outcome IS NULL").fetchone()
    found += [f"{twice} jobs succeeded twice"] if twice else []
    return found + ([f"{open_ended} attempts have no end"] if open_ended else [])


def main(arguments: Sequence[str] | None = None) -> None:
    """Do it, and end with 1 when anything is wrong."""
    parser = parser_of("faults", __doc__)
    add_comfyui_options(parser)
    parser.add_argument("--builtin", action="store_true", help="the builtin runtime in the place of ComfyUI")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=10.0, help="seconds of work between two kills, on average")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        data_dir = folder / "data"
        server_flags = flags(options, folder / "flags")
        with (
            running_server(data_dir, *server_flags, workers=options.workers) as server,
            httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=60) as client,
        ):
            soak = Soak(server, client, options.seed)
            soak.submit(options.jobs, cancels=int(options.jobs * _CANCELED_SHARE))
            jobs = soak.disturb(options.kill_every, "runtimes.builtin.child" if options.builtin else "main.py")
            wrong = soak.check()
        wrong += left_behind(data_dir)
        ends = Counter(job["status"] for job in jobs.values())
        print(f"{len(jobs)} jobs under {soak.kills} kills: {dict(ends)}")
        if wrong:
            sys.exit("\n".join([f"{len(wrong)} things are wrong:", *wrong[:20]]))


if __name__ == "__main__":
    main()
