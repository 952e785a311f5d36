"""Pools of workers: those that have certain labels, of which a launcher starts as many as there is work for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LABEL = "pool"
"""The label that tells the workers of a pool which names no others."""
_PARTS = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9-]{0,39})=(?P<least>[0-9]{1,6})\.\.(?P<most>[0-9]{1,6})"
    r"(?P<labels>( +[A-Za-z0-9][A-Za-z0-9._/-]{0,62}=[A-Za-z0-9._:/+-]{0,128})*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool by its name: the labels that all its workers have, and how many there are at least and at most."""

    name: str
    least: int
    most: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether a worker with these labels is of this pool."""
        return all(labels.get(name) == value for name, value in self.labels.items())


def read_pool(text: str) -> Pool:
    """Read `NAME=MIN..MAX`, with labels behind it if any; ValueError, which says what to write, for anything else."""
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no pool; it looks like gpu=0..8, or gpu=0..8 tier=a100 with labels")
    least, most = int(found["least"]), int(found["most"])
    if least > most or most < 1:
        raise ValueError(f"{text!r} has room for no worker: the second number is at least 1 and not below the first")
    labels = dict(part.split("=", 1) for part in found["labels"].split())
    return Pool(name=found["name"], least=least, most=most, labels=labels or {LABEL: found["name"]})
