"""Words for tests of the policy: users with jobs, workers with what is warm on them, and a decision's outcome."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.scheduler.policy import decide
from fireside.scheduler.state import State
from fireside.scheduler.values import Group, Need, Rules, Spot, Standing, Waiting

ANY = frozenset(range(10))


def wanted(name: str) -> UUID:
    """The requirement of a name."""
    return UUID(bytes=name.encode().ljust(16, b"."))


class Scene:
    """A state that is told in few words: requirements by name, jobs by the number of their user and their own."""

    def __init__(self, rules: Rules | None = None, **models: str) -> None:
        self.state = State(rules)
        self.state.know_needs({wanted("any"): Need(side=ANY)})
        self.know(dict.fromkeys(models, ANY), **models)

    def know(self, sides: Mapping[str, Iterable[int]], **models: str) -> None:
        """Say on which kinds of workers something runs, and which model it reads, if any."""
        self.state.know_needs(
            {
                wanted(name): Need(
                    side=frozenset(side), models=frozenset(models[name].split()) if name in models else frozenset()
                )
                for name, side in sides.items()
            }
        )

    def user(
        self, user: int, *names: str, time: float = 0.0, held: int = 0, limit: int | None = None, weight: float = 1.0
    ) -> None:
        """A user whose jobs ask for these, in order; a name that ends with `!` is put in front."""
        standing = Standing(user_id=UserId(user), weight=weight, virtual_time=time, held=held, max_running=limit)
        groups: dict[UUID, list[Waiting]] = {}
        for number, name in enumerate(names):
            order = float(number - 1000 if name.endswith("!") else number)
            job = Waiting(job_id(user, number), (order, float(number)), wanted(name.rstrip("!")))
            groups.setdefault(job.requirement_id, []).append(job)
        self.state.set_user(
            standing,
            [Group(requirement_id=one, jobs=sorted(jobs, key=lambda job: job.order)) for one, jobs in groups.items()],
        )

    def decide(
        self, *workers: str, now: float = 0.0, kinds: Mapping[str, int] | None = None, most: int | None = None
    ) -> dict[str, str]:
        """Fill workers, each written `name` or `name:warm model`; gives what they got, as `user/job`."""
        spots: list[Spot] = []
        for text in workers:
            name, _, warm = text.partition(":")
            kind = (kinds or {}).get(name, 1)
            spots.append(Spot(worker_id=WorkerId(name), kind=kind, warm=frozenset(warm.split())))
        return {
            placed.worker_id: f"{placed.user_id}/{placed.job_id.int % 1000}"
            for placed in decide(self.state, spots, now, most=most)
        }


def job_id(user: int, number: int) -> JobId:
    """The id of a user's job."""
    return JobId(UUID(int=user * 1000 + number))
