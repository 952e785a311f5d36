"""What the leader knows of who waits and how they stand: fed by changes, never read whole for a decision.

It holds the first jobs of each user by what they ask for, and users in fair order. Nothing here has to be right: an
assignment that is made of something outdated is refused by the store, and what the store says is taken in again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from uuid import UUID

from fireside.domain.ids import JobId, UserId
from fireside.scheduler.costs import Costs
from fireside.scheduler.lines import Lines
from fireside.scheduler.queue import UserQueue
from fireside.scheduler.values import Group, Need, Rules, Side, Standing, Waiting


class State:
    """All that decisions are made from, beside the workers that are free."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.costs = Costs()
        self.lines = Lines()
        self.users: dict[UserId, UserQueue] = {}
        self.blocked: dict[Side, tuple[UserId, JobId, float]] = {}
        """For each line without a free worker, whose turn it was, with what, and since when."""
        self.to_refill: set[tuple[UserId, UUID]] = set()
        """Groups of which all that was known is handed out, and of which the store knows more."""
        self._needs: dict[UUID, Need] = {}
        self._wanted: Counter[str] = Counter()

    def knows(self, requirement_id: UUID) -> bool:
        """Whether it was told what this requirement asks for."""
        return requirement_id in self._needs

    def need(self, requirement_id: UUID) -> Need:
        """Say what jobs of this requirement ask for."""
        return self._needs[requirement_id]

    def know_needs(self, needs: Mapping[UUID, Need]) -> None:
        """Take what requirements ask for; must be told before the first job that has one."""
        changed = {one for one, need in needs.items() if one in self._needs and self._needs[one] != need}
        counted = [user for user in self.users.values() if changed & user.groups.keys()] if changed else []
        for user in counted:
            self._count(user.groups, -1)
        self._needs |= needs
        for user in counted:
            self._count(user.groups, 1)
            self._list(user)

    def used_needs(self) -> set[UUID]:
        """Forget the requirements that no job known here has, and give the others."""
        used = {requirement_id for user in self.users.values() for requirement_id in user.groups}
        self._needs = {one: need for one, need in self._needs.items() if one in used}
        return used

    def wants(self, model: str) -> bool:
        """Whether a waiting job reads this model."""
        return self._wanted[model] > 0

    def set_user(self, standing: Standing, groups: Iterable[Group]) -> None:
        """Take all there is to know of a user."""
        user = self._user(standing)
        self._count(user.groups, -1)
        user.set_groups(groups)
        self._count(user.groups, 1)
        self._list(user)

    def set_standing(self, standing: Standing) -> None:
        """Take how a user stands now; their queue is as it was."""
        self._list(self._user(standing))

    def set_group(self, user_id: UserId, group: Group) -> None:
        """Take the first jobs of one of a user's groups."""
        self.to_refill.discard((user_id, group.requirement_id))
        user = self.users.get(user_id)
        if user is not None:
            before = group.requirement_id in user.groups
            user.set_group(group)
            self._recount(group.requirement_id, user, before=before)
            self._list(user)

    def add_job(self, user_id: UserId, job: Waiting) -> bool:
        """Take a job that was queued just now, of a user who is known; say whether it is among the first ones."""
        user = self.users[user_id]
        before = job.requirement_id in user.groups
        is_near = user.add(job)
        self._recount(job.requirement_id, user, before=before)
        self._list(user)
        return is_near

    def forget_user(self, user_id: UserId) -> None:
        """Forget a user who has nothing in hand."""
        user = self.users.pop(user_id, None)
        if user is not None:
            self._count(user.groups, -1)
            self.lines.put(user_id, user.virtual_time, ())

    def hand_out(self, user: UserQueue, job: Waiting, estimate_seconds: float) -> None:
        """Charge the user and take the job out of their queue."""
        if user.take(job):
            self.to_refill.add((user.user_id, job.requirement_id))
        self._recount(job.requirement_id, user, before=True)
        user.virtual_time += estimate_seconds / user.weight
        user.held += 1
        self._list(user)

    def first_of(self, user: UserQueue, kinds: Iterable[int]) -> Waiting | None:
        """Give the first job of a user that one of these kinds can run."""
        wanted = frozenset(kinds)
        heads = (job for job in user.heads() if not wanted.isdisjoint(self._needs[job.requirement_id].side))
        return min(heads, key=lambda job: job.order, default=None)

    def first_in(self, user: UserQueue, side: Side) -> Waiting | None:
        """Give the first job of a user for whose sake they stand in a line."""
        heads = (job for job in user.heads() if self._needs[job.requirement_id].side == side)
        return min(heads, key=lambda job: job.order, default=None)

    def settle(self, user_id: UserId, seconds: float) -> None:
        """Take back one held job of a user, whose charge turned out wrong by so many seconds."""
        user = self.users[user_id]
        time = user.virtual_time + seconds / user.weight
        user.virtual_time, user.held = time, user.held - 1
        self._list(user)

    def lift(self, user_id: UserId, virtual_time: float) -> None:
        """Have a user stand at least there."""
        user = self.users[user_id]
        user.virtual_time = max(user.virtual_time, virtual_time)
        self._list(user)

    def _user(self, standing: Standing) -> UserQueue:
        user = self.users.get(standing.user_id)
        if user is None:
            user = self.users[standing.user_id] = UserQueue(standing)
        user.stand(standing)
        return user

    def _list(self, user: UserQueue) -> None:
        sides: set[Side] = set()
        if user.may_have_more:
            sides = {self._needs[requirement_id].side for requirement_id in user.groups}
        self.lines.put(user.user_id, user.virtual_time, [side for side in sides if side])

    def _recount(self, requirement_id: UUID, user: UserQueue, *, before: bool) -> None:
        self._count([requirement_id], (requirement_id in user.groups) - before)

    def _count(self, requirement_ids: Iterable[UUID], by: int) -> None:
        for requirement_id in requirement_ids if by else ():
            for model in self._needs[requirement_id].models:
                self._wanted[model] += by
