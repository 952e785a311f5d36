"""Ten minutes of jobs: neither the server nor a worker, nor what computes for it, grows by more than 5 %.

    python -m soak.memory [--minutes N] [--builtin] [--folder DIR]

Memory is that of the kernel (VmRSS), the median of each minute's samples; the first two minutes are for getting
warm. The last minute is held against the third.
"""

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence

import httpx
from bench.comfyui import add_comfyui_options
from bench.measuring import parser_of, work_folder
from bench.servers import Server, running_server
from rich.progress import Progress
from soak.graphs import flags, quick, slow
from soak.processes import command_of, descendants, memory_bytes

MOST_GROWTH = 1.05
_WARM_MINUTES = 2
_IN_QUEUE = 20
_LOOK_SECONDS = 1.0
_SLOW_EVERY = 40
_NAMES = {" worker ": "worker", "main.py": "ComfyUI", "runtimes.builtin.child": "builtin", "nats-server": "bus"}
_MUST_HOLD = ("server", "worker")

Samples = dict[str, dict[int, list[int]]]


def measure(server: Server, client: httpx.Client, minutes: float) -> tuple[Samples, int]:
    """Keep the queue filled for that long, and give each process's samples by minute and the number of jobs."""
    samples: Samples = defaultdict(lambda: defaultdict(list))
    begun, submitted = time.monotonic(), 0
    with Progress() as progress:
        bar = progress.add_task("seconds", total=minutes * 60)
        while (passed := time.monotonic() - begun) < minutes * 60:
            progress.update(bar, completed=passed, description=f"seconds, {submitted} jobs")
            waiting = client.get("/api/jobs", params={"status": "pending", "limit": 1}).raise_for_status().json()
            for _ in range(_IN_QUEUE - int(waiting["pagination"]["total"])):
                graph = slow() if submitted % _SLOW_EVERY == 0 else quick()
                client.post("/api/prompt", json={"prompt": graph}).raise_for_status()
                submitted += 1
            for pid in (server.pid, *descendants(server.pid)):
                name = "server" if pid == server.pid else _name_of(pid)
                if name and (held := memory_bytes(pid)):
                    samples[name][int(passed // 60)].append(held)
            time.sleep(_LOOK_SECONDS)
    return samples, submitted


def _name_of(pid: int) -> str:
    line = command_of(pid)
    return next((name for word, name in _NAMES.items() if word in line), "")


def growth_of(by_minute: dict[int, list[int]]) -> float:
    """Say how many times the memory when warm it is at the end."""
    last = max(by_minute)
    return statistics.median(by_minute[last]) / statistics.median(by_minute[min(_WARM_MINUTES, last)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Do it, and end with 1 when anything has grown too much."""
    parser = parser_of("memory", __doc__)
    add_comfyui_options(parser)
    parser.add_argument("--builtin", action="store_true", help="the builtin runtime in the place of ComfyUI")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args(arguments)
    with work_folder(options.folder) as folder:
        server_flags = flags(options, folder / "flags")
        with (
            running_server(folder / "data", *server_flags) as server,
            httpx.Client(base_url=server.url, headers={"X-API-Key": server.key}, timeout=60) as client,
        ):
            samples, submitted = measure(server, client, options.minutes)
    print(f"{submitted} jobs in {options.minutes:g} minutes")
    for name, by_minute in samples.items():
        megabytes = [f"{statistics.median(held) / 2**20:.1f}" for _, held in sorted(by_minute.items())]
        print(f"{name:<10}{growth_of(by_minute):>7.3f} x   MB by minute: {' '.join(megabytes)}")
    grown = [name for name in _MUST_HOLD if growth_of(samples[name]) > MOST_GROWTH]
    if grown:
        sys.exit(f"grew by more than {MOST_GROWTH - 1:.0%}: {', '.join(grown)}")


if __name__ == "__main__":
    main()
