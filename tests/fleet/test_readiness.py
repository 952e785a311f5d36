"""How a server waits for the workers it starts with."""

import asyncio

import pytest

from fireside.config import Config
from fireside.domain.ids import WorkerId
from fireside.fleet.plan import plan_workers
from fireside.fleet.readiness import NotReady, until_ready
from fireside.wire.fleet import Presence

DEADLINE_SECONDS = 60.0
Said = dict[WorkerId, Presence]


def says(*, ready: bool = False, reason: str = "") -> Presence:
    return Presence(boot_id="a", runtime="comfyui", ready=ready, draining=bool(reason), reason=reason)


async def wait_for(said: Said, *, workers: int = 2, seconds: float = DEADLINE_SECONDS) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        plan = await plan_workers(Config(workers=workers))
        await until_ready(plan, lambda: said, seconds=seconds, stopped=asyncio.Event())


async def test_it_waits_until_all_are_ready() -> None:
    said: Said = {WorkerId("local-1"): says(ready=True), WorkerId("local-2"): says()}
    waiting = asyncio.create_task(wait_for(said))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    assert not done

    said[WorkerId("local-2")] = says(ready=True)

    await waiting


async def test_one_that_cannot_start_does_not_keep_the_others() -> None:
    await wait_for({WorkerId("local-1"): says(ready=True), WorkerId("local-2"): says(reason="no module named torch")})


async def test_a_server_none_of_whose_workers_can_start_says_why() -> None:
    reasons = {WorkerId(f"local-{number}"): says(reason=f"no torch on {number}") for number in (1, 2)}

    with pytest.raises(NotReady) as refusal:
        await wait_for(reasons)

    assert "local-1: no torch on 1" in refusal.value.message
    assert "local-2: no torch on 2" in refusal.value.message


async def test_it_does_not_wait_for_ever() -> None:
    with pytest.raises(NotReady, match=r"local-1: it has not come up within 0\.1 s"):
        await wait_for({}, seconds=0.1)


async def test_a_server_without_workers_is_ready_at_once() -> None:
    await wait_for({}, workers=0)
