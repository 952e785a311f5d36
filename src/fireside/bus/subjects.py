"""The names of what travels on the bus, and who is named in them.

A worker may publish on its own three subjects only and hears only `work.<self>`; the bus enforces it (`authority`).
"""

import re
from uuid import UUID

from fireside.domain.ids import JobId, UserId, WorkerId

_TASKS = "tasks"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def presence(worker_id: WorkerId) -> str:
    """Where a worker says that it is there."""
    return f"presence.{_token(worker_id)}"


def all_presences() -> str:
    """Where all workers say that they are there."""
    return "presence.*"


def reports(worker_id: WorkerId) -> str:
    """Where a worker reports on the jobs it holds; requests."""
    return f"reports.{_token(worker_id)}"


def all_reports() -> str:
    """Where all workers report."""
    return "reports.*"


def work(worker_id: WorkerId) -> str:
    """Where a worker is asked to do something; requests."""
    return f"work.{_token(worker_id)}"


def live(user_id: UserId, job_id: JobId, worker_id: WorkerId) -> str:
    """Where live events of a job travel; the last token says who tells them."""
    return f"live.{user_id}.{job_id}.{_token(worker_id)}"


def live_of_user(user_id: UserId) -> str:
    """Where live events of all jobs of a user travel."""
    return f"live.{user_id}.>"


def live_tasks(user_id: UserId, teller: WorkerId) -> str:
    """Where the progress of a user's tasks travels."""
    return f"live.{user_id}.{_TASKS}.{_token(teller)}"


def is_of_tasks(subject: str) -> bool:
    """Whether a live subject is that of tasks, not of a job."""
    return subject.split(".")[2] == _TASKS


def dispatch_wake() -> str:
    """Where the leader is told that there may be something to hand out."""
    return "dispatch.wake"


def fleet_changed() -> str:
    """Where all servers are told that workers were let in, sent away, or may take jobs or not."""
    return "fleet.changed"


def fleet_figures() -> str:
    """Where the leader tells all servers how many workers each pool should have."""
    return "fleet.figures"


def launchers_of_pools() -> str:
    """Where servers tell each other what launchers have said."""
    return "fleet.launchers"


def rate_counts() -> str:
    """Where servers tell each other how often callers have asked."""
    return "fleet.rates"


def worker_of(subject: str) -> WorkerId:
    """Say which worker a subject names, always in its last token."""
    return WorkerId(subject.rpartition(".")[2])


def job_of_live(subject: str) -> JobId:
    """Say which job a live subject names; ValueError when it is none."""
    return JobId(UUID(subject.split(".")[2]))


def _token(name: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a token of a subject")
    return name
