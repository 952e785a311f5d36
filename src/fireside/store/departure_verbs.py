"""The store's verbs about users who are deleted: at once for everybody, and with all that is theirs in small steps."""

from collections.abc import Sequence
from datetime import datetime

from fireside.domain.accounts import User
from fireside.domain.audit import Deed
from fireside.domain.ids import AssetId, UserId
from fireside.store.asset_verbs import remove_assets
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Transaction
from fireside.store.rows import user_of

_AT_ONCE = (
    *("forget_api_keys_of_user", "end_sessions_of_user", "remove_login_links_of_user"),
    "remove_identities_of_user",
    *("forget_webhooks_of_user", "forget_webhook_secrets_of_user", "forget_tasks_of_user", "forget_pauses_of_user"),
)
"""What would still speak or act for them."""
_AT_LAST = (
    *("clear_totals", "forget_job_blocks_of_user", "forget_job_promoteds_of_user"),
    *(
        "forget_asset_cuts_of_user",
        "remove_asset_pieces",
        "clear_asset_totals",
        "clear_asset_forms",
        "clear_asset_facts",
    ),
    *("clear_asset_fact_forms", "clear_asset_bytes", "forget_usage_days_of_user", "forget_usage_workflows_of_user"),
    *("remove_unused_tag_sets", "forget_file_counters_of_user", "forget_idempotency_keys_of_user"),
    *("forget_user_files_of_user", "forget_user_file_totals_of_user", "forget_user_settings_of_user"),
    "forget_user_shares_of_user",
)


class DepartureVerbs(AuditedVerbs):
    """Deleting a user."""

    async def delete_user(self, user_id: UserId, now: datetime) -> bool:
        """Take a user's name and all their credentials; False for the last admin, and for one who is deleted."""
        name = await self._decide_audited(
            lambda tx: _delete(tx, user_id, now),
            lambda name: Deed(action="user.delete", target=name, details={"id": user_id}) if name is not None else None,
        )
        return name is not None

    async def departing_users(self) -> Sequence[UserId]:
        """Give the deleted users who have something left."""
        return [UserId(row["id"]) for row in await self._all("departing_users")]

    async def first_user(self) -> User | None:
        """Read who came first, also when they are deleted."""
        row = await self._one("first_user", {})
        return user_of(row) if row else None

    async def remove_assets_of(self, user_id: UserId, *, limit: int) -> int:
        """Forget some assets of a user; answer how many."""

        def remove(tx: Transaction) -> int:
            found = tx.run("some_assets_of_user", {"user_id": user_id, "limit": limit})
            return remove_assets(tx, [AssetId(row["id"]) for row in found])

        return await self._database.decide(remove)

    async def forget_user(self, user_id: UserId) -> bool:
        """Forget the rest of a deleted user; False, and nothing is forgotten, while they have a job or an asset."""
        return await self._database.decide(lambda tx: _forget(tx, user_id))


def _delete(tx: Transaction, user_id: UserId, now: datetime) -> str | None:
    """Give the name that is free now; None where nobody was deleted."""
    known = tx.run("user_by_id", {"id": user_id})
    if not tx.run("delete_user", {"id": user_id, "now": now}):
        return None
    for query in _AT_ONCE:
        tx.run(query, {"user_id": user_id})
    return str(known[0]["name"]) if known else ""


def _forget(tx: Transaction, user_id: UserId) -> bool:
    mine = {"user_id": user_id}
    if tx.run("has_jobs", mine) or tx.run("some_assets_of_user", mine | {"limit": 1}):
        return False
    for query in _AT_LAST:
        tx.run(query, mine)
    return True
