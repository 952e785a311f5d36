"""The SQL of a dialect as it lies in its folders: named queries, and numbered migrations."""

from importlib.resources import files


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
