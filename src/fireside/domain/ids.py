"""The types of the names things go by, apart so that one cannot be passed for another."""

from typing import NewType
from uuid import UUID

JobId = NewType("JobId", UUID)
"""Names a job in all three dialects; on the wire a lowercase hyphenated UUID."""

UserId = NewType("UserId", int)
"""A user's number, given by the store, never reused."""

WorkerId = NewType("WorkerId", str)
"""A worker's name; also the last token of its bus subjects, so only letters, digits, `-` and `_`."""

AssetId = NewType("AssetId", UUID)
"""Names one record of one user; equal bytes of two records share one blob."""

BlobHash = NewType("BlobHash", str)
"""blake3 of the bytes: 64 lowercase hexadecimal digits, without the `blake3:` that the wire puts before it."""
