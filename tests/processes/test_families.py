import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from fireside.processes.families import Family
from fireside.processes.leftovers import start_time

StartPython = Callable[[str], Awaitable[Family]]

SECONDS = 60.0
# A program with a child of its own, in a session of its own, that ignores what can be ignored and tells its id.
WITH_STRAYS = """
import os, signal, subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
strays = [subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.DEVNULL)
          for _ in range(2)]
print(" ".join(str(stray.pid) for stray in strays), flush=True)  # in one piece, also where Python does not buffer
"""
SLEEPING = "time.sleep(600)"
PARENT = """
import asyncio, os, sys
from pathlib import Path
from fireside.processes.families import Family

async def main():
    family = Family([sys.executable, "-c", sys.argv[1]], env=os.environ, cwd=Path.cwd())
    await family.start()
    print(family.pid, (await family.read(1000)).decode().strip(), flush=True)
    await family.wait()

asyncio.run(main())
"""


@pytest.fixture
async def start_python(tmp_path: Path) -> AsyncIterator[StartPython]:
    """Start a family around a piece of Python; it is ended with the test."""
    started: list[Family] = []

    async def start(code: str) -> Family:
        family = Family([sys.executable, "-c", code], env=os.environ, cwd=tmp_path)
        await family.start()
        started.append(family)
        return family

    yield start
    for family in started:
        await family.stop(0)


async def until_gone(pids: list[int]) -> None:
    async with asyncio.timeout(SECONDS):
        while any(start_time(pid) is not None for pid in pids):  # noqa: ASYNC110 - strangers' ends tell nobody
            await asyncio.sleep(0.01)


async def strays_of(family: Family) -> list[int]:
    async with asyncio.timeout(SECONDS):
        return [int(word) for word in (await family.read(1000)).split()]


async def test_a_killed_family_leaves_no_stray_that_left_its_session(start_python: StartPython) -> None:
    family = await start_python(WITH_STRAYS + SLEEPING)
    strays = await strays_of(family)
    family.kill()
    assert await family.wait() == -signal.SIGKILL
    await until_gone(strays)


async def test_a_program_that_ends_takes_its_strays_with_it(start_python: StartPython) -> None:
    family = await start_python(WITH_STRAYS + "raise SystemExit(3)")
    strays = await strays_of(family)
    assert await asyncio.wait_for(family.wait(), SECONDS) == 3
    await until_gone(strays)


async def test_a_program_that_crashes_is_told_by_its_signal(start_python: StartPython) -> None:
    family = await start_python("import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    assert await asyncio.wait_for(family.wait(), SECONDS) == -signal.SIGABRT


async def test_a_killed_parent_takes_the_whole_family_with_it(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, WITH_STRAYS + SLEEPING), stdout=subprocess.PIPE, cwd=tmp_path
    )
    assert parent.stdout is not None
    pids = [int(word) for word in (await parent.stdout.readline()).split()]
    parent.kill()
    await parent.wait()
    assert len(pids) == 3
    await until_gone(pids)


async def test_a_program_is_interrupted_before_it_is_killed(start_python: StartPython) -> None:
    family = await start_python(
        "import time\ntry: print('up', flush=True), time.sleep(600)\nexcept KeyboardInterrupt: raise SystemExit(7)"
    )
    await family.read(10)
    await family.stop(SECONDS)
    assert await family.wait() == 7


async def test_a_program_that_ignores_the_interrupt_is_killed(start_python: StartPython) -> None:
    family = await start_python(
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    await family.read(10)
    await family.stop(0.1)
    assert await family.wait() == -signal.SIGKILL
    assert family.pid is None


async def test_a_program_that_is_not_there_ends_at_once_and_says_so(tmp_path: Path) -> None:
    family = Family([str(tmp_path / "nowhere")], env=os.environ, cwd=tmp_path)
    await family.start()
    assert b"No such file" in await family.read(1000)
    assert await asyncio.wait_for(family.wait(), SECONDS) == 127
    await family.stop(0)


async def test_a_program_that_has_just_died_has_no_process_id(start_python: StartPython) -> None:
    family = await start_python("import time; time.sleep(600)")
    pid = family.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until_gone([pid])
    assert family.pid is None


async def test_what_all_of_the_family_writes_can_be_read_to_its_end(start_python: StartPython) -> None:
    family = await start_python("import os; print('out', flush=True); os.write(2, b'err\\n')")
    read = b""
    async with asyncio.timeout(SECONDS):
        while chunk := await family.read(1000):
            read += chunk
    assert read == b"out\nerr\n"
