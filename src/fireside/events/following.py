"""What of all that is told of a user's jobs is news, and who is believed.

Facts and frames come from several processes: twice, late, or from a worker that has lost the job. Every fact has a
place in its job's life, the fence first and then the order of things under one fence; every frame has its lease and
sequence. What does not lead beyond the place that is reached already is dropped. It does no I/O.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import Enum

from fireside.domain.ids import JobId, WorkerId
from fireside.events.heard import Heard
from fireside.wire.live import (
    CachedFrame,
    Fact,
    Frame,
    JobAssigned,
    JobCanceling,
    JobEnded,
    JobQueued,
    JobStarted,
    NodeFrame,
    NodeStateBody,
    OutputAdded,
    PreviewFrame,
    ProgressFrame,
    StateFrame,
    TextFrame,
)

_ENDED_REMEMBERED = 1000
# A lease that is given back leaves its fence in place, so under one fence the queue comes after the run.
_ORDER: dict[type[Fact], int] = {
    JobAssigned: 0,
    JobStarted: 1,
    JobCanceling: 2,
    JobQueued: 3,
    JobEnded: 4,
}

_Place = tuple[int, int]


class Verdict(Enum):
    """What a frame is worth."""

    NEWS = "news"
    OLD = "old"
    UNSURE = "unsure"
    """It may be from a new holder of the job: the store knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a run is, as its worker has told so far."""

    cached: tuple[str, ...] = ()
    nodes: tuple[NodeStateBody, ...] = ()
    node_id: str | None = None
    preview: tuple[PreviewFrame, bytes] | None = None


@dataclass(slots=True, kw_only=True)
class _Run:
    """What is known of a run under its lease."""

    started: JobStarted
    outputs: dict[str, OutputAdded] = field(default_factory=dict[str, OutputAdded])
    sequence: int = 0
    cached: CachedFrame | None = None
    node: NodeFrame | None = None
    state: StateFrame | None = None
    preview: tuple[PreviewFrame, bytes] | None = None

    def take(self, frame: Frame, picture: bytes) -> bool:
        """Keep where the run stands; whether the frame says anything new."""
        match frame:
            case CachedFrame():
                is_news, self.cached = self.cached is None, self.cached or frame
            case NodeFrame():
                is_news = self.node is None or self.node.node_id != frame.node_id
                self.node = frame
            case StateFrame():
                is_news, self.state = True, frame
            case PreviewFrame():
                is_news, self.preview = True, (frame, picture)
            case ProgressFrame() | TextFrame():
                is_news = True
        return is_news

    def standing(self) -> Iterator[Fact | Frame]:
        """Tell the run so far, as somebody who comes now would have to hear it."""
        yield self.started
        if self.cached is not None:
            yield self.cached
        yield from self.outputs.values()
        if self.state is not None:
            yield self.state
        if self.node is not None:
            yield self.node


@dataclass(slots=True, kw_only=True)
class _Life:
    """How far a job is."""

    place: _Place
    run: _Run | None


class Following:
    """The open jobs of one user, as far as they were heard of."""

    def __init__(self) -> None:
        self._open: dict[JobId, _Life] = {}
        self._ended: dict[JobId, None] = {}

    def is_news(self, fact: Fact) -> bool:
        """Say whether the fact leads beyond what is known."""
        job_id = JobId(fact.job_id)
        if job_id in self._ended:
            return False
        life = self._open.get(job_id)
        if isinstance(fact, JobCanceling):
            # Without its run, which has to be learned first, there would be nobody to believe.
            return life is not None and life.run is not None and _place_of(fact) > life.place
        if isinstance(fact, OutputAdded):
            # One that comes without its run is told with the job's end at the latest.
            run = life.run if life is not None else None
            return run is not None and run.started.fence == fact.fence and fact.node_id not in run.outputs
        return life is None or _place_of(fact) > life.place

    def take_fact(self, fact: Fact) -> bool:
        """Believe the fact if it is news; whether it was."""
        if not self.is_news(fact):
            return False
        job_id = JobId(fact.job_id)
        if isinstance(fact, JobEnded):
            self.forget(job_id)
            return True
        life = self._open.get(job_id)
        if isinstance(fact, OutputAdded):
            assert life is not None
            assert life.run is not None
            life.run.outputs[fact.node_id] = fact
            return True
        run = _Run(started=fact) if isinstance(fact, JobStarted) else None
        if isinstance(fact, JobCanceling) and life is not None:
            run = life.run
        self._open[job_id] = _Life(place=_place_of(fact), run=run)
        return True

    def take_frame(self, job_id: JobId, worker_id: WorkerId, frame: Frame, picture: bytes = b"") -> Verdict:
        """Believe the frame if it is from the job's holder, and new."""
        if job_id in self._ended:
            return Verdict.OLD
        life = self._open.get(job_id)
        if life is None:
            return Verdict.UNSURE
        if frame.fence < life.place[0]:
            return Verdict.OLD
        run = life.run
        if run is None or frame.fence > run.started.fence:
            return Verdict.UNSURE
        if worker_id != run.started.worker_id or frame.sequence <= run.sequence:
            return Verdict.OLD
        run.sequence = frame.sequence
        return Verdict.NEWS if run.take(frame, picture) else Verdict.OLD

    def forget(self, job_id: JobId) -> None:
        """Hear nothing more of a job that is over."""
        self._open.pop(job_id, None)
        self._ended[job_id] = None
        if len(self._ended) > _ENDED_REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def is_open(self, job_id: JobId) -> bool:
        """Say whether the job was heard of and has not ended since."""
        return job_id in self._open

    def shown(self, job_id: JobId) -> Collection[str]:
        """Name the nodes of the job's run whose outputs were told."""
        life = self._open.get(job_id)
        return life.run.outputs.keys() if life is not None and life.run is not None else ()

    def standing(self) -> list[Heard]:
        """Tell of every run so far, for somebody who comes now."""
        runs = ((job_id, life.run) for job_id, life in self._open.items() if life.run is not None)
        return [_heard(job_id, told) for job_id, run in runs for told in run.standing()]

    def standing_of(self, job_id: JobId) -> Standing | None:
        """Say how far the job's run is; None for a job that does not run, as far as is known."""
        life = self._open.get(job_id)
        if life is None or life.run is None:
            return None
        run = life.run
        return Standing(
            cached=run.cached.nodes if run.cached else (),
            nodes=run.state.nodes if run.state else (),
            node_id=run.node.node_id if run.node else None,
            preview=run.preview,
        )

    def running(self) -> list[JobId]:
        """Name the jobs that run, as far as is known."""
        return [job_id for job_id, life in self._open.items() if life.run is not None]

    def waiting(self) -> list[JobId]:
        """Name the open jobs that do not run, as far as is known."""
        return [job_id for job_id, life in self._open.items() if life.run is None]


def _place_of(fact: Fact) -> _Place:
    return fact.fence, _ORDER[type(fact)]


def _heard(job_id: JobId, told: Fact | Frame) -> Heard:
    if isinstance(told, Fact):
        return Heard(job_id=job_id, fact=told)
    return Heard(job_id=job_id, frame=told)
