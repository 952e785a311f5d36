"""What the objects of blobs are called, below the place that `blobs_url` names."""

from fireside.domain.ids import BlobHash

ASIDE = ".unwanted"
UNFINISHED = "unfinished/"
"""What workers bring themselves, until it is known to be whole."""


def key_of(blob_hash: BlobHash) -> str:
    """Name the place of a blob."""
    return f"{blob_hash[:2]}/{blob_hash}"


def aside_of(blob_hash: BlobHash) -> str:
    """Name where a blob is set aside."""
    return key_of(blob_hash) + ASIDE
