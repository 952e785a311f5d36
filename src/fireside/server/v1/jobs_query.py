"""From the parameters of `GET /api/jobs` to what the store is asked for. Pure.

Words are read leniently, regardless of case and of spaces, and under the names of the open-source server too; a word
that nobody knows is refused with all that are known.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from fireside.domain.errors import BadRequest
from fireside.domain.jobs import JobState
from fireside.domain.listing import ALL_STATES, JobFilter, JobSort, Window
from fireside.domain.outputs import Media
from fireside.server.v1.cursors import read_cursor
from fireside.server.v1.rendering import STATUSES
from fireside.wire.v1_jobs import JobsQuery

T = TypeVar("T")

_STATUS_WORDS = tuple(dict.fromkeys(STATUSES.values()))
_MEDIA = {"": Media.NONE, "image": Media.IMAGE, "video": Media.VIDEO, "audio": Media.AUDIO, "3d": Media.MODEL}
_SORTS = {
    "create_time": JobSort.CREATE_TIME,
    "execution_time": JobSort.RUN_TIME,
    "created_at": JobSort.CREATE_TIME,
    "execution_duration": JobSort.RUN_TIME,
}
_IS_DESCENDING = {"asc": False, "desc": True}
_SHOWN_CHARACTERS = 80


def filter_of(query: JobsQuery) -> JobFilter:
    """Say which jobs are wanted; raises `BadRequest` for a word that is not known."""
    return JobFilter(
        states=_states(query.status),
        workflow_id=query.workflow_id or None,
        media=_known(_MEDIA, "output_type", query.output_type),
    )


def window_of(query: JobsQuery) -> Window:
    """Say in which order, and which part; raises `BadRequest` for a word or a cursor that is not known."""
    sort = _known(_SORTS, "sort_by", query.sort_by)
    after = read_cursor(query.after) if query.after and sort is JobSort.CREATE_TIME else None
    return Window(
        sort=sort,
        descending=_known(_IS_DESCENDING, "sort_order", query.sort_order),
        offset=query.offset if after is None else 0,
        limit=query.limit,
        after=after,
    )


def _states(listed: str) -> frozenset[JobState]:
    words = {word.strip().lower() for word in listed.split(",")} - {""}
    unknown = sorted(words.difference(_STATUS_WORDS))
    if unknown:
        shown = ", ".join(unknown)[:_SHOWN_CHARACTERS]
        raise BadRequest(f"Invalid status value(s): {shown}. Valid values: {_listed(_STATUS_WORDS)}")
    if not words:
        return ALL_STATES
    return frozenset(state for state, status in STATUSES.items() if status in words)


def _known(meanings: Mapping[str, T], name: str, given: str) -> T:
    word = given.strip().lower()
    if word not in meanings:
        raise BadRequest(f"Invalid {name}: {given[:_SHOWN_CHARACTERS]!r}. Valid values: {_listed(meanings)}")
    return meanings[word]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(word for word in words if word)
