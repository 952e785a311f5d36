"""What every room of verbs stands on: a database, and short ways to ask it."""

from collections.abc import Mapping
from typing import Any

from fireside.store.database import Database, Row, Rows, Statement


class Verbs:
    """A set of verbs over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def writes_alone(self) -> bool:
        """Whether no other server can run; see `Database.writes_alone`."""
        return self._database.writes_alone

    async def _all(self, query: str, params: Mapping[str, Any] | None = None, *, is_quick: bool = False) -> Rows:
        (rows,) = await self._database.read([Statement(query, params or {})], is_quick=is_quick)
        return rows

    async def _one(self, query: str, params: Mapping[str, Any], *, is_quick: bool = False) -> Row | None:
        rows = await self._all(query, params, is_quick=is_quick)
        return rows[0] if rows else None

    async def _write(self, query: str, params: Mapping[str, Any]) -> Rows:
        (rows,) = await self._database.write([Statement(query, params)])
        return rows
