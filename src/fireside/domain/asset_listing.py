"""How assets are asked for: which ones, in which order, which window of them, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fireside.domain.assets import Asset
from fireside.domain.errors import BadRequest
from fireside.domain.ids import BlobHash, JobId


class SearchTooBroad(BadRequest):
    """A search that would have to look at too many assets one by one."""

    code = "search_too_broad"


class AssetSort(StrEnum):
    """What to sort by; names regardless of case, and ties in create order, in the same direction."""

    CREATED_AT = "created_at"
    NAME = "name"
    UPDATED_AT = "updated_at"
    SIZE = "size"
    LAST_ACCESS_TIME = "last_access_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Which assets: all conditions must hold.

    `include` tags are all there, `any_of` at least one unless it is empty, `exclude` none. `name_contains` looks into
    titles regardless of case. `metadata` is compared with the owner's own, name by name (`domain.facts`).
    """

    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    name_contains: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    hash: BlobHash | None = None
    job_ids: frozenset[JobId] | None = None

    @property
    def is_by_tags_alone(self) -> bool:
        """Whether an asset's tags say all there is to say."""
        return not self.name_contains and not self.metadata and self.hash is None and self.job_ids is None

    def wants_tags(self, tags: frozenset[str]) -> bool:
        """Whether assets with exactly these tags may be wanted."""
        if self.any_of and self.any_of.isdisjoint(tags):
            return False
        return self.include <= tags and self.exclude.isdisjoint(tags)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPlace:
    """Where an asset stands in an order: a number or a word, and its place in create order."""

    number: int = 0
    word: str = ""
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetWindow:
    """Which part of the sorted assets; `after` is where the page before ended, and stands instead of the offset."""

    sort: AssetSort = AssetSort.CREATED_AT
    descending: bool = True
    offset: int = 0
    limit: int = 20
    after: AssetPlace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPage:
    """The assets of a window, and how many match in all; `next_after` is where this page ends, if more follow."""

    assets: Sequence[Asset]
    total: int
    next_after: AssetPlace | None = None
