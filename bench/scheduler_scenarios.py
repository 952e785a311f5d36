"""The scenarios that policies are compared in: an office, a fleet that loses workers, one of two kinds, a farm."""

import random

from bench.scheduler_simulation import Person, Scenario, Workflow

from fireside.domain.ids import UserId

_FASTEST_LOAD, _SLOWEST_LOAD = 3.0, 45.0


def office(seed: int, *, think_seconds: float = 180.0, models: int = 8, workflows: int = 3) -> Scenario:
    """Eight workers; four who flood with jobs of 8 to 120 s, one of them of weight 2; five who look at each picture."""
    dice, loads = random.Random(f"office {seed}"), _loads(seed, models)
    people = [
        Person(
            user_id=UserId(number),
            weight=2.0 if number == 1 else 1.0,
            workflows=[_workflow(dice, 10 * number + n, 8, 120, loads) for n in range(workflows)],
        )
        for number in range(1, 5)
    ]
    people += [
        Person(
            user_id=UserId(number),
            workflows=[_workflow(dice, 10 * number, 5, 30, loads)],
            think_seconds=think_seconds,
        )
        for number in range(5, 10)
    ]
    return Scenario(name="office", people=people, kinds=(1,) * 8, loads=loads, seed=seed)


def losses(seed: int) -> Scenario:
    """The office, where each worker is lost twice an hour, for a minute."""
    base = office(seed)
    return Scenario(
        name="losses", people=base.people, kinds=base.kinds, loads=base.loads, seed=seed, losses_per_hour=2.0
    )


def two_kinds(seed: int) -> Scenario:
    """Sixteen workers, four of them large, for twenty users of whom five have jobs that only those can run."""
    dice, loads = random.Random(f"two kinds {seed}"), _loads(seed, 10)
    people: list[Person] = []
    for number in range(1, 21):
        work = [_workflow(dice, 10 * number + n, 8, 120, loads) for n in range(2)]
        if number <= 5:
            large = work[0]
            work[0] = Workflow(
                number=large.number, run_seconds=large.run_seconds, models=large.models, kinds=frozenset({2})
            )
        people.append(
            Person(user_id=UserId(number), workflows=work, think_seconds=None if number % 2 else dice.uniform(60, 240))
        )
    return Scenario(name="two kinds", people=people, kinds=(1,) * 12 + (2,) * 4, loads=loads, seed=seed)


def farm(seed: int, *, workers: int = 1_000, users: int = 10_000) -> Scenario:
    """A thousand workers and ten thousand users, of whom one in fifty floods, for half an hour."""
    dice, loads = random.Random(f"farm {seed}"), _loads(seed, 40)
    people = [
        Person(
            user_id=UserId(number),
            weight=dice.choice([1.0, 1.0, 1.0, 2.0]),
            workflows=[_workflow(dice, 10 * number + n, 8, 60, loads) for n in range(2)],
            think_seconds=None if number % 50 == 0 else dice.uniform(300, 900),
        )
        for number in range(1, users + 1)
    ]
    return Scenario(name="farm", people=people, kinds=(1,) * workers, loads=loads, seed=seed, seconds=1800.0)


def _loads(seed: int, models: int) -> dict[str, float]:
    dice = random.Random(f"loads {seed}")
    return {f"model-{number}": dice.uniform(_FASTEST_LOAD, _SLOWEST_LOAD) for number in range(models)}


def _workflow(dice: random.Random, number: int, least: float, most: float, loads: dict[str, float]) -> Workflow:
    seconds = least * (most / least) ** dice.random()
    return Workflow(number=number, run_seconds=seconds, models=frozenset({dice.choice(sorted(loads))}))
