"""Random verbs on both databases side by side: whatever is asked, they answer alike, refusals included."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from fireside.domain.accounts import Invitation, Role
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.errors import FiresideError
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.lifecycle import Verb, advance
from fireside.domain.listing import JobFilter, JobSort, Window
from fireside.domain.moves import Move
from fireside.domain.outputs import Media, OutputSummary
from fireside.domain.pauses import PauseOrigin
from fireside.domain.retention import Retention
from fireside.domain.workers import Topic, Worker
from fireside.store.database import Database
from fireside.store.equal_verbs import EndedEqual
from fireside.store.records import Ending, JobBody, NewJob, NodeRecord, Publication, StagedInput, TimelineEntry
from fireside.store.store import Store

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LEASED = {Verb.START, Verb.SUCCEED, Verb.FAIL, Verb.RELEASE}
PATHS = (
    [Verb.ASSIGN, Verb.START],
    [Verb.ASSIGN, Verb.START, Verb.SUCCEED],
    [Verb.ASSIGN, Verb.WITHDRAW, Verb.ASSIGN],
    [Verb.ASSIGN, Verb.START, Verb.FAIL],
    [Verb.ASSIGN, Verb.START, Verb.RELEASE, Verb.ASSIGN],
)
_MOST_STEPS = 60
MOVES = ("front", "back", "before", "after")
EMPTY = JobBody(graph=b"", extra_data=b"{}", outputs=())
WORKS = (None, None, b"w" * 32, b"\xff" * 32)
SPAN = (NOW.date() - timedelta(days=2), NOW.date() + timedelta(days=2))
NAMES = ("a.png", "a (1).png", "x_00001_.png", "ä\N{GRINNING FACE}.png", "Z", "_")

numbers = st.integers(0, 99)
users = st.integers(0, 2)
instants = st.integers(-(10**7), 10**7).map(lambda number: NOW + timedelta(microseconds=number))
files = st.builds(
    FileName,
    folder=st.sampled_from(list(Folder)),
    subfolder=st.sampled_from(["", "x/y", "Ä"]),
    name=st.sampled_from(NAMES),
)
hashes = st.sampled_from("abc").map(lambda letter: BlobHash(letter * 64))
bodies = st.builds(
    JobBody,
    graph=st.binary(max_size=9),
    extra_data=st.just(b"{}"),
    outputs=st.sampled_from([(), ("9", "ä")]),
    inputs=st.lists(
        st.builds(StagedInput, value=st.sampled_from(NAMES), hash=hashes, size_bytes=st.just(1 << 40)), max_size=2
    ).map(tuple),
    sealed_secrets=st.sampled_from([None, b"\0secret"]),
)
filters = st.builds(
    JobFilter,
    states=st.one_of(st.just(frozenset(JobState)), st.frozensets(st.sampled_from(list(JobState)))),
    workflow_id=st.sampled_from([None, None, "a"]),
    media=st.sampled_from([Media.NONE, Media.NONE, Media.IMAGE, Media.VIDEO | Media.AUDIO]),
)
windows = st.builds(
    Window,
    sort=st.sampled_from(list(JobSort)),
    descending=st.booleans(),
    offset=st.integers(0, 5),
    limit=st.integers(1, 5),
)


def job_id(number: int) -> JobId:
    return JobId(UUID(int=1000 + number))


@dataclass(frozen=True)
class Refusal:
    """A refusal as both must answer it; what a schema calls its own constraints is its business."""

    kind: type[BaseException]


class Sides(RuleBasedStateMachine):
    """Both stores, and how much was put into them; ids are ours, so that they are the same."""

    def __init__(self, *opened: OpenDatabase) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.stores = [Store(self.runner.run(self.stack.enter_async_context(one()))) for one in opened]
        self.users = [self.both(lambda store, name=name: store.add_user(name, Role.MEMBER, NOW, weight=1.5)).id
                      for name in ("ann", "Ben")]  # fmt: skip
        self.gone: list[UserId] = []
        self.jobs = self.assets = self.keys = self.copies = 0
        # Who ran a job is asked of those who would use what it has made.
        self.both(lambda store: store.save_worker(worker_called("w")))

    @initialize(body=bodies, files=st.lists(st.tuples(files, hashes), max_size=2), followers=st.integers(0, 3))
    def begin(self, body: JobBody, files: list[tuple[FileName, BlobHash]], followers: int) -> None:
        """One has made something that others may have, and another waits for what is on its way, with equal ones."""
        for user, work, count in ((1, WORKS[3], 1), (0, WORKS[2], 1 + followers)):
            for _ in range(count):
                new = NewJob(
                    id=job_id(self.jobs), user_id=self.users[user], body=body, work=work, joins_equals=True, front=True
                )
                assert isinstance(self.both(lambda store, new=new: store.add_job(new, NOW, max_queued=None)), Job)
                self.jobs += 1
        self.live({0}, [Verb.ASSIGN, Verb.START], wait=5)
        self.add_output(0, "9", files, [])
        self.live({0}, [Verb.SUCCEED], wait=7)

    def teardown(self) -> None:
        try:
            self.look_at_everything()
            self.bring_to_an_end()
            self.look_at_everything()
        finally:
            self.runner.run(self.stack.aclose())
            self.runner.close()

    def both(self, ask: Callable[[Store], Awaitable[Any]]) -> Any:
        """Ask both; they answer, or refuse, alike."""

        async def answers() -> list[Any]:
            return await asyncio.gather(*(answered(ask(store)) for store in self.stores))

        one, other = self.runner.run(answers())
        assert one == other
        return one

    def both_in_turn(self, ask: Callable[[Store], Awaitable[Any]]) -> Any:
        """Ask both, one after the other, so that what they make copies of has the same ids in both."""

        async def answer(store: Store) -> Any:
            numbers = iter(range(1_000_000 + 1000 * self.copies, 10_000_000))
            with patch("fireside.domain.reuse.uuid4", lambda: UUID(int=next(numbers))):
                return await answered(ask(store))

        self.copies += 1
        one, other = (self.runner.run(answer(store)) for store in self.stores)
        assert one == other
        return one

    def user(self, number: int) -> UserId:
        return [*self.users, UserId(77)][number]

    def some_job(self, number: int) -> JobId:
        return job_id(number % (self.jobs + 1))

    def new_asset(self, user_id: UserId, file: FileName, hash_: BlobHash, origin: OutputOrigin | None) -> Asset:
        self.assets += 1
        return Asset(
            id=AssetId(UUID(int=self.assets)), user_id=user_id, file=file, hash=hash_, size_bytes=1 << 33,
            content_type="image/png", created_at=NOW, origin=origin,
        )  # fmt: skip

    @rule(
        user=users, old=numbers, is_new=st.integers(0, 9), body=bodies, front=st.booleans(), now=instants,
        number=st.sampled_from([None, None, 0.5, -3.0]), workflow_id=st.sampled_from([None, "", "a", "Ä b"]),
        fingerprint=st.sampled_from(["", "f", "f"]), max_queued=st.sampled_from([None, None, None, 3]),
        work=st.sampled_from(WORKS), joins_equals=st.booleans(),
    )  # fmt: skip
    def submit(self, user: int, old: int, is_new: int, now: datetime, max_queued: int | None, **given: Any) -> None:
        chosen = job_id(self.jobs) if is_new else self.some_job(old)
        new = NewJob(id=chosen, user_id=self.user(user), **given)
        if isinstance(self.both(lambda store: store.add_job(new, now, max_queued=max_queued)), Job):
            self.jobs += 1

    @rule(
        number=numbers, choice=numbers, wait=st.sampled_from([0, 1, 3_000_000]), media=st.integers(0, 15),
        charge=st.sampled_from([0.0, 4.5, -0.75]), is_fresh=st.integers(0, 9), term=st.sampled_from([None, None, 1]),
        models=st.sampled_from([None, {}, {"checkpoints/ä": "h"}]),
    )  # fmt: skip
    def change(
        self, number: int, choice: int, wait: int, media: int, charge: float, is_fresh: int, term: int | None,
        models: dict[str, str] | None,
    ) -> None:  # fmt: skip
        job = self.both(lambda store: store.job(self.some_job(number)))
        known = [verb for verb in Verb if job and advanced(job, verb, wait)]
        if not known:
            return
        verb = known[choice % len(known)]
        after = advanced(job, verb, wait)
        assert after is not None
        before = job if is_fresh else replace(job, fence=job.fence + 1)
        summary = OutputSummary(preview={"x": "ä"}, outputs_count=2, previewable_count=1, media=Media(media))
        ending = Ending(summary=summary, error=b"{}", charged_seconds=1.25, models=models)
        timeline = [TimelineEntry(kind=verb.value, at=after.changed_at, data={"n": wait})]
        self.both(
            lambda store: store.change_job(
                before, after, ending=ending if after.is_terminal else None, charge_seconds=charge, timeline=timeline,
                term=term,
            )
        )  # fmt: skip

    @rule(numbers=st.sets(numbers, min_size=1, max_size=3), path=st.sampled_from(PATHS), wait=st.integers(0, 10**7))
    def live(self, numbers: Collection[int], path: Sequence[Verb], wait: int) -> None:
        for number in sorted(numbers):
            for verb in path:
                job = self.both(lambda store, number=number: store.job(self.some_job(number)))
                after = job and advanced(job, verb, wait)
                if after:
                    ending = Ending(charged_seconds=2.0, models={}) if after.is_terminal else None
                    self.both(
                        lambda store, job=job, after=after, ending=ending: store.change_job(
                            job, after, ending=ending, charge_seconds=2.0
                        )
                    )

    @rule(
        number=numbers, node_id=st.sampled_from(["9", "ä"]), shown=st.lists(st.tuples(files, hashes), max_size=3),
        texts=st.sampled_from([[], [], ["ä"]]),
    )  # fmt: skip
    def add_output(self, number: int, node_id: str, shown: list[tuple[FileName, BlobHash]], texts: list[str]) -> None:
        job = self.both(lambda store: store.job(self.some_job(number)))
        if job is None:
            return
        origins = [OutputOrigin(job_id=job.id, node_id=node_id, key="images", index=n) for n in range(len(shown))]
        assets = [self.new_asset(job.user_id, *one, origin) for one, origin in zip(shown, origins, strict=True)]
        items = [{"filename": file.name} for file, _ in shown]
        record = NodeRecord(node_id=node_id, display_node_id=node_id, output={"images": items, "text": texts})
        self.both(lambda store: store.add_output(job, record, assets))

    @rule(number=numbers, to=st.sampled_from(MOVES), anchor=numbers, other=users, is_mine=st.integers(0, 9))
    def move(self, number: int, to: Any, anchor: int, other: int, is_mine: int) -> None:
        job = self.both(lambda store: store.job(self.some_job(number)))
        user_id = job.user_id if job and is_mine else self.user(other)
        move = Move(to=to, anchor=self.some_job(anchor) if to in ("before", "after") else None)
        self.both(lambda store: store.move_job(user_id, self.some_job(number), move))

    @rule(number=numbers, unknown=st.sampled_from([0.5, 30.0]))
    def look_why_it_waits(self, number: int, unknown: float) -> None:
        job = self.both(lambda store: store.job(self.some_job(number)))
        if job is not None:
            self.both(lambda store: queue_facts(store, job, unknown))

    @rule(
        user=users, body=bodies, now=instants, work=st.sampled_from(WORKS[2:]), choice=numbers,
        is_anybodys=st.booleans(), front=st.booleans(),
    )  # fmt: skip
    def submit_what_is_done(
        self, user: int, work: bytes, choice: int, now: datetime, is_anybodys: bool, **given: Any
    ) -> None:
        user_id = self.user(user)
        done = self.both(lambda store: store.jobs_of_work(work, user_id=None if is_anybodys else user_id))
        if not done:
            return
        made = done[choice % len(done)]
        new = NewJob(id=job_id(self.jobs), user_id=user_id, work=work, **given)
        reused = self.both_in_turn(lambda store: store.add_reused_job(new, made, now, nodes=["9"], end=reusing))
        if reused is not None and not isinstance(reused, Refusal):
            self.jobs += 1

    @rule(how=st.sampled_from(["next", "all", "reuse", "reuse"]), choice=numbers, now=instants, anybodys=st.booleans())
    def see_to_equal_jobs(self, how: str, choice: int, now: datetime, anybodys: bool) -> None:
        over = self.both(lambda store: store.ended_equal_jobs())
        for one in over[choice % len(over) :] if over else []:
            self.see_to(one, how, now, anybodys=anybodys)

    def see_to(self, ended: EndedEqual, how: str, now: datetime, *, anybodys: bool) -> None:
        ended_id = ended.job_id
        if how == "reuse" and ended_id is not None:
            made = self.both(lambda store: store.made_work(ended_id))
            whose = None if anybodys else ended.user_id
            queued = self.both(lambda store: store.queued_equal_jobs(ended.work, user_id=whose, limit=3))
            for job in queued if made else []:
                self.both_in_turn(
                    lambda store, job=job: store.reuse_for_queued_job(job.id, made, now, nodes=[], end=reusing)
                )
        if how == "all":
            self.both(lambda store: store.let_all_equal_jobs_go(ended))
        else:
            self.both(lambda store: store.let_next_equal_job_go(ended))

    @rule(number=st.integers(0, 9), at=instants)
    def delete_user(self, number: int, at: datetime) -> None:
        """Somebody goes, not often, and somebody else comes under their name."""
        if number >= len(self.users):
            return
        leaving = self.users[number]
        name = next(user.name for user in self.both(lambda store: store.users()) if user.id == leaving)
        if self.both(lambda store: store.delete_user(leaving, at)):
            self.gone.append(leaving)
            self.users[number] = self.both(lambda store: store.add_user(name, Role.MEMBER, at)).id
        self.both(lambda store: store.delete_user(leaving, at))

    @rule(number=numbers, limit=st.integers(1, 4), weight=st.sampled_from([2, 99]), wait=st.sampled_from([0, 3]))
    def see_off_some(self, number: int, limit: int, weight: int, wait: int) -> None:
        if self.gone:
            self.see_off(number, limit, weight, wait)

    def see_off(self, number: int, limit: int, weight: int, wait: int) -> bool:
        """Remove some of what somebody left who has gone; True when nothing is left."""
        user_id = self.gone[number % len(self.gone)]
        for job in self.both(lambda store: store.active_jobs(user_id)):
            # Who holds it is gone, too.
            after = advanced(job, Verb.ABANDON, wait) or advanced(job, Verb.CANCEL, wait)
            if after is not None:
                self.both(lambda store, job=job, after=after: store.change_job(job, after))
        nothing = Retention(jobs=0, span=None)
        self.both(lambda store: store.prune_history(user_id, nothing, NOW, weight=weight))
        self.both(lambda store: store.remove_assets_of(user_id, limit=limit))
        return self.both(lambda store: store.forget_user(user_id))

    @rule(user=users, file=files, hash_=hashes, overwrite=st.booleans())
    def add_asset(self, user: int, file: FileName, hash_: BlobHash, overwrite: bool) -> None:
        asset = self.new_asset(self.user(user), file, hash_, None)
        self.both(lambda store: store.add_asset(asset, overwrite=overwrite))

    @rule(user=users, numbers=st.one_of(st.none(), st.sets(numbers, max_size=5)))
    def delete(self, user: int, numbers: Collection[int] | None) -> None:
        wanted = None if numbers is None else [self.some_job(number) for number in numbers]

        async def delete(store: Store) -> set[JobId]:
            return set(await store.delete_jobs(self.user(user), wanted))

        self.both(delete)

    @rule(
        user=users, jobs=st.sampled_from([None, 0, 2]), days=st.sampled_from([None, 0, 1]),
        weight=st.sampled_from([1, 4, 99]),
    )  # fmt: skip
    def prune(self, user: int, jobs: int | None, days: int | None, weight: int) -> None:
        retention = Retention(jobs=jobs, span=None if days is None else timedelta(days=days))
        self.both(lambda store: store.prune_history(self.user(user), retention, NOW, weight=weight))

    @rule(user=users, wanted=filters, window=windows)
    def list_jobs(self, user: int, wanted: JobFilter, window: Window) -> None:
        self.both(lambda store: store.list_jobs(self.user(user), wanted, window))

    @rule(user=st.integers(0, 1), used=numbers, at=instants, is_revoked=st.booleans())
    def use_keys(self, user: int, used: int, at: datetime, is_revoked: bool) -> None:
        self.keys += 1
        digest, key_id = self.keys.to_bytes(32), used % self.keys + 1
        self.both(lambda store: store.add_key(self.user(user), digest, "fs_", "läptop", at))
        self.both(lambda store: store.touch_keys({key_id: at, 999: NOW}))
        if is_revoked:
            self.both(lambda store: store.revoke_key(key_id, at))
        self.both(lambda store: store.key_owner(key_id.to_bytes(32), NOW))

    @rule(user=users, digest=st.sampled_from([b"1", b"2"]), at=instants, expires_at=instants)
    def sign_in(self, user: int, digest: bytes, at: datetime, expires_at: datetime) -> None:
        self.both(lambda store: store.add_session(digest, self.user(user), at, expires_at, idle_at=NOW))
        self.both(lambda store: store.session(digest, NOW, idle_at=at))
        self.both(lambda store: store.replace_session(digest, digest + b"'", at, end_at=NOW))
        self.both(lambda store: store.add_login_link(digest, self.user(user), expires_at))
        self.both(lambda store: store.use_login_link(digest, at))

    @rule(user=users, digest=st.sampled_from([b"3", b"4"]), at=instants, expires_at=instants)
    def choose_a_password(self, user: int, digest: bytes, at: datetime, expires_at: datetime) -> None:
        self.both(lambda store: store.add_login_link(digest, self.user(user), expires_at, sets_password=True))
        self.both(lambda store: store.login_link(digest, at, sets_password=True))
        self.both(lambda store: store.use_password_link(digest, self.user(user), "läptop"))
        self.both(lambda store: store.count_sign_in_try([digest, b"5"], at, counted_for=timedelta(hours=1)))
        self.both(lambda store: store.clear_sign_in_tries([digest]))

    @rule(name=st.sampled_from([None, "ä", "ann"]), taken_back=st.integers(1, 9), at=instants)
    def invite(self, name: str | None, taken_back: int, at: datetime) -> None:
        self.keys += 1
        digest = self.keys.to_bytes(32)
        invitation = Invitation(id=0, name=name, role=Role.ADMIN, weight=0.5, expires_at=at)
        self.both(lambda store: store.add_invitation(digest, invitation, NOW))
        self.both(lambda store: store.invitations(NOW))
        self.both(lambda store: store.invitation(digest, NOW))
        self.both(lambda store: store.remove_invitation(taken_back))

    @rule(name=st.sampled_from(["w", "W", "ä"]), hash_=st.sampled_from(["h", "H"]), at=instants)
    def join(self, name: str, hash_: str, at: datetime) -> None:
        worker = worker_called(name, hash_, at)
        self.both(lambda store: store.save_worker(worker))
        self.both(lambda store: store.publish(Publication(topic=Topic.DEFINITIONS, hash=hash_, body=b"\xff"), at))
        self.both(lambda store: store.unknown_publications({Topic.DEFINITIONS: "H", Topic.MODELS: "H"}))
        self.both(lambda store: store.touch_workers([WorkerId("w"), WorkerId("ä")], at))
        self.both(lambda store: store.forget_workers(timedelta(hours=1)))
        self.both(lambda store: store.take_term(name, at))

    @rule(user=st.integers(0, 1), origin=st.sampled_from(list(PauseOrigin)), is_all=st.booleans(), at=instants)
    def pause(self, user: int, origin: PauseOrigin, is_all: bool, at: datetime) -> None:
        user_id = None if is_all else self.user(user)
        self.both(lambda store: store.pause(user_id, origin, "ä", at))
        self.both(lambda store: store.pauses(self.user(user)))

    @rule(user=st.integers(0, 1), origin=st.sampled_from(list(PauseOrigin)), is_all=st.booleans())
    def resume(self, user: int, origin: PauseOrigin, is_all: bool) -> None:
        self.both(lambda store: store.resume(None if is_all else self.user(user), origin))
        self.both(lambda store: store.pauses())

    @rule(now=instants, workers=st.integers(0, 3), busy=st.integers(0, 3))
    def sample(self, now: datetime, workers: int, busy: int) -> None:
        before = now - timedelta(seconds=5)
        self.both(lambda store: store.sample_fleet(now, workers=workers, busy=busy, forget_before=before))
        self.both(lambda store: store.fleet_samples(NOW - timedelta(days=1)))

    def bring_to_an_end(self) -> None:
        """Do what random steps seldom come to: end what is equal, and see a user off with all that they have."""
        self.live({1}, [Verb.ASSIGN, Verb.START, Verb.SUCCEED], wait=1)
        self.submit_what_is_done(1, WORKS[3], 0, NOW, is_anybodys=False, body=EMPTY, front=False)
        for number in range(self.jobs):
            self.move(number, MOVES[number % 4], number - 1, 0, is_mine=1)
        for how in ("reuse", "next", "all"):
            self.see_to_equal_jobs(how, 0, NOW, anybodys=how == "reuse")
        self.delete_user(0, NOW)
        left = len(self.gone) > 0
        for _ in range(_MOST_STEPS):
            left = left and not self.see_off(0, limit=3, weight=9, wait=1)
        assert not left

    def look_at_everything(self) -> None:
        ids = [job_id(number) for number in range(self.jobs)]
        looks: list[Callable[[Store], Awaitable[Any]]] = [
            lambda store: store.users(),
            lambda store: store.keys(),
            lambda store: store.held_jobs(),
            lambda store: store.waiting(per_user=2),
            lambda store: store.workers(),
            lambda store: store.worker_profiles(),
            lambda store: store.waiting_requirements(self.users),
            lambda store: store.shares(),
            lambda store: store.shares_of(self.users),
            lambda store: store.pauses(),
            lambda store: store.leader(),
            lambda store: store.stored_bytes(),
            lambda store: store.departing_users(),
            lambda store: store.first_user(),
            lambda store: store.ended_equal_jobs(),
            *(lambda store, user_id=user_id: store.month_use(user_id, NOW) for user_id in self.users),
            *(lambda store, user_id=user_id: store.usage_by_day(user_id, *SPAN) for user_id in (None, *self.users)),
            *(
                lambda store, user_id=user_id: store.usage_by_workflow(user_id, *SPAN)
                for user_id in (None, *self.users)
            ),
            *(lambda store, one=one: store.job_attempts(one) for one in ids),
            *(lambda store, one=one: store.reused_job(one) for one in ids),
            *(lambda store, one=one: store.made_work(one) for one in ids),
            lambda store: queue_facts_of(store, ids),
            *(lambda store, work=work: store.queued_equal_jobs(work, user_id=None, limit=9) for work in WORKS if work),
            lambda store: store.published(Topic.DEFINITIONS, ["h", "H"]),
            lambda store: store.job_bodies(ids),
            lambda store: store.is_blob_used(BlobHash("a" * 64)),
            lambda store: store.unused_blobs([BlobHash(letter * 64) for letter in "abcd"]),
            lambda store: store.ended_histories(UserId(0), limit=9),
            *(lambda store, one=one: store.job_outputs(one) for one in ids),
            *(lambda store, one=one: store.job_timeline(one) for one in ids),
            *(lambda store, one=one: store.job_assets(one) for one in ids),
            *(lambda store, user_id=user_id: store.active_jobs(user_id) for user_id in self.users),
            *(lambda store, user_id=user_id: store.queue_counts(user_id) for user_id in self.users),
            *(lambda store, user_id=user_id: store.jobs(ids, user_id=user_id) for user_id in self.users),
            *(
                lambda store, user_id=user_id, folder=folder: store.asset_names(user_id, folder, limit=99)
                for user_id in self.users
                for folder in Folder
            ),
        ]
        for look in looks:
            self.both(look)
        for user_id in [*self.users, *self.gone]:
            assert self.both(lambda store, user_id=user_id: store.miscounted(user_id)) == 0
            assert self.both(lambda store, user_id=user_id: store.miscounted_assets(user_id)) == 0


def worker_called(name: str, hash_: str = "h", at: datetime = NOW) -> Worker:
    return Worker(
        id=WorkerId(name), boot_id="1", runtime=name, version="0", definitions_hash=hash_, joined_at=at,
        system={"os": "ä"}, devices=({"vram": 1 << 40},), labels={name: "ä"}, models_hash=hash_, snapshot_hash=hash_,
    )  # fmt: skip


def reusing(queued: Job) -> Job:
    return advance(queued, Verb.REUSE, queued.changed_at)


async def answered(asked: Awaitable[Any]) -> Any:
    try:
        return await asked
    except FiresideError as error:
        return Refusal(type(error))


async def queue_facts_of(store: Store, ids: Sequence[JobId]) -> list[Any]:
    jobs = [await store.job(one) for one in ids]
    return [await queue_facts(store, job, 1.5) for job in jobs if job is not None]


async def queue_facts(store: Store, job: Job, unknown_seconds: float) -> Any:
    facts = await store.queue_facts(job, unknown_seconds=unknown_seconds)
    # The mean of a few floats, in whatever order they were added.
    return replace(facts, seconds_each=round(facts.seconds_each, 6))


def advanced(job: Job, verb: Verb, wait: int) -> Job | None:
    """The job after the verb, so many microseconds later, or None where its state does not know it."""
    try:
        return advance(
            job,
            verb,
            job.changed_at + timedelta(microseconds=wait),
            lease=job.lease if verb in LEASED else None,
            worker_id=WorkerId("w") if verb is Verb.ASSIGN else None,
        )
    except FiresideError:
        return None


@pytest.fixture(params=["postgres", "debians_postgres"])
def open_other(request: pytest.FixtureRequest) -> OpenDatabase:
    return request.getfixturevalue(f"open_{request.param}")


def test_both_databases_answer_alike_whatever_is_asked(open_sqlite: OpenDatabase, open_other: OpenDatabase) -> None:
    class Walk(Sides):
        def __init__(self) -> None:
            super().__init__(open_sqlite, open_other)

    # Shrinking would open hundreds of databases; the steps that led to a difference are printed as they were.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        Walk, settings=settings(max_examples=15, stateful_step_count=60, deadline=None, phases=phases)
    )
