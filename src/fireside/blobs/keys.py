"""What the objects of blobs are called, below the place that `blobs_url` names."""

import secrets

from fireside.domain.ids import BlobHash

ASIDE = ".unwanted"
UNFINISHED = "unfinished/"
"""What is on its way, from users by a server and from workers directly, until its hash is known to be right."""


def key_of(blob_hash: BlobHash) -> str:
    """Name the place of a blob."""
    return f"{blob_hash[:2]}/{blob_hash}"


def aside_of(blob_hash: BlobHash) -> str:
    """Name where a blob is set aside."""
    return key_of(blob_hash) + ASIDE


def unfinished_name() -> str:
    """Make up a place for bytes on their way."""
    return f"{UNFINISHED}{secrets.token_hex(16)}"
