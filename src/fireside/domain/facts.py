"""What an owner's metadata says, as facts that can be looked up: each is a number made from a name and a value.

A filter `{"k": value}` is met by metadata whose `k` is that value, or a list that holds it. A list in the filter is met
by any of its values, and null by metadata that has no `k`, or null there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

_MAX_FACTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class FactConditions:
    """Facts to look for: one of each group in `wanted` is there, and none of `unwanted`."""

    wanted: Sequence[Sequence[int]]
    unwanted: Sequence[int]


def facts_of(metadata: Mapping[str, Any]) -> frozenset[int]:
    """Give the facts of an asset's metadata; of metadata that says very much, the first ones."""
    found: dict[int, None] = {}
    for name, value in metadata.items():
        for fact in _facts(name, value):
            found[fact] = None
            if len(found) == _MAX_FACTS:
                return frozenset(found)
    return frozenset(found)


def conditions_of(wanted: Mapping[str, Any]) -> FactConditions:
    """Give what to look for, for a filter."""
    groups: list[list[int]] = []
    unwanted: list[int] = []
    for name, value in wanted.items():
        values = cast("list[Any]", value) if isinstance(value, list) else [value]
        if value is None:
            unwanted.append(_is_there(name))
        elif values:
            groups.append([_fact(name, one) for one in values if one is not None] or [_is_there(name)])
    return FactConditions(wanted=groups, unwanted=unwanted)


def is_met(conditions: FactConditions, facts: frozenset[int]) -> bool:
    """Tell whether metadata with these facts is what is looked for."""
    return facts.isdisjoint(conditions.unwanted) and all(not facts.isdisjoint(group) for group in conditions.wanted)


def _facts(name: str, value: Any) -> Iterator[int]:
    if value is None:
        return
    yield _is_there(name)
    if isinstance(value, list):
        yield from (_fact(name, one) for one in cast("list[Any]", value) if one is not None)
    else:
        yield _fact(name, value)


def _is_there(name: str) -> int:
    return _number(name, "")


def _fact(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return _number(name, json.dumps(value, sort_keys=True))


def _number(name: str, value: str) -> int:
    # 63 bits, so that it is a positive number for every database; names and values cannot run into each other.
    digest = blake2b(f"{len(name)}:{name}{value}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
