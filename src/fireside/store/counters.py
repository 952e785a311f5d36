"""What a change does to the totals of histories: one job more or less of a class, for its user and for its workflow."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fireside.domain.ids import UserId
from fireside.store.database import Statement
from fireside.store.rows import to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Jobs of one class that came (`by` 1) or went (`by` -1); `is_idle` says that their run time is 0."""

    user_id: UserId
    workflow_id: str | None
    number: int
    by: int
    is_idle: bool = True


def tally_statements(tallies: Iterable[Tally]) -> list[Statement]:
    """Give the statement that counts, if any total changes."""
    sums: Counter[tuple[UserId, str, int]] = Counter()
    idle: Counter[tuple[UserId, str, int]] = Counter()
    for tally in tallies:
        for workflow in {"", tally.workflow_id or ""}:
            key = tally.user_id, workflow, tally.number
            sums[key] += tally.by
            idle[key] += tally.by * tally.is_idle
    # In one order for every change, so that writers never wait for each other in a circle.
    changed = [(*key, by, idle[key]) for key, by in sorted(sums.items()) if by or idle[key]]
    return [tally_statement(changed)] if changed else []


def tally_statement(totals: Iterable[tuple[UserId, str, int, int, int]]) -> Statement:
    """Count into totals, each given once: its user, its workflow ("" for all), its class, jobs and idle jobs."""
    return Statement("tally_totals", {"totals": to_json(list(totals)).decode()})
