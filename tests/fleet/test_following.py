"""What a launcher decides: which agents start, which leave, and how patiently those that die are replaced."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from fireside.fleet.following import Agent, Ended, Follower, Have, steps_to
from fireside.wire.admin import PoolBody


def running(*numbers: int, leaving: Sequence[int] = ()) -> list[Agent]:
    return [Agent(number=number, worker_id=f"w{number}", is_leaving=number in leaving) for number in numbers]


def test_what_is_missing_starts_and_what_leaves_is_not_counted() -> None:
    assert steps_to(3, running(2), most=8, resting=(), idle=()).start == [1, 3]
    assert steps_to(3, running(1, 2, leaving=[1]), most=8, resting=[3], idle=()).start == [4, 5]
    assert steps_to(9, running(1), most=2, resting=(), idle=()).start == [2]
    assert steps_to(2, running(1, 2, leaving=[2]), most=2, resting=(), idle=()).start == []


def test_those_with_nothing_to_do_leave_first_and_then_the_last_ones() -> None:
    assert steps_to(1, running(1, 2, 3), most=8, resting=(), idle=["w1"]).leave == [1, 3]
    assert steps_to(2, running(1, 2, 3), most=8, resting=(), idle=()).leave == [3]


@given(
    st.integers(0, 9), st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)),
    st.integers(1, 9),
)  # fmt: skip
def test_it_never_has_more_than_it_may_nor_two_of_one_number(
    desired: int, numbers: set[int], leaving: set[int], resting: set[int], most: int
) -> None:
    agents = running(*sorted(numbers), leaving=sorted(leaving))

    steps = steps_to(desired, agents, most=most, resting=resting, idle=())

    staying = numbers - leaving
    assert set(steps.leave) <= staying
    assert not set(steps.start) & (numbers | resting)
    assert len(staying) + len(steps.start) - len(steps.leave) <= max(min(desired, most), 0)


class Stage:
    """Agents that a test ends, under a clock and a figure of the test's."""

    def __init__(self) -> None:
        self.now, self.desired, self.idle = 0.0, 0, list[str]()
        self.agents: dict[int, Agent] = {}
        self.ended: list[Ended] = []
        self.started: list[int] = []
        self.said: list[Have] = []
        self.share: int | None = None
        self.is_told = True
        self.follower = Follower(self, self._figure, most=None, calm_seconds=30.0, clock=lambda: self.now)

    async def _figure(self, have: Have) -> PoolBody | None:
        self.said.append(have)
        body = PoolBody(name="p", labels={}, min=0, max=4, wanted=0, desired=self.desired, workers=0, busy=0,
                        idle=self.idle, share=self.share)  # fmt: skip
        return body if self.is_told else None

    async def start(self, number: int) -> None:
        self.started.append(number)
        self.agents[number] = Agent(number=number)

    async def tell_to_leave(self, number: int) -> None:
        self.agents[number] = Agent(number=number, is_leaving=True)

    def running(self) -> list[Agent]:
        return list(self.agents.values())

    async def take_ended(self) -> list[Ended]:
        ended, self.ended = self.ended, []
        return ended

    async def end_all(self) -> None:
        self.agents = {}

    async def look(self, seconds: float = 0.0) -> None:
        self.now += seconds
        await self.follower.tick()

    def dies(self, number: int, *, well: bool = False) -> None:
        del self.agents[number]
        self.ended.append(Ended(number=number, is_well=well))


async def test_an_agent_that_dies_is_replaced_more_patiently_each_time_until_it_was_steady() -> None:
    stage = Stage()
    stage.desired = 4
    await stage.look()
    for rest in (1.0, 2.0, 4.0):
        stage.dies(2)
        await stage.look()
        assert 2 not in stage.agents
        await stage.look(rest)
        assert 2 in stage.agents

    stage.now += 60.0
    stage.dies(2)
    await stage.look()
    await stage.look(1.0)

    assert 2 in stage.agents


async def test_one_that_left_by_itself_is_replaced_at_once_when_there_is_work() -> None:
    stage = Stage()
    stage.desired = 1
    await stage.look()
    stage.dies(1, well=True)

    await stage.look()

    assert stage.started == [1, 1]


async def test_one_too_many_leaves_after_a_calm_and_none_while_nobody_tells() -> None:
    stage = Stage()
    stage.desired = 2
    await stage.look()
    stage.desired = 1
    await stage.look()
    stage.desired = 2
    await stage.look(20.0)
    stage.desired = 1
    await stage.look(20.0)
    await stage.look(20.0)
    assert not stage.agents[2].is_leaving
    stage.is_told = False
    await stage.look(100.0)
    assert not stage.agents[2].is_leaving

    stage.is_told = True
    await stage.look()

    assert stage.agents[2].is_leaving
    assert not stage.agents[1].is_leaving


async def test_a_launcher_that_is_told_its_share_has_no_more_than_that() -> None:
    stage = Stage()
    stage.desired, stage.share = 4, 1

    await stage.look()

    assert stage.started == [1]


async def test_a_launcher_says_what_it_has_and_could_have() -> None:
    stage = Stage()
    stage.desired, stage.share = 4, 3
    await stage.look()
    stage.agents[1] = Agent(number=1, worker_id="w1")
    stage.agents[2] = Agent(number=2, worker_id="w2", is_leaving=True)
    stage.idle, stage.share = ["w1", "of another"], 1
    await stage.look()
    stage.dies(3)

    await stage.look()

    # Number 2 is about to leave, and 3 rests.
    assert stage.said[-1] == Have(most=2, running=1, idle=1)
