"""What the server adds to a real ComfyUI: the same graphs on the same ComfyUI driven directly, in the same run.

    python -m bench.comfyui [--comfyui-dir DIR] [--comfyui-python FILE] [--jobs N] [--rounds N] [--folder DIR]

A graph is EmptyImage -> SaveImage at 512 by 512, and no two are alike. One by one: from the submit
to `execution_success` on a websocket. All at once: what one worker gets done a second. Ends with 1 when the server adds
more than 15 ms to the median, or does less than 40 % of ComfyUI's own jobs a second.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import uvloop
from bench.calling import Caller, Watcher, calling, watching
from bench.measuring import high, middle, ms, parser_of, print_table, ratio, work_folder
from bench.servers import Server, running_server
from bench.workflows import plain, submit_body

SHORT = ("--jobs=30", "--rounds=2")
MOST_ADDED_SECONDS = 0.015
LEAST_SHARE = 0.4
_CLIENT = "bench"
_READY_SECONDS = 120.0
_LOOK_SECONDS = 0.1

Submit = Callable[[], Awaitable[str]]


async def measure(direct: Server, server: Server, jobs: int, rounds: int) -> bool:
    """Do both ways in turns, print what they took, and say whether the limits hold."""
    one_by_one: dict[str, list[float]] = {"ComfyUI": [], "server": []}
    all_at_once: dict[str, list[float]] = {"ComfyUI": [], "server": []}
    async with (
        calling(direct) as (their_caller,),
        watching(direct, client_id=_CLIENT) as their_watcher,
        calling(server) as (caller,),
        watching(server) as watcher,
    ):
        ways = {
            "ComfyUI": (partial(_submit, their_caller, "/prompt"), their_watcher),
            "server": (partial(_submit, caller, "/api/prompt"), watcher),
        }
        for submit, watcher_of_way in ways.values():
            await _run_singly(submit, watcher_of_way, 3)
        for _ in range(rounds):
            for name, (submit, watcher_of_way) in ways.items():
                one_by_one[name] += await _run_singly(submit, watcher_of_way, jobs)
                all_at_once[name].append(await _run_queued(submit, watcher_of_way, jobs))
    return _print(one_by_one, {name: jobs / min(seconds) for name, seconds in all_at_once.items()})


async def _submit(caller: Caller, path: str) -> str:
    return await caller.submit(submit_body(plain(), client_id=_CLIENT), path)


async def _run_singly(submit: Submit, watcher: Watcher, jobs: int) -> list[float]:
    """Run one after the other, and give what each of them took."""
    taken: list[float] = []
    for _ in range(jobs):
        begun = time.perf_counter()
        message = await watcher.until("execution_success", await submit())
        taken.append(message.at - begun)
    return taken


async def _run_queued(submit: Submit, watcher: Watcher, jobs: int) -> float:
    """Submit all, and give the seconds from the first submit to the last end."""
    begun = time.perf_counter()
    waiting = {await submit() for _ in range(jobs)}
    while waiting:
        message = await watcher.next()
        if message.kind == "execution_success":
            waiting.discard(message.data["prompt_id"])
    return time.perf_counter() - begun


def _print(one_by_one: dict[str, list[float]], rates: dict[str, float]) -> bool:
    medians = {name: middle(taken) for name, taken in one_by_one.items()}
    rows = [
        (
            name,
            ms(medians[name]),
            ms(high(taken)),
            ms(medians[name] - medians["ComfyUI"]),
            f"{rates[name]:,.1f}",
            ratio(rates[name], rates["ComfyUI"]),
        )
        for name, taken in one_by_one.items()
    ]
    print_table("a real ComfyUI", ("median ms", "p95 ms", "ms added", "jobs/s", "x ComfyUI"), rows)
    added = medians["server"] - medians["ComfyUI"]
    return added <= MOST_ADDED_SECONDS and rates["server"] >= LEAST_SHARE * rates["ComfyUI"]


@contextmanager
def running_comfyui(comfyui_dir: Path, python: Path, folder: Path) -> Generator[Server]:
    """Start the ComfyUI by itself on files of its own, and end it afterwards."""
    for name in ("input", "output", "temp", "user"):
        (folder / name).mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = [f"--{name}-directory={folder / name}" for name in ("input", "output", "temp", "user")]
    command = [str(python), "main.py", "--cpu", f"--port={port}", "--disable-auto-launch", *folders]
    with (folder / "comfyui.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=comfyui_dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, url)
        yield Server(url=url, pid=process.pid, key="")
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{url}/system_stats", timeout=5):
            return
        time.sleep(_LOOK_SECONDS)
    sys.exit("ComfyUI did not become ready")


def add_comfyui_options(parser: argparse.ArgumentParser) -> None:
    """Take the place of a ComfyUI, which `make comfyui` makes."""
    home = Path(os.environ.get("COMFYUI_FOR_TESTS") or Path.home() / ".cache" / "fireside" / "comfyui")
    parser.add_argument("--comfyui-dir", type=Path, default=home / "ComfyUI", help="the folder of a ComfyUI")
    parser.add_argument("--comfyui-python", type=Path, default=home / "venv" / "bin" / "python", help="its Python")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and say whether the limits hold."""
    parser = parser_of("comfyui", __doc__)
    add_comfyui_options(parser)
    parser.add_argument("--jobs", type=int, default=100, help="jobs of each way and round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    if not (options.comfyui_dir / "main.py").exists():
        sys.exit(f"there is no ComfyUI in {options.comfyui_dir}; `make comfyui` makes one")
    flags = (f"--comfyui-dir={options.comfyui_dir}", f"--comfyui-python={options.comfyui_python}")
    with (
        work_folder(options.folder) as folder,
        running_comfyui(options.comfyui_dir, options.comfyui_python, folder / "direct") as direct,
        running_server(folder / "data", *flags) as server,
    ):
        if not uvloop.run(measure(direct, server, options.jobs, options.rounds)):
            sys.exit("the server adds more than it may")


if __name__ == "__main__":
    main()
