"""Rows to domain values, and the small encodings that both directions share. Knows no database and no query.

Real numbers are read through `float`: SQLite returns a whole one as an int from RETURNING.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec

from fireside.domain.accounts import ApiKey, Invitation, Role, Scope, Session, User
from fireside.domain.assets import Asset, FileName, Folder, OutputOrigin
from fireside.domain.ids import AssetId, BlobHash, JobId, UserId, WorkerId
from fireside.domain.jobs import Job, JobState
from fireside.domain.usage import MonthlyUse, Usage
from fireside.domain.user_files import FilePath, UserFile
from fireside.domain.workers import Enrollment, JoinToken, RemovedWorker, Worker, WorkerKind, WorkerProfile, vram_of
from fireside.store.database import Row
from fireside.store.records import Attempt, HeldJob, QueueHead, Share, TimelineEntry


def to_json(value: Any) -> bytes:
    """Encode small JSON that we ourselves read again."""
    return msgspec.json.encode(value)


def from_json(value: bytes) -> Any:
    """Decode what `to_json` wrote."""
    return msgspec.json.decode(value)


def ids_json(ids: Collection[UUID]) -> str:
    """Ids as the queries take them: a JSON list of hexadecimal digits."""
    return to_json([one.hex for one in ids]).decode()


def job_of(row: Row) -> Job:
    """Read a job's narrow record."""
    return Job(
        id=JobId(row["id"]),
        user_id=UserId(row["user_id"]),
        state=JobState(row["state"]),
        number=float(row["number"]),
        attempt=row["attempt"],
        losses=row["losses"],
        fence=row["fence"],
        worker_id=row["worker_id"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        workflow_id=row["workflow_id"],
        outputs_count=row["outputs_count"],
        previewable_count=row["previewable_count"],
        preview=row["preview"],
        error=row["error"],
        charged_seconds=float(row["charged_seconds"]),
        metadata=row["metadata"],
    )


def user_of(row: Row) -> User:
    """Read a user."""
    return User(
        id=UserId(row["id"]),
        name=row["name"],
        role=Role(row["role"]),
        weight=float(row["weight"]),
        max_running=row["max_running"],
        max_queued=row["max_queued"],
        max_run_seconds=row["max_run_seconds"],
        keep_jobs=row["keep_jobs"],
        keep_days=row["keep_days"],
        reuse=None if row["reuse"] is None else bool(row["reuse"]),
        created_at=row["created_at"],
        has_password=row["password_hash"] is not None,
        quota_gpu_seconds=None if row["quota_gpu_seconds"] is None else float(row["quota_gpu_seconds"]),
        quota_jobs=row["quota_jobs"],
        quota_bytes=row["quota_bytes"],
    )


def month_use_of(row: Row) -> MonthlyUse:
    """Read what a user has used in a month."""
    used = Usage(jobs=row["jobs"], gpu_us=row["gpu_us"], made_bytes=row["made_bytes"])
    return MonthlyUse(used=used, active=row["active"] or 0, stored_bytes=row["stored"])


def session_of(row: Row) -> Session:
    """Read a session together with its user."""
    return Session(user=user_of(row), began_at=row["session_created_at"], seen_at=row["session_seen_at"])


def invitation_of(row: Row) -> Invitation:
    """Read an invitation."""
    return Invitation(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        weight=float(row["weight"]),
        expires_at=row["expires_at"],
    )


def key_of(row: Row) -> ApiKey:
    """Read an API key."""
    return ApiKey(
        id=row["id"],
        user_id=UserId(row["user_id"]),
        prefix=row["prefix"],
        label=row["label"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
        scopes=frozenset(Scope(word) for word in row["scopes"].split()),
        expires_at=row["expires_at"],
    )


def asset_of(row: Row) -> Asset:
    """Read an asset."""
    origin = None
    if row["job_id"] is not None:
        origin = OutputOrigin(
            job_id=JobId(row["job_id"]), node_id=row["node_id"], key=row["output_key"], index=row["output_index"]
        )
    return Asset(
        id=AssetId(row["id"]),
        user_id=UserId(row["user_id"]),
        file=FileName(folder=Folder(row["folder"]), subfolder=row["subfolder"], name=row["name"]),
        hash=BlobHash(row["hash"]),
        size_bytes=row["size_bytes"],
        content_type=row["content_type"],
        created_at=row["created_at"],
        origin=origin,
        title=row["title"],
        tags=tuple(from_json(row["tags"].encode())),
        mime_type=row["mime_type"],
        user_metadata=row["user_metadata"],
        preview_id=row["preview_id"],
        updated_at=row["updated_at"],
        accessed_at=row["accessed_at"],
        expires_at=row["expires_at"],
    )


def user_file_of(row: Row) -> UserFile:
    """Read a file of a user's tree."""
    return UserFile(
        user_id=UserId(row["user_id"]),
        path=FilePath(row["path"]),
        hash=BlobHash(row["hash"]),
        size_bytes=row["size_bytes"],
        created_at=row["created_at"],
        modified_at=row["modified_at"],
        interface=row["interface"],
    )


def worker_of(row: Row) -> Worker:
    """Read a worker."""
    return Worker(
        id=WorkerId(row["id"]),
        boot_id=row["boot_id"],
        runtime=row["runtime"],
        version=row["version"],
        definitions_hash=row["definitions_hash"],
        models_hash=row["models_hash"],
        validators_hash=row["validators_hash"],
        snapshot_hash=row["snapshot_hash"],
        subgraphs_hash=row["subgraphs_hash"],
        editor_hash=row["editor_hash"],
        labels=from_json(row["labels"]),
        joined_at=row["joined_at"],
        system=from_json(row["system"]),
        devices=tuple(from_json(row["devices"])),
    )


def profile_of(row: Row) -> WorkerProfile:
    """Read what a worker can run."""
    return WorkerProfile(
        id=WorkerId(row["id"]),
        boot_id=row["boot_id"],
        kind=WorkerKind(row["runtime"], row["definitions_hash"], row["validators_hash"]),
        models_hash=row["models_hash"],
        labels=from_json(row["labels"]),
        seen_at=row["seen_at"],
        subgraphs_hash=row["subgraphs_hash"],
        editor_hash=row["editor_hash"],
        snapshot_hash=row["snapshot_hash"],
        vram_bytes=vram_of(from_json(row["devices"])),
    )


def join_token_of(row: Row) -> JoinToken:
    """Read a token to join with."""
    return JoinToken(
        id=row["id"],
        prefix=row["prefix"],
        label=row["label"],
        is_reusable=bool(row["is_reusable"]),
        uses=row["uses"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
    )


def enrollment_of(row: Row) -> Enrollment:
    """Read a worker that has joined."""
    return Enrollment(
        number=row["number"],
        worker_id=WorkerId(row["worker_id"]),
        protocol=row["protocol"],
        version=row["version"],
        boot_id=row["boot_id"],
        enrolled_at=row["enrolled_at"],
        booted_at=row["booted_at"],
        is_transient=bool(row["is_transient"]),
        # A former server gives keys without an end, and notes nothing of that.
        key_ends_at=row["key_ends_at"] if row["key_booted_at"] == row["booted_at"] else None,
    )


def removed_worker_of(row: Row) -> RemovedWorker:
    """Read a worker that was sent away."""
    return RemovedWorker(number=row["number"], worker_id=WorkerId(row["worker_id"]), key_ends_at=row["key_ends_at"])


def entry_of(row: Row) -> TimelineEntry:
    """Read a timeline entry."""
    return TimelineEntry(kind=row["kind"], at=row["at"], data=from_json(row["data"]))


def attempt_of(row: Row) -> Attempt:
    """Read an attempt at a job."""
    return Attempt(
        attempt=row["attempt"],
        worker_id=WorkerId(row["worker_id"]),
        assigned_at=row["assigned_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        outcome=row["outcome"],
        snapshot=row["snapshot"],
    )


def share_of(row: Row) -> Share:
    """Read a user's share."""
    return Share(
        user_id=UserId(row["user_id"]),
        weight=float(row["weight"]),
        max_running=row["max_running"],
        virtual_time=float(row["virtual_time"]),
        queued=row["queued"],
        held=row["held"],
    )


def held_of(row: Row) -> HeldJob:
    """Read a job that a worker holds."""
    return HeldJob(job=job_of(row), worker_id=WorkerId(row["worker_id"]), charged_seconds=float(row["charged_seconds"]))


def head_of(row: Row) -> QueueHead:
    """Read a queued job near the front."""
    seconds = row["estimate_seconds"]
    return QueueHead(
        job=job_of(row),
        fingerprint=row["fingerprint"],
        requirement_id=row["requirement_id"],
        estimate_seconds=None if seconds is None else float(seconds),
    )


def asset_params(asset: Asset) -> dict[str, Any]:
    """The columns of an asset, without the number of its set of tags."""
    origin = asset.origin
    return file_params(asset.user_id, asset.file) | {
        "id": asset.id,
        "title": asset.title,
        "folded": asset.title.casefold(),
        "tags": to_json(asset.tags).decode(),
        "mime_type": asset.mime_type,
        "user_metadata": asset.user_metadata,
        "preview_id": asset.preview_id,
        "updated_at": asset.updated_at,
        "accessed_at": asset.accessed_at,
        "expires_at": asset.expires_at,
        "hash": str(asset.hash),
        "size_bytes": asset.size_bytes,
        "content_type": asset.content_type,
        "created_at": asset.created_at,
        "job_id": origin and origin.job_id,
        "node_id": origin and origin.node_id,
        "output_key": origin and origin.key,
        "output_index": origin and origin.index,
    }


def file_params(user_id: UserId, file: FileName) -> dict[str, Any]:
    """The columns that find a user's file."""
    return {"user_id": user_id, "folder": file.folder.value, "subfolder": file.subfolder, "name": file.name}
