"""What feeds the scheduler's state: changes of this process at once, those of other servers by word and by looking.

A change marks its user; before a decision, and only then, what is marked is read from the store. Nobody's queue is read
whole, and nothing is believed for long that the store does not say: users whose figures differ, and a few others in
turn, are read again and again.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from fireside.dispatch.suitability import Suitability
from fireside.domain.ids import JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.pools import Pool
from fireside.jobs.desk import Desk
from fireside.scheduler.state import State
from fireside.scheduler.values import Group, Placement, Spot, Standing, Waiting
from fireside.store.records import EQUAL_JOB_AWAITED, NOTHING_REQUIRED, NewJob, QueueHead, Share
from fireside.wire.fleet import Presence

_HEADS = 32
"""How many jobs of one user and one requirement are known at a time, at most."""
_LEAST_HEADS = 4
_MOST_HEADS = 8_000
"""Shared by all users: the more of them wait, the seldomer is it the turn of each."""
_FEW_HEADS = 2
_MANY_GROUPS = 16
_MOST_AT_ONCE = 200
_READ_AGAIN = 10
_CLOSE = 1e-6
_EVERYBODY = UserId(0)
_Pair = tuple[UserId, UUID]


class Ledger:
    """The state of one leader, and what of it has to be read again; `when_queued` is told of jobs of this process."""

    def __init__(self, desk: Desk, when_queued: Callable[[], None] = lambda: None) -> None:
        self.state = State()
        self._desk = desk
        self._when_queued = when_queued
        self._suitability = Suitability(desk)
        self._changed: set[UserId] = set()
        self._moved: dict[UserId, Share] = {}
        self._being_read: set[UserId] = set()
        self._jobs: dict[UserId, dict[JobId, Job]] = {}
        self._under_way: dict[JobId, Placement] = {}
        self._warm: dict[WorkerId, tuple[str, frozenset[str]]] = {}
        self._in_turn: list[UserId] = []
        self._heads = _HEADS
        self._paused: set[UserId] = set()
        self._pauses_are_read = False
        desk.store.watch(self._heard)

    async def rebuild(self) -> None:
        """Begin anew, with what the store says."""
        self.forget()
        self._changed = {share.user_id for share in await self._desk.store.shares()}
        self._heads = _heads_of_each(len(self._changed))
        await self.refresh()

    def forget(self) -> None:
        """Let go of everything, for as long as somebody else leads."""
        self.state = State()
        self._jobs, self._under_way, self._in_turn, self._moved = {}, {}, [], {}

    def note(self, user_id: UserId) -> None:
        """Have a user read anew before the next decision, and all pauses."""
        self._pauses_are_read = False
        if user_id:
            self._changed.add(user_id)

    async def reconcile(self) -> None:
        """Look for what was not told: users whose figures differ, and a few others in turn."""
        self._pauses_are_read = False
        shares = {share.user_id: share for share in await self._desk.store.shares()}
        self._heads = _heads_of_each(len(shares))
        # Whose last change of this process is not taken in yet may well differ.
        known = (self.state.users.keys() | shares.keys()) - self._moved.keys()
        self._changed |= {user_id for user_id in known if not self._agrees(user_id, shares.get(user_id))}
        self._in_turn = self._in_turn or list(self.state.users)
        self._changed |= set(self._in_turn[-_READ_AGAIN:])
        del self._in_turn[-_READ_AGAIN:]

    async def refresh(self) -> None:
        """Read what has changed since the last decision."""
        if self._suitability.has_changed():
            self.state.costs.know_sizes(self._suitability.sizes())
            self.state.costs.know_fetches(self._suitability.fetched_sizes())
            self.state.know_needs(await self._suitability.needs(self.state.used_needs()))
        if not self._pauses_are_read:
            await self._read_pauses()
        while self._changed:
            self._being_read = set(list(self._changed)[:_MOST_AT_ONCE])
            self._changed -= self._being_read
            try:
                await self._read_users(sorted(self._being_read))
            except BaseException:
                self._changed |= self._being_read
                raise
            finally:
                self._being_read = set()
        self._take_standings()
        await self._refill()

    async def spots(self, free: Mapping[WorkerId, Presence]) -> list[Spot]:
        """Say what the free workers are to the scheduler, given with their last words."""
        kinds = await self._suitability.kinds_of({worker_id: said.boot_id for worker_id, said in free.items()})
        return [
            Spot(
                worker_id=worker_id,
                kind=kinds[worker_id],
                warm=self._warm_on(worker_id, said),
                at_hand=self._suitability.at_hand(worker_id, said.fetched),
            )
            for worker_id, said in free.items()
        ]

    async def pools_for(self, pools: Sequence[Pool]) -> Mapping[UUID, frozenset[str]]:
        """Say for each requirement of jobs that wait which of these pools have workers that meet it."""
        used = {requirement_id for user in self.state.users.values() for requirement_id in user.counts()}
        return await self._suitability.pools_for(used, pools)

    def place(self, placement: Placement, said: Presence) -> Job | None:
        """Take note of a placement on a worker, given with its last word; give the job as it was read."""
        self._under_way[placement.job_id] = placement
        self._warm[placement.worker_id] = (said.boot_id, placement.models)
        return self._jobs.get(placement.user_id, {}).pop(placement.job_id, None)

    def forget_workers(self, present: Mapping[WorkerId, Presence]) -> None:
        """Forget what is warm on workers that are not there."""
        self._warm = {worker_id: warm for worker_id, warm in self._warm.items() if worker_id in present}

    def _heard(self, before: Job | None, after: Job, new: NewJob | None, share: Share | None) -> None:
        """Take in a change that this process has made, in the order in which they were written."""
        if share is not None:
            # Not yet: what has been handed out since, in memory, may not be written.
            self._moved[after.user_id] = share
        if before is None and after.is_terminal:
            return
        if before is None:
            self._queued(after, new, share)
            self._when_queued()
        elif JobState.QUEUED in (before.state, after.state):
            if after.state is JobState.QUEUED:
                self._when_queued()
            if after.state is not JobState.ASSIGNED or after.id not in self._under_way:
                self._under_way.pop(after.id, None)
                self._changed.add(after.user_id)
        elif after.is_terminal:
            placed = self._under_way.pop(after.id, None)
            if placed is not None and after.state is JobState.SUCCEEDED:
                self.state.costs.learn(placed.fingerprint, after.run_time.total_seconds(), placed.loads)

    def _queued(self, job: Job, new: NewJob | None, share: Share | None) -> None:
        if new is None or job.user_id in self._being_read | self._changed:
            self._changed.add(job.user_id)
            return
        user = self.state.users.get(job.user_id)
        if user is None or not (user.held or user.groups):
            if share is None or (share.queued, share.held) != (1, 0):
                self._changed.add(job.user_id)
                return
            # The store has lifted the user to the others, and nothing else of theirs waits.
            self.state.set_user(self._standing(share), ())
        wanted = NOTHING_REQUIRED if new.requirement is None else new.requirement.id
        if wanted == EQUAL_JOB_AWAITED:
            # The one that it waits for may have got another place by it.
            self._changed.add(job.user_id)
        elif not self.state.knows(wanted):
            self._changed.add(job.user_id)
        else:
            if new.estimate_seconds is not None:
                self.state.costs.know_run(new.fingerprint, new.estimate_seconds)
            if self.state.add_job(job.user_id, _waiting(job, wanted, new.fingerprint)):
                self._jobs.setdefault(job.user_id, {})[job.id] = job

    def _agrees(self, user_id: UserId, share: Share | None) -> bool:
        user = self.state.users.get(user_id)
        if user is None or share is None:
            return user is None and share is None
        is_same = (user.weight, user.max_running, user.held) == (share.weight, self._limit(share), share.held)
        return is_same and abs(user.virtual_time - share.virtual_time) < _CLOSE and user.may_have(share.queued)

    async def _read_pauses(self) -> None:
        self._pauses_are_read = True
        before, self._paused = self._paused, {pause.user_id or _EVERYBODY for pause in await self._desk.store.pauses()}
        differing = before ^ self._paused
        self._changed |= self.state.users.keys() if _EVERYBODY in differing else differing & self.state.users.keys()

    async def _read_users(self, user_ids: Sequence[UserId]) -> None:
        for user_id in user_ids:
            self._moved.pop(user_id, None)
        pairs = await self._desk.store.waiting_requirements(user_ids)
        heads = await self._read_heads(pairs)
        shares = {share.user_id: share for share in await self._desk.store.shares_of(user_ids)}
        mine: dict[UserId, list[Group]] = {}
        jobs: dict[UserId, dict[JobId, Job]] = {}
        for (user_id, requirement_id), (found, has_more) in heads.items():
            mine.setdefault(user_id, []).append(_group(requirement_id, found, has_more=has_more))
            jobs.setdefault(user_id, {}).update({head.job.id: head.job for head in found})
        for user_id in user_ids:
            share = shares.get(user_id)
            self._jobs.pop(user_id, None)
            if share is None or not (share.held or mine.get(user_id)):
                self.state.forget_user(user_id)
            else:
                self._jobs[user_id] = jobs.get(user_id, {})
                self.state.set_user(self._standing(share), mine.get(user_id, []))

    def _take_standings(self) -> None:
        moved, self._moved = self._moved, {}
        for share in moved.values():
            user = self.state.users.get(share.user_id)
            if user is not None:
                self.state.set_standing(self._standing(share))
                if not (share.held or user.groups):
                    self.state.forget_user(share.user_id)

    async def _refill(self) -> None:
        pairs = sorted(self.state.to_refill)
        heads = await self._read_heads(pairs) if pairs else {}
        for user_id, requirement_id in pairs:
            found, has_more = heads.get((user_id, requirement_id), ([], False))
            self.state.set_group(user_id, _group(requirement_id, found, has_more=has_more))
            self._jobs.setdefault(user_id, {}).update({head.job.id: head.job for head in found})

    async def _read_heads(self, pairs: Sequence[_Pair]) -> dict[_Pair, tuple[list[QueueHead], bool]]:
        """Read the first jobs of these groups, and whether there are more; of users with many groups only a few."""
        groups: dict[UserId, int] = {}
        for user_id, _ in pairs:
            groups[user_id] = groups.get(user_id, 0) + 1
        found: dict[_Pair, tuple[list[QueueHead], bool]] = {}
        for heads, is_many in ((self._heads, False), (_FEW_HEADS, True)):
            wanted = [pair for pair in pairs if (groups[pair[0]] > _MANY_GROUPS) == is_many]
            read: dict[_Pair, list[QueueHead]] = {}
            for head in await self._desk.store.heads_of_requirements(wanted, per_pair=heads) if wanted else ():
                read.setdefault((head.job.user_id, head.requirement_id), []).append(head)
                if head.estimate_seconds is not None:
                    self.state.costs.know_run(head.fingerprint, head.estimate_seconds)
            found |= {pair: (mine, len(mine) == heads) for pair, mine in read.items()}
        unknown = {wanted for _, wanted in found if not self.state.knows(wanted)}
        if unknown:
            self.state.know_needs(await self._suitability.needs(unknown))
        return found

    def _standing(self, share: Share) -> Standing:
        return Standing(
            user_id=share.user_id,
            weight=share.weight,
            virtual_time=share.virtual_time,
            held=share.held,
            max_running=self._limit(share),
            is_paused=not self._paused.isdisjoint((_EVERYBODY, share.user_id)),
            queued=share.queued,
        )

    def _limit(self, share: Share) -> int | None:
        return share.max_running or self._desk.config.max_running or None

    def _warm_on(self, worker_id: WorkerId, said: Presence) -> frozenset[str]:
        """Believe what the worker says, or else that what it ran last is warm while its process is the same."""
        if said.warm is not None:
            return frozenset(said.warm)
        boot_id, models = self._warm.get(worker_id, ("", frozenset[str]()))
        return models if boot_id == said.boot_id else frozenset[str]()


def _heads_of_each(users: int) -> int:
    return min(_HEADS, max(_LEAST_HEADS, _MOST_HEADS // max(users, 1)))


def _group(requirement_id: UUID, heads: Sequence[QueueHead], *, has_more: bool) -> Group:
    jobs = [_waiting(head.job, requirement_id, head.fingerprint) for head in heads]
    return Group(requirement_id=requirement_id, jobs=jobs, has_more=has_more)


def _waiting(job: Job, requirement_id: UUID, fingerprint: str) -> Waiting:
    return Waiting(job.id, (job.number, job.created_at.timestamp()), requirement_id, fingerprint)
