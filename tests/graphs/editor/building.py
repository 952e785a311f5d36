"""Workflows as the editor saves them, written short."""

from typing import Any


def wired(name: str, kind: str, link: int | None = None, *, widget: bool = False, **more: Any) -> dict[str, Any]:
    """An input of a node."""
    return {"name": name, "type": kind, "link": link, **({"widget": {"name": name}} if widget else {}), **more}


def node(
    node_id: int | str,
    kind: str,
    *inputs: dict[str, Any],
    out: tuple[str, ...] = (),
    values: Any = None,
    mode: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """A node; its outputs are given by type."""
    outputs = [{"name": name, "type": name, "links": []} for name in out]
    return {
        "id": node_id,
        "type": kind,
        "pos": [0, 0],
        "size": [200, 100],
        "flags": {},
        "order": 0,
        "mode": mode,
        "inputs": list(inputs),
        "outputs": outputs,
        "properties": {},
        **({} if values is None else {"widgets_values": values}),
        **more,
    }


def workflow(*nodes: dict[str, Any], links: Any = (), **more: Any) -> dict[str, Any]:
    """A file of the old schema; outputs learn of their links."""
    _tell_outputs(nodes, links)
    return {
        "last_node_id": 1000,
        "last_link_id": 1000,
        "nodes": list(nodes),
        "links": [list(link) for link in links],
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
        **more,
    }


def new_workflow(*nodes: dict[str, Any], links: Any = (), **more: Any) -> dict[str, Any]:
    """A file of the new schema, whose links are objects."""
    _tell_outputs(nodes, links)
    return {
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": 1000, "lastLinkId": 1000, "lastRerouteId": 10},
        "nodes": list(nodes),
        "links": [link_object(*link) for link in links],
        "groups": [],
        "extra": {},
        **more,
    }


def link_object(
    link_id: int, origin: int, origin_slot: int, target: int, target_slot: int, kind: str
) -> dict[str, Any]:
    """A link of the new schema."""
    return {
        "id": link_id,
        "origin_id": origin,
        "origin_slot": origin_slot,
        "target_id": target,
        "target_slot": target_slot,
        "type": kind,
    }


def subgraph(
    name: str, *nodes: dict[str, Any], links: Any = (), inputs: Any = (), outputs: Any = (), **more: Any
) -> dict[str, Any]:
    """A subgraph; its id is made from its name, its ports are given as (name, type)."""
    _tell_outputs(nodes, links)
    ports = {"inputs": inputs, "outputs": outputs}
    told = {
        side: [
            {
                "id": f"{uuid_of(name)[:-4]}{side[:1].encode().hex()}{place:02}",
                "name": port,
                "type": kind,
                "linkIds": [link[0] for link in links if _is_at(link, side, place)],
            }
            for place, (port, kind) in enumerate(listed)
        ]
        for side, listed in ports.items()
    }
    return {
        "id": uuid_of(name),
        "version": 1,
        "state": {"lastGroupId": 0, "lastNodeId": 1000, "lastLinkId": 1000, "lastRerouteId": 0},
        "revision": 0,
        "config": {},
        "name": name,
        "inputNode": {"id": -10, "bounding": [0, 0, 120, 60]},
        "outputNode": {"id": -20, "bounding": [500, 0, 120, 60]},
        "widgets": [],
        "nodes": list(nodes),
        "groups": [],
        "links": [link_object(*link) for link in links],
        "extra": {},
        **told,
        **more,
    }


def uuid_of(name: str) -> str:
    """The id of a subgraph."""
    digits = f"{name.encode().hex():0<32}"[:32]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def _is_at(link: Any, side: str, place: int) -> bool:
    _, origin, origin_slot, target, target_slot, _ = link
    return (origin, origin_slot) == (-10, place) if side == "inputs" else (target, target_slot) == (-20, place)


def _tell_outputs(nodes: Any, links: Any) -> None:
    by_id = {one["id"]: one for one in nodes}
    for link_id, origin, slot, *_ in links:
        if origin in by_id:
            by_id[origin]["outputs"][slot]["links"].append(link_id)
