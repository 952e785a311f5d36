"""How a worker comes in, over HTTP: joining with a token, taking its place at each start, and saying what it has."""

from typing import Any

import msgspec


class EnrollBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `POST /fleet/enroll`, which a join token opens: let me in, once and for all.

    `secret` is the credential that the worker has made for itself: `fsw_` and at least 43 random characters of
    base64url. Who sends the same one again is the same worker. `name` is what it wants to be called; empty: whatever is
    free, made from `hostname`. `version` is that of Fireside, and `is_transient` is as in `BootBody`, for one
    that is killed before it can say that.
    """

    secret: str
    protocol: int
    version: str = ""
    name: str = ""
    hostname: str = ""
    is_transient: bool = False


class EnrollReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker is called from now on."""

    worker_id: str


class BootBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `PUT /fleet/boot`: I am the process that speaks for this worker; may be said again at any time.

    A worker that `is_transient` does not come back once it has gone, and is not listed for long when it is silent. One
    that `renews` its credentials for the bus, by saying this again before they end, is given such as end.
    """

    boot_id: str
    protocol: int
    version: str = ""
    is_transient: bool = False
    renews: bool = False


class BootReply(msgspec.Struct, frozen=True, kw_only=True):
    """How to get on the bus: what to show there, and where it is beside this server's own `/bus`.

    `bus_seconds` is how long the credentials are good from now on; None: for ever.
    """

    worker_id: str
    bus_jwt: str
    bus_seed: str
    bus_urls: tuple[str, ...] = ()
    bus_seconds: float | None = None


class JoinBody(msgspec.Struct, frozen=True, kw_only=True):
    """Body of `PUT /fleet/worker`: what the worker, known by its token, is after this start.

    The hashes name what it can publish; an empty one says that it has nothing of the kind.
    """

    boot_id: str
    runtime: str
    version: str
    definitions_hash: str
    models_hash: str = ""
    validators_hash: str = ""
    snapshot_hash: str = ""
    subgraphs_hash: str = ""
    editor_hash: str = ""
    devices: tuple[dict[str, Any], ...] = ()
    system: dict[str, Any] = {}
    labels: dict[str, str] = {}


class JoinReply(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the topics the server does not know yet, to be sent with `PUT /fleet/{topic}/{hash}`."""

    wants: tuple[str, ...] = ()


class ModelFileBody(msgspec.Struct, frozen=True, kw_only=True):
    """A file among a worker's models, which are published as JSON: model folder to files."""

    name: str
    size_bytes: int


class SubgraphBody(msgspec.Struct, frozen=True, kw_only=True):
    """A blueprint among those that a worker's node packs bring along; they are published as a list in JSON."""

    node_pack: str
    name: str
    data: str


class TemplateBody(msgspec.Struct, frozen=True, kw_only=True):
    """A file among the example workflows of a node pack: the workflow itself, or the picture beside it."""

    node_pack: str
    file: str
    content: bytes


class EditorFilesBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker's node packs bring along for the editor: translations by language, and example workflows."""

    translations: dict[str, Any] = {}
    templates: list[TemplateBody] = []
