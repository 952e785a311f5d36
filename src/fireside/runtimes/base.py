"""The contract of a runtime: what a worker asks of the thing that executes a workflow graph.

Every kind (`builtin`, `comfyui`) passes one exam, `tests/conformance/test_runtimes.py`. The contract carries
plain files and ComfyUI's own words (`output` dictionaries, node ids, progress states), so that nothing is lost
in between. It does not upload, report or retry; that is the worker's business.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One graph to execute, with everything it may touch.

    `graph` is in API format and already validated. `outputs` are the ids of the output nodes to run. `inputs` maps
    a file value exactly as the graph writes it (`photo.png`, `sub/a.png [output]`) to a local file; no other
    file may be read. `extra_data` is the submit's, without secrets. `folder` is this run's own scratch folder:
    produced files lie below it until the worker has taken them and removed the folder. `secrets` are the submit's
    credentials for partner nodes (`api_key_comfy_org`, `auth_token_comfy_org`): for the run alone, never for a log.
    `when_ended` is called with the last event as soon as it is known, which may be well before it is read.
    """

    task_id: str
    graph: Mapping[str, Any]
    outputs: tuple[str, ...]
    inputs: Mapping[str, Path]
    extra_data: Mapping[str, Any]
    folder: Path
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    when_ended: "Callable[[RunEvent], None] | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducedFile:
    """A file a node made: where it stands in the node's `output` (`output[key][index]`) and on this disk."""

    key: str
    index: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedNodes:
    """The nodes whose results are reused; always the first event, also when empty."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted:
    """A node is about to run."""

    node_id: str
    display_node_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """One node inside a `ProgressState`; `state` is `running`, `finished` or `error`."""

    node_id: str
    display_node_id: str
    parent_node_id: str | None
    real_node_id: str
    class_type: str
    state: str
    value: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressState:
    """The states of all nodes that are not pending any more."""

    nodes: tuple[NodeState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A node's own step counter, for instance sampling steps."""

    node_id: str
    value: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A small encoded picture (`image/jpeg` or `image/png`) of a node's work so far; may be dropped under load."""

    node_id: str
    display_node_id: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressText:
    """What a node says of its work so far, in words; each one stands instead of the one before."""

    node_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOutput:
    """A node has run (or came from the cache) and shows `output`, ComfyUI's `ui` dictionary.

    File items look like `{"filename": …, "subfolder": …, "type": "output" | "temp"}`; each of them has its
    `ProducedFile` in `files`. Text, numbers and flags have none.
    """

    node_id: str
    display_node_id: str
    output: Mapping[str, Any]
    files: tuple[ProducedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of a run that did all it was asked to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The last event of a run that a node, or the runtime itself (`node_id` empty), has broken.

    `is_breakdown` says that the runtime broke rather than the graph: the process is gone, or hangs. The same job may
    well succeed at another attempt.
    """

    node_id: str
    node_type: str
    exception_type: str
    exception_message: str
    traceback: tuple[str, ...] = ()
    current_inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    executed: tuple[str, ...] = ()
    is_breakdown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """The last event of a run that was interrupted; `node_id` is where, when known."""

    node_id: str | None = None
    node_type: str | None = None
    executed: tuple[str, ...] = ()


LiveEvent = CachedNodes | NodeStarted | ProgressState | Progress | ProgressText | Preview
"""What is told while it happens, and may be lost."""
RunEvent = LiveEvent | NodeOutput | Finished | Failed | Interrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A file in a model folder: its path below the folder, with `/`, and its size."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgraph:
    """A blueprint that a node pack brings along for the editor: `data` is a workflow in the editor's own JSON."""

    node_pack: str
    name: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """A file among the example workflows of a node pack: the workflow itself, or the picture beside it."""

    node_pack: str
    file: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """What a started runtime is: `kind` and `version`, its node definitions and its devices.

    `definitions` is the JSON of ComfyUI's `object_info` (class name -> NodeInfo), byte for byte the same for
    equal node sets, so that its hash names it; lists of input files in it are empty. `devices` has the shape of
    `system_stats.devices`. `models` maps a model folder (`checkpoints`) to its files, sorted by name. `snapshot` says
    what runs, so that a result can be traced: ComfyUI's version and commit, node packs with their commits, Python
    packages. `validators` names the classes whose nodes have a validator of their own, which `check` asks.
    `subgraphs` are sorted by node pack and name, `templates` by node pack and file. `translations` are by language.
    """

    kind: str
    version: str
    definitions: bytes
    devices: tuple[Mapping[str, Any], ...]
    system: Mapping[str, Any]
    models: Mapping[str, tuple[ModelFile, ...]] = field(default_factory=dict[str, tuple[ModelFile, ...]])
    snapshot: Mapping[str, Any] = field(default_factory=dict[str, Any])
    validators: tuple[str, ...] = ()
    subgraphs: tuple[Subgraph, ...] = ()
    templates: tuple[TemplateFile, ...] = ()
    translations: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRefusal:
    """What a node's own validator said against its inputs: ComfyUI's words, `custom_validation_failed` and the like."""

    type: str
    message: str
    details: str
    input_name: str | None = None


class Runtime(Protocol):
    """Executes one task at a time."""

    async def start(self) -> RuntimeInfo:
        """Become ready to run; raise `RuntimeStartError` with the log's tail when that fails.

        Called again it makes sure of the same, also after `stop`: one that runs is left as it is.
        """
        ...

    async def make_ready(self, task: Task) -> None:
        """Do what can be done for the task that will run next while another one still runs; nothing of it is told.

        A later `run` of the same task begins sooner, and ends no other than without. A task that never runs leaves
        nothing behind that is seen.
        """
        ...

    def run(self, task: Task) -> AsyncIterator[RunEvent]:
        """Execute the task; the stream ends with exactly one of Finished, Failed, Interrupted.

        Never raises for what a graph does: a crash of the runtime is a `Failed` too, and the next task finds a
        working runtime again.
        """
        ...

    async def check(self, graph: Mapping[str, Any], node_ids: Sequence[str]) -> Mapping[str, tuple[NodeRefusal, ...]]:
        """Ask the own validators of those nodes, whose files need not be here; only the refused ones are in the answer.

        May be asked while a task runs; raises `TimeoutError` when the runtime does not answer in a few seconds.
        """
        ...

    async def model_metadata(self, folder: str, name: str) -> bytes | None:
        """Give what the author of a model file wrote into it, as a JSON object; None where there is nothing.

        The file is one of `RuntimeInfo.models`. May be asked while a task runs; raises `TimeoutError` as `check`.
        """
        ...

    async def model_preview(self, folder: str, name: str) -> bytes | None:
        """Give the picture of a model file, of any kind that Pillow reads; None where there is none. See above."""
        ...

    async def model_paths(self, names: Sequence[str]) -> Mapping[str, Path] | None:
        """Say where the model files of these names lie, by `folder/name`; None for a runtime that does not know.

        Nor does such a one vouch that what it runs is what `RuntimeInfo.snapshot` says. May be asked while a task runs.
        """
        ...

    async def interrupt(self, task_id: str) -> None:
        """Stop that task at the next node or step; no other task, and none that starts later, is touched.

        Also takes effect when it arrives before the task's first node, and is a no-op for a task that is not running.
        A runtime that does not stop in the time it was given for that is ended and started again by itself; the task
        is `Interrupted` then too.
        """
        ...

    async def devices(self) -> Sequence[Mapping[str, Any]]:
        """Give the devices with their free memory of now, shaped as `RuntimeInfo.devices`; also while a task runs.

        Empty when that is not cheap to tell; never raises for a runtime that does not answer.
        """
        ...

    @property
    def fetched_models(self) -> Path | None:
        """Give the folder where it finds model files that are fetched for it, a folder for each kind of model.

        None for a runtime that has no models, or not there.
        """
        ...

    def warm_models(self) -> Sequence[str]:
        """Name the model files that it holds, or is about to hold by what it runs; of many, some."""
        ...

    async def stop(self) -> None:
        """End the runtime and every process it started; idempotent."""
        ...


class RuntimeStartError(Exception):
    """A runtime that did not become ready; the message holds the tail of its log."""
