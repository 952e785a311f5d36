"""The pages of a user's jobs that `bench.listing` asks for: each as the store, HTTP and plain SQL are asked for it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from bench.histories import WORKFLOWS

from fireside.domain.jobs import JobState
from fireside.domain.listing import ALL_STATES, JobFilter, JobSort, Window
from fireside.domain.outputs import Media
from fireside.store.classes import classes_of

LIMIT = 100
LAST = -1
_STATES = {
    "pending": {JobState.QUEUED, JobState.ASSIGNED},
    "in_progress": {JobState.RUNNING, JobState.CANCELING},
    "completed": {JobState.SUCCEEDED},
    "failed": {JobState.FAILED, JobState.EXPIRED},
    "cancelled": {JobState.CANCELED},
}
_MEDIA = {"": Media.NONE, "image": Media.IMAGE, "video": Media.VIDEO, "audio": Media.AUDIO}
_BUSY, _QUIET = WORKFLOWS[0], WORKFLOWS[300]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page; its offset is `skip`, but never behind the last page, which `LAST` always is."""

    name: str
    skip: int = 0
    status: str = ""
    workflow: str = ""
    media: str = ""
    by_run: bool = False
    ascending: bool = False

    @property
    def wanted(self) -> JobFilter:
        """Say which jobs, as the store is asked."""
        words = self.status.split(",") if self.status else []
        states = frozenset[JobState]().union(*(_STATES[word] for word in words)) if words else ALL_STATES
        return JobFilter(states=states, workflow_id=self.workflow or None, media=_MEDIA[self.media])

    def offset(self, total: int) -> int:
        """Say where the page begins when so many match."""
        last = max(0, total - LIMIT)
        return last if self.skip == LAST else min(self.skip, last)

    def window(self, total: int) -> Window:
        """Say which part, as the store is asked."""
        sort = JobSort.RUN_TIME if self.by_run else JobSort.CREATE_TIME
        return Window(sort=sort, descending=not self.ascending, offset=self.offset(total), limit=LIMIT)

    def path(self, total: int) -> str:
        """Say it in a request."""
        given = {"status": self.status, "workflow_id": self.workflow, "output_type": self.media}
        order = {
            "sort_by": "execution_time" if self.by_run else "create_time",
            "sort_order": "asc" if self.ascending else "desc",
        }
        window = {"limit": LIMIT, "offset": self.offset(total)}
        return "/api/jobs?" + urlencode({name: value for name, value in (given | order | window).items() if value})

    def where(self, user_id: int) -> str:
        """Say which jobs in SQL that both databases know."""
        condition = f"user_id = {user_id:d}"
        if self.status or self.media:
            condition += f" AND class IN ({', '.join(map(str, classes_of(self.wanted.states, self.wanted.media)))})"
        return condition + (f" AND workflow_id = '{self.workflow}'" if self.workflow else "")

    @property
    def order(self) -> str:
        """Say the order in SQL."""
        way = "ASC" if self.ascending else "DESC"
        return f"run_us {way}, pk {way}" if self.by_run else f"pk {way}"


PAGES: tuple[Page, ...] = (
    Page(name="all"),
    Page(name="all, at 10 k", skip=10_000),
    Page(name="all, at 1 M", skip=1_000_000),
    Page(name="all, last", skip=LAST),
    Page(name="all, oldest", ascending=True),
    Page(name="all, oldest, at 1 M", ascending=True, skip=1_000_000),
    Page(name="completed", status="completed"),
    Page(name="completed, at 1 M", status="completed", skip=1_000_000),
    Page(name="completed, last", status="completed", skip=LAST),
    Page(name="failed", status="failed"),
    Page(name="failed, at 10 k", status="failed", skip=10_000),
    Page(name="failed, oldest, last", status="failed", ascending=True, skip=LAST),
    Page(name="cancelled", status="cancelled"),
    Page(name="pending", status="pending"),
    Page(name="pending, at 10 k", status="pending", skip=10_000),
    Page(name="pending, last", status="pending", skip=LAST),
    Page(name="in progress", status="in_progress"),
    Page(name="not ended, oldest, at 10 k", status="pending,in_progress", ascending=True, skip=10_000),
    Page(name="ended, oldest, at 1 M", status="completed,failed,cancelled", ascending=True, skip=1_000_000),
    Page(name="pending and failed, at 10 k", status="pending,failed", skip=10_000),
    Page(name="with an image, at 1 M", media="image", skip=1_000_000),
    Page(name="with a video", media="video"),
    Page(name="with a video, at 1 M", media="video", skip=1_000_000),
    Page(name="with audio, oldest, last", media="audio", ascending=True, skip=LAST),
    Page(name="of a workflow", workflow=_BUSY),
    Page(name="of a workflow, at 10 k", workflow=_BUSY, skip=10_000),
    Page(name="of a workflow, last", workflow=_BUSY, skip=LAST),
    Page(name="of a small workflow, last", workflow=_QUIET, skip=LAST),
    Page(name="of a workflow, failed", workflow=_BUSY, status="failed"),
    Page(name="of a workflow, video, at 10 k", workflow=_BUSY, media="video", skip=10_000),
    Page(name="longest", by_run=True),
    Page(name="longest, at 10 k", by_run=True, skip=10_000),
    Page(name="longest, at 1 M", by_run=True, skip=1_000_000),
    Page(name="longest, last", by_run=True, skip=LAST),
    Page(name="shortest", by_run=True, ascending=True),
    Page(name="shortest, at 1 M", by_run=True, ascending=True, skip=1_000_000),
    Page(name="shortest, last", by_run=True, ascending=True, skip=LAST),
    Page(name="completed, longest, at 1 M", status="completed", by_run=True, skip=1_000_000),
    Page(name="video, longest, at 10 k", media="video", by_run=True, skip=10_000),
    Page(name="failed, shortest, last", status="failed", by_run=True, ascending=True, skip=LAST),
    Page(name="of a workflow, longest", workflow=_BUSY, by_run=True),
    Page(name="of a workflow, longest, last", workflow=_BUSY, by_run=True, skip=LAST),
    Page(name="of a workflow, completed, shortest, at 10 k", workflow=_BUSY, status="completed", by_run=True,
         ascending=True, skip=10_000),
)  # fmt: skip
"""Every filter alone and some together, in both orders of both sorts, on the first page, in depth and at the end."""
