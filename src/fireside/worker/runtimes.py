"""The runtime that a ticket asks for, not yet started."""

from pathlib import Path

from fireside.runtimes.base import Runtime
from fireside.runtimes.builtin.runtime import BuiltinRuntime
from fireside.runtimes.comfyui.attached import AttachedHome
from fireside.runtimes.comfyui.deadlines import Deadlines
from fireside.runtimes.comfyui.launch import CPU, Launch
from fireside.runtimes.comfyui.runtime import ComfyRuntime
from fireside.runtimes.comfyui.supervised import SupervisedHome
from fireside.wire.tickets import BuiltinSpec, ComfyFolderSpec, ComfyUrlSpec, WorkerTicket


def runtime_of(ticket: WorkerTicket) -> Runtime:
    """Make it; a ComfyUI works in the worker's `home`, which stays when the worker ends."""
    deadlines = Deadlines(interrupt_seconds=ticket.interrupt_seconds)
    match ticket.runtime:
        case BuiltinSpec():
            return BuiltinRuntime(Path(ticket.scratch) / "runtime", interrupt_seconds=ticket.interrupt_seconds)
        case ComfyUrlSpec() as spec:
            return ComfyRuntime(AttachedHome(spec.url, answer_seconds=spec.start_seconds), deadlines=deadlines)
        case ComfyFolderSpec() as spec:
            home = SupervisedHome(
                _launch(spec),
                Path(ticket.home),
                start_seconds=spec.start_seconds,
                fetches_models=ticket.model_cache_bytes > 0,
            )
            return ComfyRuntime(home, deadlines=deadlines)


def _launch(spec: ComfyFolderSpec) -> Launch:
    return Launch(
        comfyui_dir=Path(spec.directory),
        python=Path(spec.python) if spec.python else None,
        device=CPU if spec.cpu else spec.gpu or None,
        extra_model_paths=tuple(map(Path, spec.model_paths)),
        preview_method=spec.preview_method,
        arguments=spec.arguments,
    )
