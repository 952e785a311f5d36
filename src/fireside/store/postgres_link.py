"""How we reach a PostgreSQL: what its URL says, a connection with our settings, faults in words that say what to do.

No text that leaves here holds the password, also when the URL is malformed: libpq would quote the part it stumbled
over, so a URL is looked at first and never quoted.
"""

from typing import Any, LiteralString

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Format

from fireside.domain.errors import BadRequest, FiresideError, StorageFull
from fireside.store.database import DatabaseError

RawConnection = psycopg.Connection[tuple[Any, ...]]

_OLDEST = 14
_SCHEMES = ("postgresql://", "postgres://")
_UNREADABLE = (
    "database_url cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/NAME, and each of /@:?#% in the password"
    " as % and its two hexadecimal digits"
)
# What we add to a URL that does not say otherwise.
_CONNECTION = {
    "application_name": "fireside",
    "connect_timeout": "10",
    # A server that vanished without a word is given up within half a minute.
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
    # Of several hosts, the one that may be written to.
    "target_session_attrs": "read-write",
}
WATCHED_BY_THE_SERVER: LiteralString = """
-- A host of ours that vanished is given up within five seconds, and with it what it held. Nothing to a local socket.
SET tcp_keepalives_idle = 1;
SET tcp_keepalives_interval = 1;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = 3000;
"""
"""What makes the database notice soon that we are gone."""
_SETTINGS: LiteralString = """
SET statement_timeout = 0;
SET lock_timeout = 0;
-- A server of ours that was stopped in the midst of a change must not hold up the others for ever.
SET idle_in_transaction_session_timeout = '10s';
-- What a caller was told is on disk, whatever the server's default is.
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
-- Every query is planned once for each connection and goes by its index, whatever the statistics say today.
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET enable_sort = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
"""


def read_url(url: str) -> dict[str, str]:
    """Read a `postgresql://` URL as libpq's parameters, with what we add; raises DatabaseError."""
    if not url.startswith(_SCHEMES):
        raise DatabaseError("database_url must begin with postgresql://")
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.Error:
        # Not chained: the cause quotes the URL.
        raise DatabaseError(_UNREADABLE) from None
    ports = given.get("port", "").replace(",", "")
    if (ports and not ports.isdigit()) or "@" in given.get("host", "") + given.get("dbname", ""):
        raise DatabaseError(_UNREADABLE)
    return _CONNECTION | given | {"client_encoding": "UTF8"}


def connect(parameters: dict[str, str]) -> RawConnection:
    """Open a connection with our settings; raises DatabaseError."""
    try:
        raw = psycopg.connect(**parameters, autocommit=True, cursor_factory=psycopg.RawCursor)  # type: ignore[arg-type]
    except psycopg.Error as error:
        raise DatabaseError(f"cannot reach the database: {_text(error)}; see database_url") from error
    try:
        raw.execute(WATCHED_BY_THE_SERVER + _SETTINGS)
        _require_fit(raw)
    except psycopg.Error as error:
        raw.close()
        raise explained(error) from error
    except BaseException:
        raw.close()
        raise
    raw.adapters.register_dumper(bytes, _UntypedBytes)
    raw.prepared_max = None
    return raw


def explained(error: psycopg.Error) -> FiresideError:
    """Say in our words what PostgreSQL refused."""
    if isinstance(error, psycopg.errors.DiskFull):
        return StorageFull(f"the database's disk is full ({_text(error)}): make room and try again")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return DatabaseError(f"the database's user may not do this ({_text(error)}): let it own the database")
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        return BadRequest(f"a text is too long for an index of the database ({_text(error)}): use a shorter one")
    return DatabaseError(f"the database failed: {_text(error)}")


class _UntypedBytes(Dumper):
    """Bytes as parameters that carry no type, as the others do: a statement is then the same whatever is NULL in it."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


def _require_fit(raw: RawConnection) -> None:
    if raw.info.server_version < _OLDEST * 10000:
        raise DatabaseError(
            f"the database is PostgreSQL {raw.info.server_version // 10000}, Fireside needs {_OLDEST} or newer"
        )
    if raw.info.parameter_status("server_encoding") != "UTF8":
        raise DatabaseError("the database is not encoded in UTF-8: create it with ENCODING 'UTF8' TEMPLATE template0")


def _text(error: psycopg.Error) -> str:
    return " ".join((error.diag.message_primary or str(error)).split())
