"""`fireside run`: submit a workflow, watch it, save what it makes."""

import asyncio
import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from fireside.cli.connecting import Where, open_client
from fireside.cli.errors import FAILED, INTERRUPTED, USAGE, CommandFailed
from fireside.cli.named_runs import is_file, start_named
from fireside.cli.printing import give, plain, say
from fireside.cli.workflows import Graph, InputPlace, parse_change, read_workflow, set_input, value_of_text
from fireside.client.answers import JobAnswer, output_files
from fireside.client.client import FiresideClient
from fireside.client.errors import ClientError
from fireside.client.progress import Progress


async def run(
    workflow: Annotated[
        str,
        Parameter(
            help="A workflow's file, in API format or as the editor saves it, or the name of one saved on the server."
        ),
    ],
    /,
    *,
    set_: Annotated[
        tuple[str, ...], Parameter(name="--set", negative=(), help="NODE.INPUT=VALUE: change an input.")
    ] = (),
    input_: Annotated[
        tuple[str, ...],
        Parameter(
            name="--input",
            negative=(),
            help="NODE.INPUT=FILE: upload a file and use it there. Of a saved workflow: NAME=VALUE.",
        ),
    ] = (),
    out: Annotated[Path, Parameter(help="Folder to save the results in.")] = Path(),
    where: Where | None = None,
) -> int:
    """Run a workflow and save its results."""
    if not is_file(workflow):
        if set_:
            raise CommandFailed(f"{workflow!r} is no file here; a saved workflow takes --input NAME=VALUE alone", USAGE)
        async with open_client(where) as client:
            job_id = await start_named(client, workflow, input_)
            job = await watch_job(client, job_id, await client.graph_of_job(job_id))
            return await conclude(client, job, out)
    file = read_workflow(Path(workflow))
    if not file.is_editor_format:
        # A mistake is told before anybody is asked.
        _changed(file.content, set_, input_)
    async with open_client(where) as client:
        graph = await _convert(client, file.content) if file.is_editor_format else file.content
        for place, path in _changed(graph, set_, input_):
            set_input(graph, place, await client.upload_file(path))
        # What the editor makes of a picture again is the workflow, not the graph.
        extra_data = {"extra_pnginfo": {"workflow": file.content}} if file.is_editor_format else None
        job = await run_graph(client, graph, extra_data)
        return await conclude(client, job, out)


async def run_graph(client: FiresideClient, graph: Graph, extra_data: Mapping[str, Any] | None = None) -> JobAnswer:
    """Submit a workflow and show how far it is until it ends; Ctrl-C cancels it."""
    submitted = await client.submit(graph, extra_data=extra_data)
    say(f"job {submitted.prompt_id}")
    for node_id in submitted.node_errors:
        say(f"node {node_id} has errors: what depends on it is left out")
    return await watch_job(client, submitted.prompt_id, graph)


async def watch_job(client: FiresideClient, job_id: str, graph: Graph) -> JobAnswer:
    """Show how far a job is until it ends; Ctrl-C cancels it."""
    with _bar(graph) as bar:
        waiting = asyncio.create_task(client.wait(job_id, bar.show))
        with _interrupts(client, job_id, waiting):
            job = await waiting
        bar.finish(job)
    return job


async def conclude(client: FiresideClient, job: JobAnswer, out: Path) -> int:
    """Save the files of a job that completed and print where they are; the exit code says how it ended."""
    if job.status == "completed":
        for path in await client.download_outputs(job, out):
            give(str(path))
        if not output_files(job):
            say("the workflow saved no file")
        return 0
    reason = f": {plain(str(job.execution_error))}" if job.execution_error else ""
    say(f"fireside: the job {'failed' if job.status == 'failed' else 'was canceled'}{reason}")
    return FAILED


async def _convert(client: FiresideClient, workflow: Graph) -> Graph:
    converted = await client.convert(workflow)
    say(f"converted the editor's workflow into a graph of {len(converted.prompt)} nodes")
    for warning in converted.warnings:
        say(f"node {plain(warning.node_id)}: {plain(warning.message)}")
    return converted.prompt


def _changed(graph: Graph, values: Sequence[str], files: Sequence[str]) -> list[tuple[InputPlace, Path]]:
    """Set the inputs that values were given for, and give those that are to be files."""
    for text in values:
        place, value = parse_change(graph, text)
        set_input(graph, place, value_of_text(value))
    places = [(place, Path(file)) for place, file in (parse_change(graph, text) for text in files)]
    for _, path in places:
        if not path.is_file():
            raise CommandFailed(f"there is no file {path}", USAGE)
    return places


class _Bar:
    """One bar for the nodes of a workflow, with the steps of the node that runs."""

    def __init__(self, bars: Bars, task: TaskID, graph: Graph) -> None:
        self._bars = bars
        self._task = task
        self._graph = graph

    def show(self, progress: Progress) -> None:
        name = progress.fetching or self._name(progress.node_id)
        steps = f" {progress.step:g}/{progress.steps:g}" if progress.steps > 1 else ""
        self._bars.update(self._task, completed=progress.finished_nodes, description=escape(plain(f"{name}{steps}")))

    def finish(self, job: JobAnswer) -> None:
        if job.status == "completed":
            self._bars.update(self._task, completed=len(self._graph))
        self._bars.update(self._task, description=job.status)

    def _name(self, node_id: str | None) -> str:
        if node_id is None:
            return "starting"
        # A node inside an expanded one is called after it, with its own number behind a dot.
        node = self._graph.get(node_id) or self._graph.get(node_id.split(".")[0])
        return str(node["class_type"]) if node else node_id


@contextmanager
def _bar(graph: Graph) -> Generator[_Bar]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("nodes"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield _Bar(bars, bars.add_task("waiting", total=len(graph)), graph)


@contextmanager
def _interrupts(client: FiresideClient, job_id: str, waiting: "asyncio.Task[JobAnswer]") -> Generator[None]:
    """On the first Ctrl-C cancel the job and wait for its end; on the second do not wait."""
    loop = asyncio.get_running_loop()
    canceling: list[asyncio.Task[None]] = []

    def interrupted() -> None:
        if canceling:
            waiting.cancel()
            return
        say("canceling the job; Ctrl-C again to not wait for its end")
        canceling.append(asyncio.create_task(_cancel(client, job_id)))

    loop.add_signal_handler(signal.SIGINT, interrupted)
    try:
        yield
    except asyncio.CancelledError as error:
        if not canceling:
            raise
        raise CommandFailed(f"job {job_id} was told to stop", INTERRUPTED) from error
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _cancel(client: FiresideClient, job_id: str) -> None:
    try:
        await client.cancel(job_id)
    except ClientError as error:
        say(f"the job could not be canceled: {plain(error.message)}")
