"""How long a job waits that need not wait: from submit to start, and from one job's end to the next one's start.

    python -m bench.dispatch [--samples N] [--waiting N ...] [--folder DIR]

Both are seen from outside, over the websocket. A start is told after three commits (submitted, assigned, started), so
the plain way beside it is three bare inserts, one after the other; and the submit's own answer is part of the wait.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop
from bench.calling import Caller, Watcher, calling, watching
from bench.measuring import high, middle, ms, parser_of, print_table, ratio, seconds_of, work_folder
from bench.servers import Server, running_server
from bench.submit import bare_table, insert_barely
from bench.workflows import sleep, small, submit_body

SHORT = ("--samples=40", "--waiting", "100", "2000")
_COMMITS = 3


@dataclass(slots=True)
class Spans:
    """What the samples took, in seconds."""

    bare: list[float] = field(default_factory=list[float])
    answered: list[float] = field(default_factory=list[float])
    started: list[float] = field(default_factory=list[float])
    ended: list[float] = field(default_factory=list[float])


async def measure_idle(server: Server, folder: Path, samples: int) -> Spans:
    """Submit to an idle worker, again and again, with the plain way in turns."""
    spans = Spans()
    plain = bare_table(folder / "plain.db")
    async with calling(server) as (caller,), watching(server) as watcher:
        for _ in range(samples):
            spans.bare.append(await seconds_of(lambda: insert_barely(plain, _COMMITS)))
            await _submit_once(caller, watcher, spans)
    plain.close()
    return spans


async def _submit_once(caller: Caller, watcher: Watcher, spans: Spans) -> None:
    begun = time.perf_counter()
    job_id = await caller.submit(submit_body(small()))
    spans.answered.append(time.perf_counter() - begun)
    spans.started.append((await watcher.until("execution_start", job_id)).at - begun)
    spans.ended.append((await watcher.until("execution_success", job_id)).at - begun)


async def measure_gaps(folder: Path, waiting: int, samples: int) -> list[float]:
    """Let a queue of that many jobs begin to drain, and time the gaps between its jobs."""
    gaps: list[float] = []
    with running_server(folder) as server:
        async with calling(server, 16) as callers, watching(server) as watcher:
            first = await _queue_up(callers, waiting)
            await callers[0].post(f"/api/jobs/{first}/cancel")
            last_end = (await watcher.until("execution_interrupted", first)).at
            while len(gaps) < samples:
                message = await watcher.next()
                if message.kind == "execution_start":
                    gaps.append(message.at - last_end)
                elif message.kind == "execution_success":
                    last_end = message.at
    return gaps


async def measure_all(folder: Path, samples: int, waiting: Sequence[int]) -> None:
    """Measure both and print them."""
    with running_server(folder / "idle") as server:
        spans = await measure_idle(server, folder, samples)
    bare = middle(spans.bare)
    rows = [
        (name, ms(middle(taken)), ms(high(taken)), ratio(middle(taken), bare))
        for name, taken in (
            ("three bare inserts", spans.bare),
            ("submit answered", spans.answered),
            ("started", spans.started),
            ("ended", spans.ended),
        )
    ]
    print_table("dispatch to an idle worker, since submit", ("median ms", "95 % ms", "x inserts"), rows)
    drained: list[tuple[str, ...]] = []
    for count in waiting:
        gaps = await measure_gaps(folder / f"queue-{count}", max(count, samples), samples)
        drained.append((f"{count:,} jobs waiting", ms(middle(gaps)), ms(high(gaps)), ratio(middle(gaps), bare)))
    print_table("dispatch from end to next start", ("median ms", "95 % ms", "x inserts"), drained)


async def _queue_up(callers: Sequence[Caller], waiting: int) -> str:
    """Submit that many jobs behind one that sleeps, and give the sleeper's id."""
    first = await callers[0].submit(submit_body(sleep(3600, 3600)))

    async def submit(caller: Caller) -> None:
        for _ in range(waiting // len(callers) + 1):
            await caller.submit(submit_body(small()))

    await asyncio.gather(*(submit(caller) for caller in callers))
    return first


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = parser_of("dispatch", __doc__)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--waiting", type=int, nargs="*", default=[100, 1_000, 10_000], help="jobs behind each other")
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        uvloop.run(measure_all(folder, options.samples, options.waiting))


if __name__ == "__main__":
    main()
