"""Reads a declaration of named inputs and outputs, and says everything that is wrong with it at once."""

from collections.abc import Iterator
from typing import Any, TypeVar, cast

import msgspec
from msgspec import UNSET

from fireside.wire.v2_interfaces import (
    MAX_NAMED,
    Fault,
    InputDeclaration,
    InterfaceBody,
    OutputDeclaration,
)

D = TypeVar("D", InputDeclaration, OutputDeclaration)
_FIELDS = ("inputs", "outputs", "description")


def read_interface(value: Any) -> tuple[InterfaceBody, list[Fault]]:
    """Read a declaration, with what is wrong with it; parts that cannot be read are left out."""
    if not isinstance(value, dict):
        return InterfaceBody(), [_fault("A declaration is an object with `inputs` and `outputs`.")]
    fields = cast("dict[str, Any]", value)
    faults = [_fault(f"There is no field {name[:80]!r} in a declaration.") for name in fields if name not in _FIELDS]
    inputs = _read_all(fields.get("inputs"), "inputs", InputDeclaration, faults)
    outputs = _read_all(fields.get("outputs"), "outputs", OutputDeclaration, faults)
    faults += [fault for one in inputs for fault in _contradictions(one)]
    description = fields.get("description", "")
    try:
        body = msgspec.convert({"description": description}, InterfaceBody)
    except msgspec.ValidationError as error:
        body = InterfaceBody()
        faults.append(_fault(f"description: {error}."))
    return InterfaceBody(inputs=inputs, outputs=outputs, description=body.description), faults


def _read_all(given: Any, where: str, kind: type[D], faults: list[Fault]) -> list[D]:
    if given is None:
        return []
    if not isinstance(given, list):
        faults.append(_fault(f"`{where}` is to be a list of objects, each with a name."))
        return []
    listed = cast("list[Any]", given)
    if len(listed) > MAX_NAMED:
        faults.append(_fault(f"There are {len(listed)} {where}; at most {MAX_NAMED} are taken."))
    read: dict[str, D] = {}
    for place, one in enumerate(listed[:MAX_NAMED]):
        try:
            declared = msgspec.convert(_with_text_id(one), kind)
        except msgspec.ValidationError as error:
            faults.append(_fault(f"{where}[{place}]: {error}.", **_named(one, where)))
            continue
        if declared.name in read:
            faults.append(_fault(f"{where}[{place}]: the name {declared.name!r} is there twice.", **_named(one, where)))
        read.setdefault(declared.name, declared)
    return list(read.values())


def _contradictions(declared: InputDeclaration) -> Iterator[Fault]:
    name = declared.name
    if declared.default is not UNSET and (declared.required or declared.random):
        other = "required" if declared.required else "random"
        yield _fault(f"The input {name!r} cannot have a default and be {other}.", input=name)
    if declared.required and declared.random:
        yield _fault(f"The input {name!r} cannot be required and random.", input=name)
    least, most = declared.minimum, declared.maximum
    if least is not None and most is not None and least > most:
        yield _fault(f"The input {name!r} has a minimum above its maximum.", input=name)


def _with_text_id(value: Any) -> Any:
    """Files write ids of nodes as numbers too."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    node = fields.get("node")
    return {**fields, "node": str(node)} if isinstance(node, int) and not isinstance(node, bool) else fields


def _named(value: Any, where: str) -> dict[str, str]:
    name = cast("dict[str, Any]", value).get("name") if isinstance(value, dict) else None
    return {where.removesuffix("s"): name} if isinstance(name, str) else {}


def _fault(message: str, **about: str) -> Fault:
    return Fault(code="invalid_declaration", message=message, **about)
