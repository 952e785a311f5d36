"""The store's verbs about workers of other machines: who may join, who has, who was sent away, who rests.

Knows only digests of credentials, never one itself.
"""

from collections.abc import Sequence
from datetime import datetime

from fireside.domain.audit import Deed
from fireside.domain.ids import WorkerId
from fireside.domain.workers import Enrollment, JoinToken, RemovedWorker
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Statement, Transaction, Unexpected, Violated
from fireside.store.refusals import DuplicateWorker, JoinTokenUsed
from fireside.store.rows import enrollment_of, join_token_of, profile_of, removed_worker_of


class EnrollmentVerbs(AuditedVerbs):
    """Tokens to join with, and the workers that have joined."""

    async def add_join_token(
        self, digest: bytes, prefix: str, label: str, now: datetime, *, is_reusable: bool, expires_at: datetime | None
    ) -> JoinToken:
        """Add a token by its SHA-256."""
        params = {
            "digest": digest,
            "prefix": prefix,
            "label": label,
            "now": now,
            "is_reusable": is_reusable,
            "expires_at": expires_at,
        }
        (rows,) = await self._write_audited(
            [Statement("add_join_token", params)],
            lambda results: Deed(
                action="join_token.create",
                target=label,
                details={
                    "token": results[0][0]["id"],
                    "prefix": prefix,
                    "reusable": is_reusable,
                    "expires_at": expires_at,
                },
            ),
        )
        return join_token_of(rows[0])

    async def join_tokens(self) -> Sequence[JoinToken]:
        """Read all tokens, oldest first, those that are over included."""
        return [join_token_of(row) for row in await self._all("join_tokens")]

    async def join_token(self, digest: bytes) -> JoinToken | None:
        """Find a token by its SHA-256, also one that is over."""
        row = await self._one("join_token_by_digest", {"digest": digest})
        return join_token_of(row) if row else None

    async def revoke_join_token(self, token_id: int, now: datetime) -> bool:
        """Revoke a token; False when it was revoked before."""
        (rows,) = await self._write_audited(
            [Statement("revoke_join_token", {"id": token_id, "now": now})],
            lambda results: Deed(action="join_token.revoke", details={"token": token_id}) if results[0] else None,
        )
        return bool(rows)

    async def enroll(
        self,
        worker_id: WorkerId,
        digest: bytes,
        token: JoinToken,
        now: datetime,
        *,
        protocol: int,
        version: str,
        is_transient: bool = False,
    ) -> Enrollment:
        """Use the token and let the worker in; raises `JoinTokenUsed` or `DuplicateWorker`."""
        enrollment = {
            "worker_id": worker_id,
            "digest": digest,
            "join_token_id": token.id,
            "protocol": protocol,
            "version": version,
            "is_transient": is_transient,
            "now": now,
        }
        try:
            _, rows = await self._database.write(
                [
                    Statement("use_join_token", {"id": token.id, "now": now}, expect=1),
                    Statement("add_enrollment", enrollment, expect=1),
                ]
            )
        except Unexpected as error:
            raise JoinTokenUsed("the join token is not good any more") from error
        except Violated as error:
            raise DuplicateWorker(f"a worker named {worker_id} has joined already") from error
        return enrollment_of(rows[0])

    async def enrollment(self, digest: bytes) -> Enrollment | None:
        """Find the worker whose credential has this SHA-256."""
        row = await self._one("enrollment_by_digest", {"digest": digest})
        return enrollment_of(row) if row else None

    async def enrollment_of(self, worker_id: WorkerId) -> Enrollment | None:
        """Find a worker that has joined by its name."""
        row = await self._one("enrollment_of_worker", {"worker_id": worker_id})
        return enrollment_of(row) if row else None

    async def enrollments(self) -> Sequence[Enrollment]:
        """Read all workers that have joined, by name."""
        return [enrollment_of(row) for row in await self._all("enrollments")]

    async def boot_worker(
        self,
        seen: Enrollment,
        boot_id: str,
        now: datetime,
        *,
        protocol: int,
        version: str,
        is_transient: bool = False,
        key_ends_at: datetime | None = None,
    ) -> Enrollment | None:
        """Say which process speaks for the worker from now on; None when that has changed since it was `seen`.

        It is about to be given what opens the bus until `key_ends_at`, None: for ever.
        """
        params = {
            "number": seen.number,
            "boot_read": seen.boot_id,
            "boot_id": boot_id,
            "protocol": protocol,
            "version": version,
            "is_transient": is_transient,
            "key_ends_at": key_ends_at,
            "now": now,
        }
        rows = await self._write("boot_enrollment", params)
        return enrollment_of(rows[0]) if rows else None

    async def remove_worker(self, worker_id: WorkerId, now: datetime) -> bool:
        """Send a worker away for good and forget it; False when there is none of this name.

        What it can run stays known if nobody else has ever told anything.
        """

        def change(tx: Transaction) -> bool:
            enrolled = tx.run("remove_enrollment", {"worker_id": worker_id})
            for row in enrolled:
                _note_removed(tx, enrollment_of(row), now)
            tx.run("resume_worker", {"worker_id": worker_id})
            return bool(tx.run("remove_worker", {"id": worker_id}) or enrolled)

        return await self._decide_audited(change, lambda _: Deed(action="worker.remove", target=worker_id))

    async def let_worker_leave(self, worker_id: WorkerId, now: datetime) -> bool:
        """Let a worker go for good that says so itself; False when there is none of this name.

        What it can run stays known, for jobs that wait for the next one like it; once for all that were alike.
        """

        def change(tx: Transaction) -> bool:
            enrolled = tx.run("remove_enrollment", {"worker_id": worker_id})
            for row in enrolled:
                _note_removed(tx, enrollment_of(row), now)
            tx.run("resume_worker", {"worker_id": worker_id})
            profiles = {one.id: one for one in map(profile_of, tx.run("worker_profiles", {}))}
            if enrolled and worker_id in profiles:
                here = {row["worker_id"] for row in tx.run("enrollments", {})}
                gone = {WorkerId(row["worker_id"]) for row in tx.run("removed_workers", {})} - here - {worker_id}
                for other in gone & profiles.keys():
                    if profiles[worker_id].stands_for(profiles[other]):
                        tx.run("remove_worker", {"id": other})
            return bool(enrolled)

        return await self._database.decide(change)

    async def silent_workers(self, before: datetime) -> Sequence[Enrollment]:
        """Read the transient workers that nobody has seen since then."""
        return [enrollment_of(row) for row in await self._all("silent_workers", {"before": before})]

    async def removed_workers(self) -> Sequence[RemovedWorker]:
        """Read who was sent away, and not forgotten since."""
        return [removed_worker_of(row) for row in await self._all("removed_workers")]

    async def forget_removed_workers(self, before: datetime) -> Sequence[RemovedWorker]:
        """Forget who was sent away and whose key on the bus has ended before then, and say who that is.

        As long as it is known what one could run, it stays known that it was sent away.
        """
        return [removed_worker_of(row) for row in await self._write("forget_removed_workers", {"before": before})]

    async def drain_worker(self, worker_id: WorkerId, now: datetime) -> None:
        """Let a worker take no more jobs, until it is resumed."""
        await self._write_audited(
            [Statement("drain_worker", {"worker_id": worker_id, "now": now})],
            lambda _: Deed(action="worker.drain", target=worker_id),
        )

    async def resume_worker(self, worker_id: WorkerId) -> None:
        """Let a worker take jobs again."""
        await self._write_audited(
            [Statement("resume_worker", {"worker_id": worker_id})],
            lambda _: Deed(action="worker.resume", target=worker_id),
        )

    async def drained_workers(self) -> frozenset[WorkerId]:
        """Say which workers take no more jobs."""
        return frozenset(WorkerId(row["worker_id"]) for row in await self._all("drained_workers"))


def _note_removed(tx: Transaction, enrolled: Enrollment, now: datetime) -> None:
    # One that has never booted was given no key, and one that was given one before keys ended has it for ever.
    ends_at = enrolled.key_ends_at if enrolled.booted_at is not None else now
    note = {"number": enrolled.number, "worker_id": enrolled.worker_id, "now": now, "key_ends_at": ends_at}
    tx.run("note_removed_worker", note, expect=1)
