import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from tests.runtimes.comfyui.standin import environment_of, launch_of, make_standin, starts_of, strays_of
from tests.runtimes.comfyui.waiting import SECONDS, until, until_gone

from fireside.processes.leftovers import start_time
from fireside.runtimes.base import RuntimeStartError
from fireside.runtimes.comfyui.patience import Patience
from fireside.runtimes.comfyui.supervised import SupervisedHome

MakeHome = Callable[..., SupervisedHome]
PARENT = """
import asyncio, sys
from pathlib import Path
from fireside.runtimes.comfyui.launch import Launch
from fireside.runtimes.comfyui.supervised import SupervisedHome

async def main():
    launch = Launch(comfyui_dir=Path(sys.argv[1]), arguments=("--strays", "--deaf"))
    home = SupervisedHome(launch, Path(sys.argv[2]))
    await home.start()
    print("up", flush=True)
    await home.died()

asyncio.run(main())
"""


@pytest.fixture
async def make_home(tmp_path: Path) -> AsyncIterator[MakeHome]:
    """Make a home of the stand-in in `tmp_path/worker`; it is stopped with the test."""
    made: list[SupervisedHome] = []
    standin = make_standin(tmp_path / "standin")

    def make(*arguments: str, start_seconds: float = SECONDS, stop_seconds: float = SECONDS) -> SupervisedHome:
        home = SupervisedHome(
            launch_of(standin, *arguments),
            tmp_path / "worker",
            start_seconds=start_seconds,
            stop_seconds=stop_seconds,
            patience=Patience(clock=iter(range(0, 1_000_000, 1_000)).__next__),
        )
        made.append(home)
        return home

    yield make
    for home in made:
        await home.stop()


async def status_of(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


async def make_it_die(home: SupervisedHome) -> None:
    with pytest.raises(httpx.HTTPError):
        await status_of(f"{home.url}/die")


async def test_a_started_comfyui_answers_at_its_url(make_home: MakeHome) -> None:
    home = make_home()
    await home.start()
    assert home.is_alive
    assert await status_of(f"{home.url}/system_stats") == 200
    assert home.bridge_headers is not None


async def test_a_second_start_does_nothing(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home()
    await home.start()
    await home.start()
    assert starts_of(tmp_path / "worker") == 1


async def test_a_stop_lets_the_program_end_in_order(make_home: MakeHome) -> None:
    home = make_home()
    await home.start()
    await home.stop()
    assert "stopped in order" in home.log_tail()
    assert not home.is_alive
    assert home.pid is None


async def test_a_deaf_program_is_ended_all_the_same(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home("--deaf", "--strays", stop_seconds=0.1)
    await home.start()
    await home.stop()
    assert [start_time(pid) for pid in strays_of(tmp_path / "worker")] == [None, None]


async def test_a_program_that_ends_at_once_fails_the_start_with_its_last_words(make_home: MakeHome) -> None:
    home = make_home("--broken")
    with pytest.raises(RuntimeStartError, match=r"(?s)exit code 1 .*no module named torch"):
        await home.start()
    assert home.pid is None


async def test_a_program_that_never_answers_fails_the_start_and_is_ended(make_home: MakeHome, tmp_path: Path) -> None:
    # Long enough for it to have said something.
    home = make_home("--strays", "--silent", start_seconds=5.0)
    with pytest.raises(RuntimeStartError, match=r"(?s)within 5 s.*stand-in 1"):
        await home.start()
    await until_gone(strays_of(tmp_path / "worker"))


async def test_another_comfyui_on_that_port_is_not_taken_for_ours(make_home: MakeHome) -> None:
    home = make_home("--bridgeless", "--strange", start_seconds=1.0)
    with pytest.raises(RuntimeStartError):
        await home.start()


async def test_a_comfyui_without_our_node_pack_is_good_enough(make_home: MakeHome) -> None:
    home = make_home("--bridgeless")
    await home.start()
    assert home.is_alive
    assert home.bridge_headers is None


async def test_a_port_that_somebody_took_is_replaced_by_another(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home("--unlucky")
    await home.start()
    assert starts_of(tmp_path / "worker") == 2
    assert await status_of(f"{home.url}/system_stats") == 200


async def test_a_program_that_dies_is_started_again_by_itself(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home("--strays")
    await home.start()
    dead = home.pid
    await make_it_die(home)
    await asyncio.wait_for(home.died(), SECONDS)
    await until(lambda: home.is_alive)
    assert home.pid != dead
    assert await status_of(f"{home.url}/system_stats") == 200
    await until_gone(strays_of(tmp_path / "worker")[:2])


async def test_who_calls_start_after_a_death_waits_for_the_next_one(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home()
    await home.start()
    await make_it_die(home)
    await home.died()
    await asyncio.gather(home.start(), home.start())
    assert home.is_alive
    assert starts_of(tmp_path / "worker") == 2


async def test_a_restart_kills_even_a_deaf_program_and_what_it_started(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home("--deaf", "--strays", stop_seconds=0.1)
    await home.start()
    old = strays_of(tmp_path / "worker")
    headers = home.bridge_headers
    await home.restart("a test")
    assert [start_time(pid) for pid in old] == [None, None]
    assert home.is_alive
    assert home.bridge_headers != headers


async def test_callers_at_the_same_time_share_one_restart(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home()
    await home.start()
    await asyncio.gather(*(home.restart("a test") for _ in range(5)))
    assert starts_of(tmp_path / "worker") == 2


async def test_a_caller_that_gives_up_does_not_break_the_start_off(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home()
    hasty = asyncio.create_task(home.start())
    await until(lambda: home.pid is not None)
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    await home.start()
    assert starts_of(tmp_path / "worker") == 1


async def test_a_stop_breaks_a_start_off_and_leaves_nothing(make_home: MakeHome, tmp_path: Path) -> None:
    home = make_home("--strays", "--silent")
    start = asyncio.create_task(home.start())
    strays = tmp_path / "worker" / "user" / "strays"
    await until(lambda: strays.exists() and strays.stat().st_size > 0)
    await home.stop()
    with pytest.raises(RuntimeStartError, match="stopped"):
        await start
    await until_gone(strays_of(tmp_path / "worker"))


async def test_a_stopped_home_can_be_started_again(make_home: MakeHome) -> None:
    home = make_home()
    await home.start()
    await home.stop()
    with pytest.raises(RuntimeStartError, match="stopped"):
        await home.restart("too late")
    await home.start()
    assert home.is_alive


async def test_only_the_first_start_empties_the_folders(make_home: MakeHome, tmp_path: Path) -> None:
    left_over = tmp_path / "worker" / "output" / "left.png"
    left_over.parent.mkdir(parents=True)
    left_over.touch()
    home = make_home()
    await home.start()
    assert home.folders is not None
    assert not left_over.exists()
    staged = home.folders.input / "staged.png"
    staged.touch()
    await home.restart("a test")
    assert staged.exists()
    await home.stop()
    assert not staged.exists()


async def test_the_folder_of_a_program_is_never_emptied(tmp_path: Path) -> None:
    standin = make_standin(tmp_path)
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "mine.png").touch()
    home = SupervisedHome(launch_of(standin), tmp_path)
    with pytest.raises(RuntimeStartError, match="alone"):
        await home.start()
    assert (tmp_path / "output" / "mine.png").exists()


async def test_node_packs_see_none_of_our_secrets(
    make_home: MakeHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRESIDE_SECRET_KEY", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.setenv(name, "a-secret-of-ours")
    monkeypatch.setenv("HF_HOME", "/models/hf")
    await make_home().start()
    seen = environment_of(tmp_path / "worker")
    assert "a-secret-of-ours" not in seen.values()
    assert "PYTHONPATH" not in seen
    assert seen["HF_HOME"] == "/models/hf"


async def test_a_killed_worker_takes_comfyui_and_its_children_with_it(tmp_path: Path) -> None:
    standin = make_standin(tmp_path / "standin")
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(standin), str(tmp_path / "worker")), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    try:
        while b"up" not in (line := await asyncio.wait_for(parent.stdout.readline(), SECONDS)):
            assert line
    finally:
        parent.kill()
        await parent.wait()
    await until_gone(strays_of(tmp_path / "worker"))


async def test_who_finds_the_doors_closed_and_calls_start_gets_the_next_one(make_home: MakeHome) -> None:
    home = make_home("--lingering")
    await home.start()
    dead = home.pid
    assert await status_of(f"{home.url}/die") == 200
    with pytest.raises(httpx.HTTPError):
        await status_of(f"{home.url}/system_stats")
    assert home.pid == dead
    await home.start()
    assert home.is_alive
    assert home.pid != dead
