"""How soon a cancel works: of a job that waits, and of one that runs.

    python -m bench.cancel [--samples N] [--folder DIR]

A waiting job's cancel must answer, and show in `GET /api/jobs`, within 50 ms; a running one must stop within a step of
its node. Beside it stands `GET /healthz` in turns, once for each request that is made. Ends with 1 when the middle of
the samples is later than that.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import uvloop
from bench.calling import Caller, Watcher, calling, watching
from bench.measuring import high, middle, ms, parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from bench.workflows import sleep, small, submit_body

SHORT = ("--samples=15",)
MAX_VISIBLE_SECONDS = 0.05
STEP_SECONDS = 0.2
_STEPS = 10_000
_ALIVE = "GET /healthz"


@dataclass(slots=True)
class Spans:
    """What the samples took, in seconds; `steps` are those a run went on for after its cancel was sent."""

    alive: list[float] = field(default_factory=list[float])
    answered: list[float] = field(default_factory=list[float])
    visible: list[float] = field(default_factory=list[float])
    running_answered: list[float] = field(default_factory=list[float])
    stopped: list[float] = field(default_factory=list[float])
    steps: list[float] = field(default_factory=list[float])


async def measure(server: Server, samples: int) -> Spans:
    """Cancel jobs of both kinds, in turns."""
    spans = Spans()
    async with calling(server) as (caller,), watching(server) as watcher:
        for _ in range(samples):
            running = await caller.submit(submit_body(sleep(STEP_SECONDS * _STEPS, _STEPS)))
            await watcher.until("progress", running)
            await _ask(caller, spans)
            await _cancel_waiting(caller, spans)
            await _cancel_running(caller, watcher, running, spans)
    return spans


async def _ask(caller: Caller, spans: Spans) -> None:
    begun = time.perf_counter()
    await caller.get("/healthz")
    spans.alive.append(time.perf_counter() - begun)


async def _cancel_waiting(caller: Caller, spans: Spans) -> None:
    job_id = await caller.submit(submit_body(small()))
    begun = time.perf_counter()
    await caller.post(f"/api/jobs/{job_id}/cancel")
    spans.answered.append(time.perf_counter() - begun)
    listed = msgspec.json.decode(await caller.get("/api/jobs?limit=1"))["jobs"][0]
    spans.visible.append(time.perf_counter() - begun)
    assert (listed["id"], listed["status"]) == (job_id, "cancelled"), listed


async def _cancel_running(caller: Caller, watcher: Watcher, job_id: str, spans: Spans) -> None:
    known = len(watcher.frames)
    begun = time.perf_counter()
    await caller.post(f"/api/jobs/{job_id}/cancel")
    spans.running_answered.append(time.perf_counter() - begun)
    spans.stopped.append((await watcher.until("execution_interrupted", job_id)).at - begun)
    later = (text for at, text in watcher.frames[known:] if at > begun and isinstance(text, str))
    spans.steps.append(sum('"progress"' in text[:30] for text in later))


def _print(spans: Spans) -> None:
    alive = middle(spans.alive)
    rows = [
        (name, ms(middle(taken)), ms(high(taken)), ratio(middle(taken), alive * requests))
        for name, taken, requests in (
            (_ALIVE, spans.alive, 1),
            ("waiting: answered", spans.answered, 1),
            ("waiting: visible in GET /api/jobs", spans.visible, 2),
            ("running: answered", spans.running_answered, 1),
            ("running: stopped, as its socket hears", spans.stopped, 1),
        )
    ]
    print_table(f"cancel (steps of {ms(STEP_SECONDS)} ms)", ("median ms", "95 % ms", "x healthz"), rows)
    print(f"steps told after the cancel was sent: at most {max(spans.steps):.0f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and say when a limit was passed."""
    parser = parser_of("cancel", __doc__)
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder, running_server(folder / "data") as server:
        spans = uvloop.run(measure(server, options.samples))
    _print(spans)
    if middle(spans.visible) > MAX_VISIBLE_SECONDS:
        sys.exit("a waiting job's cancel was visible later than it may be")
    if middle(spans.stopped) > STEP_SECONDS:
        sys.exit("a running job went on for longer than a step")


if __name__ == "__main__":
    main()
