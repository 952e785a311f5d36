"""The SQL of a dialect as it lies in its folders: named queries, and numbered migrations."""

from collections.abc import Sequence
from importlib.resources import files

from fireside.store.database import DatabaseError


def load_queries(dialect: str) -> dict[str, str]:
    """Read `sql/<dialect>/*.sql` as query text by file name."""
    folder = files("fireside.store") / "sql" / dialect
    return {entry.name[:-4]: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".sql")}


def load_migrations(dialect: str) -> list[tuple[int, str]]:
    """Read `migrations/<dialect>/NNNN_*.sql` as (version, text), in order and without gaps."""
    folder = files("fireside.store") / "migrations" / dialect
    found = sorted(
        (int(entry.name[:4]), entry.read_text()) for entry in folder.iterdir() if entry.name.endswith(".sql")
    )
    assert [version for version, _ in found] == list(range(1, len(found) + 1)), (
        "migrations must be numbered without gaps"
    )
    return found


def missing_migrations(known: Sequence[tuple[int, str]], present: int) -> Sequence[tuple[int, str]]:
    """Give the migrations that a database of version `present` has not seen; refuse one newer than what is known."""
    if present > len(known):
        raise DatabaseError(
            f"the database has version {present}, this Fireside knows up to {len(known)}: install a newer Fireside"
        )
    return known[present:]
