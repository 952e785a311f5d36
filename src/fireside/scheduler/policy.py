"""Start-time fair queueing over users, in GPU-seconds divided by weight, with models kept warm inside a slack window.

Each user has a virtual time. A free worker goes to the eligible user whose virtual time is least; the job's estimate,
with what has to be loaded for it, is charged at once and corrected at its end, so that nobody fills all workers before
the first job is done. (Goyal, Vin, Cheng: Start-time Fair Queuing, 1996.) Where that job would have to load its models,
another one whose models are warm on that worker goes first, if its user had at most `slack_seconds` more (delay
scheduling: Zaharia et al., 2010). A job is passed over only so often. That a user who becomes active starts level with
the others is the store's doing, in the transaction of the submit.

A job goes only to a worker that can run it, and waits only when none of the free ones can. One whose turn comes while
none of them can is remembered: after a while it goes first on the next that can, however small its rivals are.
"""

from collections.abc import Iterable, Iterator

from fireside.domain.ids import UserId
from fireside.scheduler.queue import UserQueue
from fireside.scheduler.state import State
from fireside.scheduler.table import Table
from fireside.scheduler.values import Placement, Side, Spot, Waiting

_MOST_RIVALS = 64
_MOST_GROUPS = 32
# What is saved by less is not worth an unfair turn.
_WORTH_SECONDS = 1.0
_STILL_WARM = 0.1

Turn = tuple[UserQueue, Waiting]


def decide(state: State, spots: Iterable[Spot], now: float, *, most: int | None = None) -> list[Placement]:
    """Fill the free workers, one job each, in fair order; the state goes on as if all of it had been written.

    At `most` so many placements are made at once, so that nothing waits long for a decision to be over.
    The cost grows with the number of placements and of free workers, not with the number of users or jobs.
    """
    table = Table(state, spots)
    placements: list[Placement] = []
    while table and (most is None or len(placements) < most):
        reserved = _reserved_turn(state, table, now)
        turn = reserved or _fair_turn(state, table, now)
        if turn is None:
            break
        spot = table.best(state.need(turn[1].requirement_id))
        warm = _warm_turn(state, turn, spot, now) if reserved is None else None
        placements.append(_place(state, warm or turn, spot, is_bent=(warm or reserved) is not None))
        table.take(spot)
    return placements


def _fair_turn(state: State, table: Table, now: float) -> Turn | None:
    """Give the least served user whom one of the free workers is of use to, and the first of their jobs it can run."""
    first: tuple[float, UserId] | None = None
    for side in state.lines.sides():
        if table.has(side):
            first = min(state.lines.first(side), first or state.lines.first(side))
    _note_blocked(state, table, first, now)
    if first is None:
        return None
    user = state.users[first[1]]
    job = state.first_of(user, table.kinds)
    assert job is not None
    return user, job


def _note_blocked(state: State, table: Table, first: tuple[float, UserId] | None, now: float) -> None:
    """Remember whose turn it would be, were one of their workers free."""
    for side in state.lines.sides():
        place = state.lines.first(side)
        if side not in state.blocked and not table.has(side) and (first is None or place <= first):
            user = state.users[place[1]]
            job = state.first_in(user, side)
            assert job is not None
            state.blocked[side] = (user.user_id, job.job_id, now)


def _reserved_turn(state: State, table: Table, now: float) -> Turn | None:
    """Give the job that has waited longest for one of the workers that are free now, if that is long enough."""
    due: list[tuple[float, Side, Turn]] = []
    for side, (user_id, job_id, since) in list(state.blocked.items()):
        user = state.users.get(user_id)
        heads = user.heads() if user is not None and user.may_have_more else ()
        job = next((head for head in heads if head.job_id == job_id), None)
        if user is None or job is None or state.need(job.requirement_id).side != side:
            del state.blocked[side]
        elif table.has(side) and now - since >= state.rules.reserve_after_seconds and _is_within(state, user):
            due.append((since, side, (user, job)))
    if not due:
        return None
    _, side, turn = min(due, key=lambda one: one[0])
    del state.blocked[side]
    return turn


def _is_within(state: State, user: UserQueue) -> bool:
    least = min((state.lines.first(side) for side in state.lines.sides()), default=(user.virtual_time, user.user_id))
    return user.virtual_time <= least[0] + max(state.rules.slack_seconds, 0.0)


def _warm_turn(state: State, turn: Turn, spot: Spot, now: float) -> Turn | None:
    """Give a job that is warm on the worker that the fair one would have to load its models on, and may go first."""
    user, job = turn
    need = state.need(job.requirement_id)
    if not spot.warm or state.costs.load_seconds(need.models - spot.warm) < _WORTH_SECONDS:
        return None
    for rival, warm in _rivals(state, spot, user.virtual_time + state.rules.slack_seconds):
        head = state.first_of(rival, [spot.kind])
        assert head is not None
        passed = (
            {(user.user_id, job): user, (rival.user_id, head): rival} if head != warm else {(user.user_id, job): user}
        )
        if all(_may_pass(state, theirs, one, rival, warm, now) for (_, one), theirs in passed.items()):
            for (_, one), theirs in passed.items():
                theirs.pass_over(one, now)
            return rival, warm
    return None


def _may_pass(state: State, user: UserQueue, job: Waiting, rival: UserQueue, warm: Waiting, now: float) -> bool:
    if rival is user and job.is_urgent and not warm.is_urgent:
        return False
    passed, rules = user.passed(job), state.rules
    return passed is None or (passed.times < rules.most_passes and now - passed.since < rules.longest_pass_seconds)


def _rivals(state: State, spot: Spot, latest: float) -> Iterator[Turn]:
    """Give the jobs that are warm on the worker, of users who had no more than so much, in fair order."""
    lines = state.lines.in_order(lambda side: spot.kind in side)
    for number, (virtual_time, user_id) in enumerate(lines):
        if virtual_time > latest or number >= _MOST_RIVALS:
            return
        user = state.users[user_id]
        warm = [job for _, job in zip(range(_MOST_GROUPS), user.heads(), strict=False) if _is_warm(state, job, spot)]
        if warm:
            yield user, min(warm, key=lambda job: job.order)


def _is_warm(state: State, job: Waiting, spot: Spot) -> bool:
    need, costs = state.need(job.requirement_id), state.costs
    if spot.kind not in need.side or spot.warm.isdisjoint(need.models):
        return False
    cold, missing = costs.load_seconds(need.models), costs.load_seconds(need.models - spot.warm)
    return cold - missing >= _WORTH_SECONDS and missing <= _STILL_WARM * cold


def _place(state: State, turn: Turn, spot: Spot, *, is_bent: bool) -> Placement:
    user, job = turn
    need = state.need(job.requirement_id)
    models = need.models
    loads = models - spot.warm
    costs = state.costs
    fetching = costs.fetch_seconds(loads - spot.at_hand)
    estimate = costs.run_seconds(job.fingerprint) + costs.load_seconds(loads) + fetching
    state.hand_out(user, job, estimate)
    return Placement(
        job_id=job.job_id,
        user_id=user.user_id,
        worker_id=spot.worker_id,
        estimate_seconds=estimate,
        models=models,
        loads=loads,
        fingerprint=job.fingerprint,
        side=need.side,
        order=job.order,
        is_bent=is_bent,
    )
