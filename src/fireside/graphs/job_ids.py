"""Job ids that clients choose themselves."""

from typing import Any
from uuid import UUID

from fireside.domain.ids import JobId
from fireside.graphs.errors import InvalidGraph


def parse_job_id(value: Any) -> JobId | None:
    """Read the id a client gives its job, None when it leaves that to us.

    Raises `InvalidGraph` for everything but the one canonical spelling, because clients compare ids as texts.
    """
    if value is None:
        return None
    try:
        parsed = UUID(value) if isinstance(value, str) else None
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != value:
        raise InvalidGraph(
            "invalid_prompt_id",
            "prompt_id must be a valid UUID",
            details="prompt_id must be a canonical lowercase hyphenated UUID string, or be omitted",
        )
    return JobId(parsed)
