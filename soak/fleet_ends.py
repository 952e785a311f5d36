"""What a soak of a fleet is held against: every accepted job has one end, the right one, and nothing else is left.

It is asked both ways: the public API what its users would see, and the database what happened behind it.
"""

import io
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import psycopg
from PIL import Image
from soak.fleet_faults import Fleet
from soak.fleet_people import Person, Wanted, noise
from soak.processes import naming

_JOBS = """
    SELECT job.id, job.state, job.losses, job.attempt, job.created_at, job.ended_at,
        (SELECT count(*) FROM job_attempt WHERE job_pk = job.pk AND outcome = 'succeeded'),
        (SELECT count(*) FROM job_attempt WHERE job_pk = job.pk AND outcome = 'failed'),
        (SELECT count(*) FROM job_attempt WHERE job_pk = job.pk AND outcome IS NULL),
        (SELECT count(*) FROM job_work WHERE job_pk = job.pk AND reused_id IS NOT NULL)
    FROM job
"""
_COUNTS = "SELECT count(*), sum(CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END) FROM job"
_GIVEN_UP_AFTER = 3


@dataclass(frozen=True)
class Row:
    """A job as the database has it; times are Unix seconds."""

    state: str
    losses: int
    attempts: int
    created_at: float
    ended_at: float | None
    succeeded: int
    failed: int
    open_ended: int
    reused: int

    @property
    def is_given_up(self) -> bool:
        """Whether it was failed because it was struck too often, which the rules ask for."""
        return self.state == "failed" and self.losses >= _GIVEN_UP_AFTER


def rows_of(fleet: Fleet, sql: str) -> list[tuple[Any, ...]]:
    """Ask the database."""
    if fleet.postgres is not None:
        with psycopg.connect(fleet.cluster.database_url, connect_timeout=5) as raw:
            return raw.execute(sql.encode()).fetchall()
    with closing(sqlite3.connect(fleet.servers[0].server.data_dir / "fireside.db", timeout=5)) as raw:
        return raw.execute(sql).fetchall()


def count_ended(fleet: Fleet) -> tuple[int, int]:
    """Count the jobs, and those that have ended."""
    ((jobs, ended),) = rows_of(fleet, _COUNTS)
    return int(jobs), int(ended or 0)


def jobs_of(fleet: Fleet) -> dict[str, Row]:
    """Read all jobs."""
    return {
        str(job_id if isinstance(job_id, UUID) else UUID(bytes=job_id)): Row(
            state, losses, attempts, _seconds(created_at) or 0.0, _seconds(ended_at), *counts
        )
        for job_id, state, losses, attempts, created_at, ended_at, *counts in rows_of(fleet, _JOBS)
    }


def _seconds(at: Any) -> float | None:
    return None if at is None else at / 1e6 if isinstance(at, int) else at.timestamp()


def wrong_ends(people: Sequence[Person], jobs: Mapping[str, Row]) -> list[str]:
    """Name each job that is missing, nobody's, or has not exactly the end that it may have."""
    wanted = {one.job_id: one for person in people for one in person.wishes if one.job_id}
    wrong = [f"{job_id}: nobody asked for it" for job_id in jobs.keys() - wanted.keys()]
    for job_id, one in wanted.items():
        row = jobs.get(job_id)
        if row is None:
            wrong.append(f"{one.name}: was accepted, and is not there")
        elif trouble := _trouble(one, row):
            wrong.append(f"{one.name} ({one.kind}, {job_id}): {trouble}: {row}")
    count = sum(len(person.wishes) for person in people)
    return wrong if len(wanted) == count else [*wrong, f"{len(wanted)} different jobs were accepted, not {count}"]


def _trouble(wanted: Wanted, row: Row) -> str:
    words = {"succeeded": "completed", "failed": "failed", "canceled": "cancelled"}
    if row.open_ended:
        return f"{row.open_ended} attempts have no end"
    if row.is_given_up:
        return ""
    if words.get(row.state) not in wanted.ends:
        return f"ended as {row.state}"
    made = row.succeeded + row.reused
    return "" if made == (row.state == "succeeded") else f"has {made} results"


def wrong_pictures(client: httpx.Client, wanted: Wanted, row: Row) -> list[str]:
    """Say so if what its owner gets of a job is not what it asked for."""
    job = client.get(f"/api/jobs/{wanted.job_id}").raise_for_status().json()
    images = job.get("outputs", {}).get("3", {}).get("images", [])
    if row.state != "succeeded":
        is_told = row.state != "failed" or row.is_given_up or f"as told, {wanted.number}" in str(job["execution_error"])
        return [] if is_told else [f"{wanted.name}: does not say why it failed: {job['execution_error']}"]
    if len(images) != 1:
        return [f"{wanted.name}: has {len(images)} pictures"]
    answer = client.get("/api/view", params=images[0], follow_redirects=True)
    return [] if answer.is_success and _is_right(answer.content, wanted) else [f"{wanted.name}: wrong picture"]


def _is_right(content: bytes, wanted: Wanted) -> bool:
    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels = np.asarray(image.convert("RGB"))
    except OSError:
        return False
    color = np.array(wanted.color, dtype=np.uint8)
    if wanted.kind != "reading":
        return bool((pixels == color).all())
    # As ComfyUI does it, what was inverted is cut off, not rounded: it may be one less.
    less = 255 - np.asarray(noise(len(wanted.name.partition("-")[0]))).astype(int) - pixels
    return bool((pixels[:16, :16] == color).all() and (less[16:] >= 0).all() and (less[16:] <= 1).all())


def wrong_counters(fleet: Fleet, people: Sequence[Person], jobs: Mapping[str, Row]) -> list[str]:
    """Name what was counted wrong: listings, what was used, and the counters behind both."""
    wrong: list[str] = []
    for person in people:
        listed = _total(person.clients[0].get("/api/jobs", params={"limit": 1}))
        if listed != len(person.wishes):
            wrong.append(f"{person.name} has {listed} jobs in the listing, not {len(person.wishes)}")
        mine = [jobs[one.job_id] for one in person.wishes if one.job_id in jobs]
        done = _total(person.clients[0].get("/api/jobs", params={"limit": 1, "status": "completed"}))
        if done != sum(row.state == "succeeded" for row in mine):
            wrong.append(f"{person.name} has {done} jobs that are done in the listing")
    counted = fleet.servers[0].admin("POST", "/admin/api/counters")["wrong"]
    return wrong + [f"{count} counters of {name} were wrong" for name, count in counted.items() if count]


def _total(answer: httpx.Response) -> int:
    return int(answer.raise_for_status().json()["pagination"]["total"])


def left_behind(folder: Path) -> list[str]:
    """Name what a fleet that has stopped should not have left: processes, files of runs, halves of files."""
    found = [f"process {line}" for line in naming(str(folder)) if "postgres" not in line and "nats" not in line]
    patterns = ("**/scratch/jobs/**/*", *(f"**/runtime/{name}/**/*" for name in ("input", "output", "temp", "left")))
    found += [f"file {path}" for pattern in patterns for path in folder.glob(pattern) if path.is_file()]
    return found + [f"half a file {path}" for path in folder.glob("**/blobs/unfinished/*")]
