"""The client: submit, upload, watch, list, download, cancel, over the Cloud API every other client uses."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from fireside.client.admin import Admin
from fireside.client.answers import (
    CancelAnswer,
    ConvertAnswer,
    GraphAnswer,
    JobAnswer,
    JobsPage,
    NamedJobAnswer,
    SavedWorkflowAnswer,
    SubmitAnswer,
    UploadAnswer,
    output_files,
)
from fireside.client.connection import Address, Connection, json_body
from fireside.client.download import save_file
from fireside.client.errors import ClientError, NotReachable
from fireside.client.live import LiveMessages
from fireside.client.models import Models
from fireside.client.progress import Progress, ProgressReader
from fireside.wire.queues import MovedJobBody, MoveJobBody, PauseBody, PauseQueueBody, QueueStateBody, ResumedBody

_POLL_SECONDS = 1.0
_CHECK_SECONDS = 5.0
_AWAY_SECONDS = 60.0
_WORKFLOWS = "/api/v2/fireside/workflows"


class FiresideClient:
    """Talks to one server as one user."""

    def __init__(self, address: Address) -> None:
        self._connection = Connection(address)
        self.address = address
        self.admin = Admin(self._connection)
        self.models = Models(self._connection)

    async def __aenter__(self) -> Self:
        await self._connection.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.__aexit__(kind, error, trace)

    async def submit(self, graph: Mapping[str, Any], *, extra_data: Mapping[str, Any] | None = None) -> SubmitAnswer:
        """Queue a workflow in API format."""
        body = {"prompt": graph, "extra_data": extra_data or {}}
        return await self._connection.ask("POST", "/api/prompt", SubmitAnswer, json=body)

    async def convert(self, workflow: Mapping[str, Any]) -> ConvertAnswer:
        """Convert a workflow that the editor saved, with the nodes that the server knows."""
        return await self._connection.ask("POST", "/api/workflows/convert", ConvertAnswer, json=workflow)

    async def saved_workflow(self, name: str) -> SavedWorkflowAnswer:
        """Read what a workflow takes that is saved on the server."""
        return await self._connection.ask("GET", f"{_WORKFLOWS}/{_segment(name)}", SavedWorkflowAnswer)

    async def run_saved(self, name: str, inputs: Mapping[str, Any]) -> str:
        """Queue a saved workflow with values for its named inputs; what comes back is the job's id."""
        path = f"{_WORKFLOWS}/{_segment(name)}/jobs"
        return (await self._connection.ask("POST", path, NamedJobAnswer, json=dict(inputs))).id

    async def graph_of_job(self, job_id: str) -> dict[str, Any]:
        """Read the graph that a job runs."""
        path = f"/api/v2/jobs/{_segment(job_id)}/workflow"
        return (await self._connection.ask("GET", path, GraphAnswer)).workflow

    async def upload_file(self, path: Path) -> str:
        """Store a file among the caller's inputs; what comes back is how a loader node names it."""
        try:
            with path.open("rb") as file:
                answer = await self._connection.ask(
                    "POST", "/api/upload/image", UploadAnswer, files={"image": (path.name, file)}
                )
        except OSError as error:
            raise ClientError(f"cannot read {path}: {error.strerror or error}") from error
        return answer.value

    async def jobs_page(self, *, status: Sequence[str] = (), limit: int = 100, after: str = "") -> JobsPage:
        """Read one page of the caller's jobs, newest first; `after` is the `next_cursor` of the page before."""
        parameters: dict[str, str | int] = {"limit": limit}
        if status:
            parameters["status"] = ",".join(status)
        if after:
            parameters["after"] = after
        return await self._connection.ask("GET", "/api/jobs", JobsPage, params=parameters)

    async def jobs_body(self) -> bytes:
        """Read the first page as the bytes the server sent."""
        return await self._connection.send("GET", "/api/jobs")

    async def job(self, job_id: str) -> JobAnswer:
        """Read one job in full."""
        return await self._connection.ask("GET", f"/api/jobs/{_segment(job_id)}", JobAnswer)

    async def cancel(self, job_id: str) -> bool:
        """Cancel a job; False when it was over or canceled already."""
        answer = await self._connection.ask("POST", f"/api/jobs/{_segment(job_id)}/cancel", CancelAnswer)
        return answer.cancelled

    async def move(self, job_id: str, move: MoveJobBody) -> MovedJobBody:
        """Put a job that waits at another place of the caller's queue."""
        return await self._connection.ask("POST", f"/api/jobs/{_segment(job_id)}/move", MovedJobBody, **json_body(move))

    async def queue_state(self) -> QueueStateBody:
        """Say how many of the caller's jobs wait and run, and what pauses the queue."""
        return await self._connection.ask("GET", "/api/queue/state", QueueStateBody)

    async def pause_queue(self, reason: str = "") -> PauseBody:
        """Have nothing of the caller's queue handed out."""
        body = json_body(PauseQueueBody(reason=reason))
        return await self._connection.ask("POST", "/api/queue/pause", PauseBody, **body)

    async def resume_queue(self) -> ResumedBody:
        """End the caller's own pause."""
        return await self._connection.ask("POST", "/api/queue/resume", ResumedBody)

    async def wait(self, job_id: str, on_progress: Callable[[Progress], None] = lambda _: None) -> JobAnswer:
        """Wait for a job's end, telling how far it is meanwhile.

        The websocket only makes this quicker and livelier; without it the job is asked for every second. A server
        that is away for less than a minute, for a restart say, is waited for.
        """
        reader = ProgressReader(job_id)
        async with LiveMessages(self.address) as live:
            job = await self.job(job_id)
            while not job.has_ended:
                if (model := job.fetched) is not None:
                    share = 100 * model.done_bytes // max(1, model.size_bytes)
                    on_progress(Progress(fetching=f"fetching {model.model} {share} %"))
                # No message tells of a model on its way.
                pause = _CHECK_SECONDS if live.is_open and model is None else _POLL_SECONDS
                await _follow(live, reader, on_progress, pause)
                job = await self._job_when_reachable(job_id)
        return job

    async def download_outputs(self, job: JobAnswer, folder: Path) -> list[Path]:
        """Save the files of a job in the folder and say where they are."""
        return [await save_file(self._connection, file, folder) for file in output_files(job)]

    async def _job_when_reachable(self, job_id: str) -> JobAnswer:
        give_up_at = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                return await self.job(job_id)
            except NotReachable:
                if time.monotonic() > give_up_at:
                    raise
                await asyncio.sleep(_POLL_SECONDS)


async def _follow(
    live: LiveMessages, reader: ProgressReader, on_progress: Callable[[Progress], None], seconds: float
) -> None:
    """Take in messages until the job seems over or the time has come to ask for it."""
    try:
        async with asyncio.timeout(seconds):
            while not reader.has_ended:
                if reader.read(await live.next()):
                    on_progress(reader.progress)
    except TimeoutError:
        return
    # The end was told; should the job not say so yet, do not ask without pause.
    reader.has_ended = False


def _segment(text: str) -> str:
    return quote(text, safe="")
