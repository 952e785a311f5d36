"""The store's verbs about users and their API keys. Knows only digests of secrets, never a secret."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fireside.domain.accounts import ALL_SCOPES, ApiKey, Role, Scope, User
from fireside.domain.audit import Deed
from fireside.domain.ids import UserId
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Rows, Statement, Violated
from fireside.store.refusals import DuplicateUser
from fireside.store.rows import key_of, user_of


class AccountVerbs(AuditedVerbs):
    """Users and keys."""

    async def add_user(
        self,
        name: str,
        role: Role,
        now: datetime,
        *,
        weight: float = 1.0,
        max_running: int | None = None,
        max_queued: int | None = None,
        max_run_seconds: float | None = None,
        keep_jobs: int | None = None,
        keep_days: int | None = None,
        reuse: bool | None = None,
        quota_gpu_seconds: float | None = None,
        quota_jobs: int | None = None,
        quota_bytes: int | None = None,
    ) -> User:
        """Add a user; raises DuplicateUser."""
        limits = {
            "weight": weight,
            "max_running": max_running,
            "max_queued": max_queued,
            "max_run_seconds": max_run_seconds,
            "keep_jobs": keep_jobs,
            "keep_days": keep_days,
            "reuse": reuse,
        }
        quotas = {"quota_gpu_seconds": quota_gpu_seconds, "quota_jobs": quota_jobs, "quota_bytes": quota_bytes}
        try:
            *_, rows = await self._write_audited(
                [
                    Statement("add_user", {"name": name, "role": role.value, "now": now, **limits}, expect=1),
                    Statement("add_user_share", {"name": name}, expect=1),
                    Statement("set_quotas_of_new_user", quotas | {"name": name}, expect=1),
                ],
                lambda _: Deed(
                    action="user.create",
                    target=name,
                    details={"role": role.value} | {key: value for key, value in (limits | quotas).items() if value},
                ),
            )
        except Violated as error:
            if error.constraint == "user.name":
                raise DuplicateUser(f"a user named {name} exists already: choose another name") from error
            raise
        return user_of(rows[0])

    async def change_user(self, user: User) -> User | None:
        """Write the user's role, weight and limits as they are here.

        None when there is no such user, or the last admin would be one no more.
        """
        limits = {
            "role": user.role.value,
            "weight": user.weight,
            "max_running": user.max_running,
            "max_queued": user.max_queued,
            "max_run_seconds": user.max_run_seconds,
            "keep_jobs": user.keep_jobs,
            "keep_days": user.keep_days,
            "reuse": user.reuse,
            "quota_gpu_seconds": user.quota_gpu_seconds,
            "quota_jobs": user.quota_jobs,
            "quota_bytes": user.quota_bytes,
        }
        (rows,) = await self._write_audited(
            [Statement("change_user", limits | {"id": user.id})],
            lambda results: Deed(action="user.change", target_id=user.id, details=limits) if results[0] else None,
        )
        return user_of(rows[0]) if rows else None

    async def user(self, user_id: UserId) -> User | None:
        """Read a user."""
        row = await self._one("user_by_id", {"id": user_id})
        return user_of(row) if row else None

    async def user_named(self, name: str) -> User | None:
        """Read the user of this name."""
        row = await self._one("user_by_name", {"name": name})
        return user_of(row) if row else None

    async def users(self) -> Sequence[User]:
        """Read all users, oldest first."""
        return [user_of(row) for row in await self._all("users")]

    async def add_key(
        self,
        user_id: UserId,
        digest: bytes,
        prefix: str,
        label: str,
        now: datetime,
        *,
        scopes: frozenset[Scope] = ALL_SCOPES,
        expires_at: datetime | None = None,
    ) -> ApiKey:
        """Add a key by its SHA-256."""
        params = {
            "user_id": user_id,
            "digest": digest,
            "prefix": prefix,
            "label": label,
            "now": now,
            "scopes": " ".join(sorted(scopes)),
            "expires_at": expires_at,
        }
        (rows,) = await self._write_audited(
            [Statement("add_key", params)],
            lambda results: Deed(
                action="key.create",
                target_id=user_id,
                details={
                    "key": results[0][0]["id"],
                    "prefix": prefix,
                    "label": label,
                    "scopes": sorted(scopes),
                    "expires_at": expires_at,
                },
            ),
        )
        return key_of(rows[0])

    async def key_owner(self, digest: bytes, now: datetime) -> tuple[ApiKey, User] | None:
        """The key of this SHA-256 and its user, unless it is revoked or has expired."""
        keys, owners = await self._database.read(
            [
                Statement("key_by_digest", {"digest": digest, "now": now}),
                Statement("owner_of_key", {"digest": digest}),
            ],
            is_quick=True,
        )
        return (key_of(keys[0]), user_of(owners[0])) if keys and owners else None

    async def keys(self, user_id: UserId | None = None) -> Sequence[ApiKey]:
        """Read the keys of a user, or all, revoked ones included, oldest first."""
        rows = await self._all("keys") if user_id is None else await self._all("keys_of_user", {"user_id": user_id})
        return [key_of(row) for row in rows]

    async def count_endless_keys(self) -> int:
        """Count the keys that are good until somebody revokes them."""
        row = await self._one("count_endless_keys", {})
        return 0 if row is None else int(row["keys"])

    async def revoke_key(self, key_id: int, now: datetime) -> bool:
        """Revoke a key; whether it was valid until now."""

        def deed(results: list[Rows]) -> Deed | None:
            if not results[0]:
                return None
            key = key_of(results[0][0])
            return Deed(action="key.revoke", target_id=key.user_id, details={"key": key.id, "prefix": key.prefix})

        (rows,) = await self._write_audited([Statement("revoke_key", {"id": key_id, "now": now})], deed)
        return bool(rows)

    async def touch_keys(self, used: Mapping[int, datetime]) -> None:
        """Note when keys were last used; a note never moves back in time."""
        if used:
            await self._database.write(
                [Statement("touch_key", {"id": key_id, "at": at}) for key_id, at in used.items()]
            )
