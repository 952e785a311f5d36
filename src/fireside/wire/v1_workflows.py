"""Bodies of `/api/workflows/convert`: the editor's workflow goes in, the graph that runs comes out."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class EditorWorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow as the editor saves it, of the old schema or the new one; its other fields are read as well."""

    nodes: list[dict[str, Any]]
    links: Annotated[list[Any], Meta(description="Lists of six, or objects in the new schema.")] = []
    definitions: Annotated[dict[str, Any], Meta(description="The subgraphs.")] = {}
    extra: dict[str, Any] = {}


class ConversionWarning(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not in the graph as one may expect."""

    node_id: Annotated[str, Meta(description="The node, as the graph names it.")]
    message: str


class ConvertedBody(msgspec.Struct, frozen=True, kw_only=True):
    """The graph in API format; the body may be sent to `/api/prompt` as it is."""

    prompt: Annotated[dict[str, Any], Meta(description="The workflow in API format: node id to node.")]
    warnings: list[ConversionWarning]
