"""What the server adds to the work itself: jobs from submit to end, against the same graphs on the runtime alone.

    python -m bench.end_to_end [--jobs N] [--rounds N] [--folder DIR]

The plain way starts `BuiltinRuntime` in this process and runs one graph after the other, keeping nothing. The server's
one worker does the same graphs from its queue, with everything: fetched, run, told live, uploaded, recorded, listed.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

import uvloop
from bench.calling import Caller, Watcher, calling, watching
from bench.measuring import best_of, ms, parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from bench.workflows import Graph, photo, small, submit_body

from fireside.runtimes.base import Finished, RunEvent, Task
from fireside.runtimes.builtin.runtime import BuiltinRuntime

SHORT = ("--jobs=40", "--rounds=2")
GRAPHS: dict[str, Callable[[], Graph]] = {"64 x 64": small, "photograph": photo}


async def measure(server: Server, folder: Path, jobs: int, rounds: int) -> None:
    """Do all ways in turns for each kind of graph, and print what a job takes."""
    folder.mkdir()
    runtime = BuiltinRuntime(folder)
    await runtime.start()
    try:
        async with calling(server) as (caller,), watching(server) as watcher:
            for name, make in GRAPHS.items():
                best = await best_of(
                    rounds,
                    {
                        "runtime alone": lambda make=make: _run_alone(runtime, folder, make, jobs),
                        "one job after the other": lambda make=make: _run_singly(caller, watcher, make, jobs),
                        "all in the queue at once": lambda make=make: _run_queued(caller, watcher, make, jobs),
                    },
                )
                _print(name, best, jobs)
    finally:
        await runtime.stop()


async def _run_alone(runtime: BuiltinRuntime, folder: Path, make: Callable[[], Graph], jobs: int) -> None:
    for _ in range(jobs):
        scratch = folder / uuid4().hex
        scratch.mkdir()
        graph = make()
        task = Task(
            task_id=scratch.name,
            graph=graph,
            outputs=(max(graph, key=int),),
            inputs={},
            extra_data={},
            folder=scratch,
        )
        last: RunEvent | None = None
        async for event in runtime.run(task):
            last = event
        assert isinstance(last, Finished), last
        shutil.rmtree(scratch)


async def _run_singly(caller: Caller, watcher: Watcher, make: Callable[[], Graph], jobs: int) -> None:
    for _ in range(jobs):
        await watcher.until("execution_success", await caller.submit(submit_body(make())))


async def _run_queued(caller: Caller, watcher: Watcher, make: Callable[[], Graph], jobs: int) -> None:
    waiting = {await caller.submit(submit_body(make())) for _ in range(jobs)}
    while waiting:
        message = await watcher.next()
        if message.kind == "execution_success":
            waiting.discard(message.data["prompt_id"])


def _print(name: str, best: dict[str, float], jobs: int) -> None:
    alone = best["runtime alone"]
    rows = [
        (way, ms(seconds / jobs), f"{jobs / seconds:,.0f}", ms((seconds - alone) / jobs), ratio(seconds, alone))
        for way, seconds in best.items()
    ]
    print_table(f"end to end, {name}", ("ms a job", "per second", "ms added", "x alone"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("end_to_end", __doc__)
    parser.add_argument("--jobs", type=int, default=200, help="jobs of each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder, running_server(folder / "data") as server:
        uvloop.run(measure(server, folder / "alone", options.jobs, options.rounds))


if __name__ == "__main__":
    main()
