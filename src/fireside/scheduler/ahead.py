"""Which jobs that workers hold ready have to come back: somebody is served too little, or a worker is free for them.

A job that is made ready while another one runs keeps its place only as long as the policy would choose it again. What a
free worker could run at once never waits behind something that runs.
"""

from collections.abc import Iterable, Sequence

from fireside.scheduler.state import State
from fireside.scheduler.values import Readied, Spot

_CLOSE = 1e-6


def to_withdraw(state: State, readied: Iterable[Readied], free: Sequence[Spot]) -> list[Readied]:
    """Say which of these go back to the queue, given the workers that are free; asked before each decision."""
    back: list[Readied] = []
    rest: list[Readied] = []
    for one in readied:
        if one.user_id in state.users:
            (back if _has_to_wait(state, one) else rest).append(one)
    if free and rest:
        rest.sort(key=lambda one: _begun_at(state, one))
        for spot in free:
            moved = _wanted_on(state, rest, spot)
            if moved is not None:
                rest.remove(moved)
                back.append(moved)
    return back


def _has_to_wait(state: State, one: Readied) -> bool:
    """Whether a job that waits would be chosen in its place by now."""
    user = state.users[one.user_id]
    if user.is_paused:
        return True
    least = _least_served(state, one.kind)
    bent = max(state.rules.slack_seconds, 0.0) if one.is_bent else 0.0
    if least is not None and least < _begun_at(state, one) - bent - _CLOSE:
        return True
    first = state.first_of(user, (one.kind,))
    if first is None or first.order >= one.order:
        return False
    return not one.is_bent or (first.is_urgent and one.order[0] >= 0)


def _wanted_on(state: State, readied: Sequence[Readied], spot: Spot) -> Readied | None:
    """Give the one whose turn it is on a free worker, or whose owner could have another one there without it."""
    least = _least_served(state, spot.kind)
    for one in readied:
        if spot.kind in one.side and (least is None or _begun_at(state, one) <= least):
            return one
    for one in readied if least is None else ():
        user = state.users[one.user_id]
        if not user.may_have_more and state.first_of(user, (spot.kind,)) is not None:
            return one
    return None


def _least_served(state: State, kind: int) -> float | None:
    """Give the virtual time of whose turn it is on workers of a kind."""
    lines = (state.lines.first(side)[0] for side in state.lines.sides() if kind in side)
    return min(lines, default=None)


def _begun_at(state: State, one: Readied) -> float:
    """Give the virtual time that its owner would have without it."""
    user = state.users[one.user_id]
    return user.virtual_time - one.charged_seconds / user.weight
