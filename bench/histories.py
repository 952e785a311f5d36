"""Realistic jobs of one user as columns of the production schema, many at a time and the same for the same user.

93 of 100 are completed, 3 failed, 2 cancelled, 2 wait or run: those are a fifth of the newest tenth, as after a large
batch of low priority. 500 workflows (Zipf, exponent 0.8), run times log-normal around 9 seconds, eight mixtures of
kinds of media. Knows no database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from fireside.domain.ids import UserId
from fireside.domain.jobs import JobState
from fireside.domain.outputs import Media
from fireside.store.classes import class_of

COLUMNS = (
    "pk", "id", "user_id", "class", "run_us", "state", "number", "attempt", "fence", "worker_id", "created_at",
    "changed_at", "started_at", "ended_at", "workflow_id", "outputs_count", "previewable_count", "preview", "error",
)  # fmt: skip
WORKFLOWS = tuple(str(uuid5(NAMESPACE_URL, f"https://fireside.invalid/workflow/{number}")) for number in range(500))
"""The ids of the workflows, the most used one first."""

Columns = dict[str, Sequence[Any]]
Whole = NDArray[np.int64]
Truth = NDArray[np.bool_]

CHUNK = 50_000
WORKERS = 64
"""How many workers hold jobs."""
SHARES = {JobState.FAILED: 0.03, JobState.CANCELED: 0.02, JobState.QUEUED: 0.02}
_ACTIVE_WITHIN = 0.1
_NO_WORKFLOW = 0.05
_ENDED_WHILE_WAITING = {JobState.FAILED: 0.2, JobState.CANCELED: 0.5}
_STATES = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.QUEUED, JobState.RUNNING)
_SUCCEEDED, _FAILED, _CANCELED, _QUEUED, _RUNNING = range(5)
_MEDIA = {
    Media.IMAGE: 0.74,
    Media.VIDEO: 0.14,
    Media.AUDIO: 0.05,
    Media.IMAGE | Media.VIDEO: 0.03,
    Media.IMAGE | Media.AUDIO: 0.01,
    Media.VIDEO | Media.AUDIO: 0.01,
    Media.IMAGE | Media.VIDEO | Media.AUDIO: 0.01,
    Media.NONE: 0.01,
}
_FILES = {Media.IMAGE: ("png", "images"), Media.VIDEO: ("mp4", "images"), Media.AUDIO: ("flac", "audio")}
_TYPICAL_RUN_US, _SPREAD = 9_000_000, 1.0
_TYPICAL_WAIT_US = 20_000_000
_ERROR = (
    b'{"node_id":"1","node_type":"EmptyImage","exception_message":"CUDA out of memory. Tried to allocate 2.50 GiB.",'
    b'"exception_type":"torch.OutOfMemoryError","traceback":["  File \\"execution.py\\", line 510, in execute"],'
    b'"current_inputs":{},"current_outputs":{}}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """So many jobs of a user, from a place in create order on, between two times in microseconds.

    At most `running` of them run: there are only so many workers, and a server looks at all jobs that they hold.
    """

    user_id: UserId
    jobs: int
    running: int
    first: int
    begins_at: int
    ends_at: int

    @property
    def pks(self) -> tuple[int, int]:
        """The first and the last primary key."""
        base = self.user_id << 40
        return base + self.first, base + self.first + self.jobs - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a user's share must say of the jobs that were made."""

    queued: int
    held: int
    last_created_at: int


class JobMaker:
    """Makes the jobs of a history; `made` is right from the beginning."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._random = default_rng([history.user_id, history.first])
        self._kinds = _kinds(self._random, history)
        self._created = _created(self._random, history)

    @property
    def made(self) -> Made:
        """Say how many wait, how many are held, and when the newest was created."""
        queued, held = (int(np.count_nonzero(self._kinds == kind)) for kind in (_QUEUED, _RUNNING))
        return Made(queued=queued, held=held, last_created_at=int(self._created[-1]))

    def chunks(self) -> Iterator[Columns]:
        """Give the jobs in create order, some thousands at a time."""
        for begin in range(0, self._history.jobs, CHUNK):
            yield self._chunk(begin, min(begin + CHUNK, self._history.jobs))

    def _chunk(self, begin: int, end: int) -> Columns:
        history, random, rows = self._history, self._random, end - begin
        kinds, created = self._kinds[begin:end], self._created[begin:end]
        places = np.arange(begin, end) + history.first
        states = [_STATES[kind] for kind in map(int, kinds)]
        has_ended, is_held = kinds < _QUEUED, kinds == _RUNNING
        has_begun = _has_begun(random, kinds)
        began = created + _lasting(random, _TYPICAL_WAIT_US, rows)
        run = np.where(has_ended & has_begun, _lasting(random, _TYPICAL_RUN_US, rows), 0)
        media = _media(random, kinds)
        files = np.where(kinds == _SUCCEEDED, _files(random, media), 0).tolist()
        attempts = has_begun.astype(int).tolist()
        return {
            "pk": ((history.user_id << 40) + places).tolist(),
            "id": _ids(random, rows),
            "user_id": [int(history.user_id)] * rows,
            "class": [class_of(state, Media(mask)) for state, mask in zip(states, media.tolist(), strict=True)],
            "run_us": run.tolist(),
            "state": [state.value for state in states],
            "number": places.astype(float).tolist(),
            "attempt": attempts,
            "fence": attempts,
            "worker_id": [f"bench-{row % WORKERS}" if one else None for row, one in enumerate(is_held.tolist())],
            "created_at": created.tolist(),
            "changed_at": np.where(has_ended | is_held, began + run, created).tolist(),
            "started_at": _or_none(began, has_begun),
            "ended_at": _or_none(began + run, has_ended),
            "workflow_id": _workflows(random, rows),
            "outputs_count": files,
            "previewable_count": files,
            "preview": [_preview(mask, place) for mask, place in zip(media.tolist(), places.tolist(), strict=True)],
            "error": [_ERROR if state is JobState.FAILED else None for state in states],
        }


def _kinds(random: Generator, history: History) -> Whole:
    jobs = history.jobs
    counts = {state: round(share * jobs) for state, share in SHARES.items()}
    kinds = np.zeros(jobs, dtype=np.int64)
    kinds[: counts[JobState.FAILED]] = _FAILED
    kinds[counts[JobState.FAILED] : counts[JobState.FAILED] + counts[JobState.CANCELED]] = _CANCELED
    random.shuffle(kinds)
    newest = max(counts[JobState.QUEUED], round(_ACTIVE_WITHIN * jobs))
    # Trading places keeps the other states' shares exact.
    active = np.sort(random.choice(newest, counts[JobState.QUEUED], replace=False)) + jobs - newest
    displaced = kinds[active]
    kinds[active] = _QUEUED
    kinds[active[: min(history.running, len(active) // 10)]] = _RUNNING
    completed = np.flatnonzero(kinds == _SUCCEEDED)
    lost = displaced[displaced != _SUCCEEDED]
    kinds[random.choice(completed, len(lost), replace=False)] = lost
    return kinds


def _created(random: Generator, history: History) -> Whole:
    """Give strictly rising times, at random distances."""
    gaps = random.exponential(size=history.jobs)
    room = max(0, history.ends_at - history.begins_at - history.jobs)
    return history.begins_at + np.cumsum((gaps * (room / gaps.sum())).astype(np.int64) + 1)


def _has_begun(random: Generator, kinds: Whole) -> Truth:
    chance = random.random(len(kinds))
    gave_up = np.zeros(len(kinds), dtype=np.bool_)
    for kind in (_FAILED, _CANCELED):
        gave_up |= (kinds == kind) & (chance < _ENDED_WHILE_WAITING[_STATES[kind]])
    return (kinds != _QUEUED) & ~gave_up


def _lasting(random: Generator, typical_us: int, rows: int) -> Whole:
    return random.lognormal(np.log(typical_us), _SPREAD, rows).astype(np.int64) + 1


def _media(random: Generator, kinds: Whole) -> Whole:
    masks = np.array([media.value for media in _MEDIA])
    return np.where(kinds == _SUCCEEDED, random.choice(masks, len(kinds), p=list(_MEDIA.values())), 0)


def _files(random: Generator, media: Whole) -> Whole:
    """Give one file of each kind, and now and then a batch."""
    kinds = (media & 1) + (media >> 1 & 1) + (media >> 2 & 1)
    return kinds * np.where(random.random(len(media)) < 0.1, 4, 1)


def _ids(random: Generator, rows: int) -> list[bytes]:
    digits = np.frombuffer(random.bytes(16 * rows), dtype=np.uint8).reshape(rows, 16).copy()
    digits[:, 6] = digits[:, 6] & 0x0F | 0x40
    digits[:, 8] = digits[:, 8] & 0x3F | 0x80
    joined = digits.tobytes()
    return [joined[begin : begin + 16] for begin in range(0, len(joined), 16)]


def _workflows(random: Generator, rows: int) -> list[str | None]:
    weights = 1 / np.arange(1, len(WORKFLOWS) + 1) ** 0.8
    shares = [_NO_WORKFLOW, *(weights / weights.sum() * (1 - _NO_WORKFLOW))]
    names = (None, *WORKFLOWS)
    return [names[number] for number in random.choice(len(names), rows, p=shares).tolist()]


def _preview(mask: int, place: int) -> bytes | None:
    if not mask:
        return None
    ending, key = next(named for media, named in _FILES.items() if mask & media)
    return (
        f'{{"mediaType":"{key}","filename":"ComfyUI_{place:05d}_.{ending}","subfolder":"","type":"output","nodeId":"2"}}'
    ).encode()


def _or_none(values: Whole, there: Truth) -> list[int | None]:
    return [value if is_there else None for value, is_there in zip(values.tolist(), there.tolist(), strict=True)]
