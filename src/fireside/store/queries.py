"""The SQL of a dialect as it lies in its folders: named queries, and numbered migrations.

What several queries say alike is a part, in a file of its own: a line `-- include: NAME` stands for it,
in other parts too.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fireside.store.database import DatabaseError

_INCLUDE = re.compile(r"^ *-- include: (\w+)\n", re.MULTILINE)


@cache
def load_queries(dialect: str) -> Mapping[str, str]:
    """Read `sql/<dialect>/*.sql` as query text by file name, their parts from `parts/` in their places; once."""
    folder = files("fireside.store") / "sql" / dialect
    parts = _texts(folder / "parts")
    return {name: _whole(text, parts) for name, text in _texts(folder).items()}


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


def _whole(text: str, parts: Mapping[str, str]) -> str:
    return _INCLUDE.sub(lambda found: _whole(parts[found[1]], parts), text)


def _texts(folder: Traversable) -> dict[str, str]:
    return {entry.name[:-4]: entry.read_text() for entry in folder.iterdir() if entry.name.endswith(".sql")}
