"""Which bytes a graph's model files are on this machine, before and after it ran and for the server's question."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from fireside.graphs.reuse import model_names
from fireside.runtimes.base import Runtime
from fireside.wire.fleet import IdentifyModels, IdentifyReply
from fireside.worker.model_hashes import ModelHashes, Sight, sight_of

_log = structlog.get_logger(__name__)


class ModelsOfRun:
    """The model files of one run, from before it began."""

    def __init__(self, hashes: ModelHashes, paths: Mapping[str, Path] | None) -> None:
        self._hashes = hashes
        self._paths = paths
        self._before: Mapping[str, Sight | None] = _sights(paths or {})
        self._are_steady = all(hashes.is_steady(path) for path in (paths or {}).values())
        if paths is not None:
            hashes.of(paths)  # begins with what is not known

    @property
    def paths(self) -> Mapping[str, Path]:
        """Where they lie, by `folder/name`; none where that is not known."""
        return self._paths or {}

    def as_run(self) -> dict[str, str] | None:
        """Give their hashes, if they are known and are those of what the run read."""
        if self._paths is None or not self._are_steady or _sights(self._paths) != self._before:
            return None
        return self._hashes.of(self._paths)


async def models_of_run(runtime: Runtime, hashes: ModelHashes, graph: Mapping[str, Any]) -> ModelsOfRun:
    """Look at the model files that the graph's loaders name."""
    return ModelsOfRun(hashes, await _paths(runtime, model_names(graph)))


async def identify_models(runtime: Runtime, hashes: ModelHashes, request: IdentifyModels) -> IdentifyReply:
    """Say what the files are now; nothing while it is not known."""
    paths = await _paths(runtime, request.names)
    return IdentifyReply(models=None if paths is None else hashes.of(paths))


async def _paths(runtime: Runtime, names: Sequence[str]) -> Mapping[str, Path] | None:
    """Find the files; None where one is not a file that can be told, such as a name that stands for several."""
    try:
        paths = await runtime.model_paths(names)
    except TimeoutError as error:
        _log.info("model files not found", reason=str(error))
        return None
    if paths is None or any(all(key.partition("/")[2] != name for key in paths) for name in names):
        return None
    return paths


def _sights(paths: Mapping[str, Path]) -> dict[str, Sight | None]:
    return {name: sight_of(path) for name, path in paths.items()}
