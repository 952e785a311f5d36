"""The store's verbs about the registry of models: which files workers may fetch, and which bytes they must be."""

from collections.abc import Sequence
from datetime import datetime

from fireside.domain.audit import Deed
from fireside.domain.ids import BlobHash
from fireside.domain.models import ModelName, RegisteredModel
from fireside.store.audit_verbs import AuditedVerbs
from fireside.store.database import Row, Statement, Violated
from fireside.store.refusals import DuplicateModel


class ModelVerbs(AuditedVerbs):
    """What workers may fetch."""

    async def add_model(
        self,
        name: ModelName,
        hash: BlobHash,  # noqa: A002  the domain's word for it
        size_bytes: int,
        source_url: str | None,
        now: datetime,
    ) -> RegisteredModel:
        """Add a model; raises `DuplicateModel` where there is one of this name."""
        params = {
            "folder": name.folder,
            "name": name.name,
            "hash": hash,
            "size_bytes": size_bytes,
            "source_url": source_url,
            "now": now,
        }
        try:
            (rows,) = await self._write_audited(
                [Statement("add_model", params)],
                lambda _: Deed(
                    action="model.add", target=str(name), details={"blake3": hash, "size_bytes": size_bytes}
                ),
            )
        except Violated as error:
            raise DuplicateModel(
                f"there is a model {name} already; remove it first, or give the new file another name, by which"
                " workflows tell the two apart"
            ) from error
        return _model_of(rows[0])

    async def models(self) -> Sequence[RegisteredModel]:
        """Read all models, by folder and name."""
        return [_model_of(row) for row in await self._all("models")]

    async def model(self, name: ModelName) -> RegisteredModel | None:
        """Find a model by its name."""
        row = await self._one("model_by_name", {"folder": name.folder, "name": name.name})
        return _model_of(row) if row else None

    async def remove_model(self, name: ModelName) -> RegisteredModel | None:
        """Remove a model and give it as it was; None where there is none of this name."""
        (rows,) = await self._write_audited(
            [Statement("remove_model", {"folder": name.folder, "name": name.name})],
            lambda results: Deed(action="model.remove", target=str(name)) if results[0] else None,
        )
        return _model_of(rows[0]) if rows else None


def _model_of(row: Row) -> RegisteredModel:
    return RegisteredModel(
        id=row["id"],
        name=ModelName(row["folder"], row["name"]),
        hash=BlobHash(row["hash"]),
        size_bytes=row["size_bytes"],
        source_url=row["source_url"],
        created_at=row["created_at"],
    )
