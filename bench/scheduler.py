"""Who gets what, simulated: the production policy beside plainer ones, over the same users, jobs and dice.

    python -m bench.scheduler [--seeds N] [--scenario NAME ...] [--slack SECONDS ...] [--chart FILE]

Jain's index is of GPU-seconds per weight over the users who flood: 1 is fair, 1/n is one who has all. The wait is that
of the interactive users, from submit to start; late is how much later than in the fluid ideal their jobs ended, where
nothing is loaded and workers divide like water. Ends with 1 when the office does not reach what it has to.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import parser_of, print_table
from bench.scheduler_chart import draw
from bench.scheduler_fluid import lateness, spread
from bench.scheduler_policies import Fair, FirstComeFirstServed, RoundRobin
from bench.scheduler_scenarios import farm, losses, office, two_kinds
from bench.scheduler_simulation import Policy, Scenario, Simulation

from fireside.scheduler.values import Rules

SHORT = ("--seeds=2", "--scenario", "office", "losses")
JAIN_LEAST = 0.99
JOBS_LEAST = 1.4
WAIT_MOST = 1.3
_FAIR, _WARM = "fair", "fair, warm"
_SCENARIOS: dict[str, Callable[[int], Scenario]] = {
    "office": office,
    "busier": lambda seed: office(seed, think_seconds=60.0),
    "fewer models": lambda seed: office(seed, models=6, workflows=2),
    "losses": losses,
    "two kinds": two_kinds,
    "farm": farm,
}
_HEADS = ("jain", "jobs", "loading %", "wait p50 s", "p95 s", "worst s", "late p95", "worst", "us/job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a policy came to in a scenario."""

    jain: float
    jobs: float
    loading: float
    wait: tuple[float, float, float]
    late: tuple[float, float, float]
    seconds_per_job: float


def measure(scenario: Scenario, policy: Policy) -> Figures:
    """Let a scenario happen."""
    begun = time.perf_counter()
    result = Simulation(scenario, policy).run()
    took = time.perf_counter() - begun
    flooding = [person for person in scenario.people if person.floods]
    theirs = {person.user_id for person in scenario.people if not person.floods}
    shares = [result.served[person.user_id] / person.weight for person in flooding]
    waits = [one.begun_at - one.submitted_at for one in result.ended if one.task.user_id in theirs]
    is_small = len(scenario.people) < 100
    return Figures(
        jain=sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares)),
        jobs=len(result.ended),
        loading=result.load_seconds / result.busy_seconds,
        wait=spread(waits),
        late=spread(lateness(scenario, result.ended)) if is_small else (0.0, 0.0, 0.0),
        seconds_per_job=took / len(result.ended),
    )


def average(many: Sequence[Figures]) -> Figures:
    """Give the means over the seeds."""

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(values)

    def means(values: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
        first, second, third = (mean([one[n] for one in values]) for n in range(3))
        return first, second, third

    return Figures(
        jain=mean([one.jain for one in many]),
        jobs=mean([one.jobs for one in many]),
        loading=mean([one.loading for one in many]),
        wait=means([one.wait for one in many]),
        late=means([one.late for one in many]),
        seconds_per_job=mean([one.seconds_per_job for one in many]),
    )


def policies(slacks: Sequence[float]) -> dict[str, Callable[[Scenario], Policy]]:
    """Give the policies that are compared, by name; the last ones with these slacks."""

    def warm(slack: float) -> Callable[[Scenario], Policy]:
        return lambda scenario: Fair(scenario, Rules(slack_seconds=slack))

    return {
        "first come": FirstComeFirstServed,
        "round robin": RoundRobin,
        _FAIR: lambda scenario: Fair(scenario, Rules(slack_seconds=-1), sees_models=False),
        _WARM: warm(Rules().slack_seconds),
        **{f"{_WARM}, {slack:g} s": warm(slack) for slack in slacks},
    }


def measure_all(names: Sequence[str], seeds: int, slacks: Sequence[float]) -> dict[str, dict[str, Figures]]:
    """Measure and print them."""
    found: dict[str, dict[str, Figures]] = {}
    for name in names:
        is_large = name == "farm"
        scenarios = [_SCENARIOS[name](seed) for seed in range(1, 2 if is_large else seeds + 1)]
        chosen = policies(() if is_large else slacks)
        if is_large:
            del chosen["round robin"]
        found[name] = {
            title: average([measure(scenario, policy(scenario)) for scenario in scenarios])
            for title, policy in chosen.items()
        }
        print_table(name, _HEADS, [(title, *_words(figures)) for title, figures in found[name].items()])
    return found


def _words(figures: Figures) -> tuple[str, ...]:
    waits = [f"{value:.1f}" for value in figures.wait]
    late = [f"{value:.0f}" for value in figures.late[1:]] if figures.late[2] else ["", ""]
    share = f"{100 * figures.loading:.1f}"
    micros = f"{1e6 * figures.seconds_per_job:.0f}"
    return f"{figures.jain:.3f}", f"{figures.jobs:,.0f}", share, *waits, *late, micros


def check(office_figures: dict[str, Figures]) -> list[str]:
    """Say what the office did not reach."""
    fair, warm = office_figures[_FAIR], office_figures[_WARM]
    refusals = [
        (warm.jain < JAIN_LEAST, f"Jain's index is {warm.jain:.3f}"),
        (warm.jobs < JOBS_LEAST * fair.jobs, f"{warm.jobs / fair.jobs:.2f} times the jobs of fair queueing alone"),
        (warm.wait[1] > WAIT_MOST * fair.wait[1], f"interactive users wait {warm.wait[1] / fair.wait[1]:.2f} times"),
    ]
    return [words for is_so, words in refusals if is_so]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and draw."""
    parser = parser_of("scheduler", __doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--scenario", nargs="*", default=list(_SCENARIOS), choices=list(_SCENARIOS))
    parser.add_argument("--slack", type=float, nargs="*", default=[20.0, 120.0], help="windows beside the usual one")
    parser.add_argument("--chart", type=Path, help="where to draw the office, as SVG")
    options = parser.parse_args(arguments)
    found = measure_all(options.scenario, options.seeds, options.slack)
    if options.chart is not None:
        options.chart.write_text(
            draw({title: (one.jobs, one.loading, one.wait[1], one.jain) for title, one in found["office"].items()})
        )
    refusals = check(found["office"]) if "office" in found else []
    if refusals:
        sys.exit(f"the office: {'; '.join(refusals)}")


if __name__ == "__main__":
    main()
