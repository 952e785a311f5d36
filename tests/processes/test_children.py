import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from fireside.processes.children import Child
from fireside.processes.leftovers import Leftovers, start_time
from fireside.processes.supervisor import Supervisor

StartPython = Callable[[str], Awaitable[Child]]

SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = """
import asyncio, sys
from pathlib import Path
from fireside.processes.children import Child

async def main():
    child = Child("grandchild", [sys.executable, "-c", "import time; time.sleep(600)"], log_path=Path(sys.argv[1]))
    await child.start()
    print(child.pid, flush=True)
    await child.wait()

asyncio.run(main())
"""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the kernel tells nobody about: the state of a process that is not our child."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - no event exists
            await asyncio.sleep(0.005)


async def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(60):
        grandchild = int(await parent.stdout.readline())
    assert start_time(grandchild) is not None
    parent.kill()
    await parent.wait()
    await until(lambda: start_time(grandchild) is None)


async def test_a_child_that_ends_when_asked_is_not_killed(start_python: StartPython) -> None:
    child = await start_python(SLEEPER)
    waiting = asyncio.create_task(child.wait())
    await child.stop(60)
    assert await waiting == -signal.SIGTERM
    assert child.pid is None


async def test_a_child_that_does_not_listen_is_killed_after_the_grace(start_python: StartPython) -> None:
    child = await start_python(STUBBORN)
    await until(lambda: "deaf" in child.log_tail())
    await child.stop(0.05)
    assert await child.wait() == -signal.SIGKILL


async def test_both_outputs_reach_the_log(start_python: StartPython) -> None:
    child = await start_python("import sys; print('out', flush=True); print('err', file=sys.stderr)")
    await child.wait()
    assert child.log_tail() == "out\nerr"


async def test_a_recorded_leftover_is_ended_at_the_next_start(tmp_path: Path, start_python: StartPython) -> None:
    child = await start_python(SLEEPER)
    assert child.pid is not None
    record = tmp_path / "children.json"
    Leftovers(record).add(child.pid)
    await Leftovers(record).end_all()
    assert await child.wait() == -signal.SIGKILL


async def test_a_stranger_with_a_recycled_pid_is_spared(tmp_path: Path, start_python: StartPython) -> None:
    stranger = await start_python(SLEEPER)
    assert stranger.pid is not None
    began = start_time(stranger.pid)
    assert began is not None
    record = tmp_path / "children.json"
    record.write_bytes(msgspec.json.encode({stranger.pid: began - 1}))
    await Leftovers(record).end_all()
    # Had it been killed, that would be its end; a look at whether it still runs could come too early.
    await stranger.stop(60)
    assert await stranger.wait() == -signal.SIGTERM


@pytest.mark.parametrize("content", [b"", b"{", b"[]"])
async def test_a_damaged_record_does_not_stop_the_start(tmp_path: Path, content: bytes) -> None:
    record = tmp_path / "children.json"
    record.write_bytes(content)
    await Leftovers(record).end_all()
    assert record.read_bytes() == b"{}"


async def test_a_crashed_child_is_started_again(tmp_path: Path) -> None:
    starts: asyncio.Queue[int | None] = asyncio.Queue()

    async def on_start() -> None:
        await starts.put(child.pid)

    child = Child("sleeper", [sys.executable, "-c", SLEEPER], log_path=tmp_path / "log")
    supervisor = Supervisor(child, Leftovers(tmp_path / "children.json"), on_start=on_start)
    await supervisor.start()
    try:
        async with asyncio.timeout(60):
            first = await starts.get()
            assert first is not None
            os.kill(first, signal.SIGKILL)
            second = await starts.get()
        assert second not in (None, first)
    finally:
        await supervisor.stop(1)
    assert child.pid is None
