"""What launchers say to one server is known to all, and so is whose share of a pool is whose."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.databases import Databases
from tests.jobs.workshop import until

from fireside.app import assemble
from fireside.bus.client import Bus
from fireside.server.launchers import Launchers
from fireside.wire.admin import PoolQuery

pytestmark = pytest.mark.once


class Hearing(Launchers):
    """Launchers that say how often they were told something."""

    taken = 0

    async def take(self, subject: str, payload: bytes) -> None:
        await super().take(subject, payload)
        self.taken += 1


@dataclass
class House:
    """Two servers, under a clock of the test's."""

    here: Hearing
    there: Hearing
    seconds: list[float]

    async def say(self, name: str, *, to: Launchers, running: int = 0, most: int = 9) -> None:
        """Have a launcher say how it stands, and both servers hear it."""
        expected = self.here.taken + 1
        await to.hear("gpu", PoolQuery(launcher=name, most=most, running=running))
        await until(lambda: self.here.taken == self.there.taken == expected)

    def shares(self, desired: int, *names: str) -> tuple[list[int], list[int]]:
        """What each server would tell these launchers."""
        here, there = ([server.share("gpu", name, desired) for name in names] for server in (self.here, self.there))
        return here, there


@pytest.fixture
async def house(databases: Databases, tmp_path: Path) -> AsyncIterator[House]:
    async with assemble(databases.config(tmp_path / "data"), public_url="http://fireside.test") as assembly:
        credentials = assembly.authority.server_credentials()
        other = await Bus.connect([assembly.bus_url], credentials, name="other", inbox_prefix="_INBOX_server")
        own, seconds = assembly.services.bus, [100.0]
        house = House(Hearing(own, lambda: seconds[0]), Hearing(other, lambda: seconds[0]), seconds)
        await house.here.start()
        await house.there.start()
        yield house
        await house.here.stop()
        await house.there.stop()
        await other.close()


async def test_launchers_that_ask_different_servers_share_the_figure(house: House) -> None:
    await house.say("a", to=house.here)
    await house.say("b", to=house.there)
    # Who has just come starts nothing: there may be others.
    assert house.shares(4, "a", "b") == ([0, 0], [0, 0])

    house.seconds[0] += 2.0

    assert house.here.names("gpu") == house.there.names("gpu") == ["a", "b"]
    assert house.shares(4, "a", "b") == ([2, 2], [2, 2])
    assert house.shares(4, "stranger") == ([0], [0])


async def test_what_one_has_started_another_does_not_start_again(house: House) -> None:
    await house.say("a", to=house.here)
    house.seconds[0] += 2.0
    assert house.here.share("gpu", "a", 4) == 4

    await house.say("b", to=house.there)
    await house.say("a", to=house.here, running=4)
    house.seconds[0] += 2.0

    assert house.shares(4, "a", "b") == ([4, 0], [4, 0])


async def test_the_share_of_a_launcher_that_is_silent_goes_to_the_others(house: House) -> None:
    await house.say("a", to=house.here, running=2)
    await house.say("b", to=house.there, running=2)
    house.seconds[0] += 3.0
    await house.say("b", to=house.here, running=2)
    assert house.shares(4, "b") == ([2], [2])

    house.seconds[0] += 2.0

    assert house.there.names("gpu") == ["b"]
    assert house.shares(4, "b") == ([4], [4])
