"""The models of the registry: files that workers may fetch when a job names one, by folder and name as ComfyUI has it.

Two names may stand for the same bytes; of one name there is one model. Where a model has no address its bytes are
among the server's own.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from fireside.domain.errors import BadRequest
from fireside.domain.ids import BlobHash
from fireside.domain.usage import bytes_in_words

SAFETENSORS = (".safetensors", ".sft")
"""The endings of files that hold numbers and nothing that could be run."""
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NOT_MODELS = frozenset({"configs", "custom_nodes"})
# ComfyUI takes the first for the second.
_FORMER_NAMES = {"unet": "diffusion_models", "clip": "text_encoders"}
_MAX_NAME_CHARACTERS = 200
_MAX_PARTS = 8
_A_WEEK = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, order=True)
class ModelName:
    """A model folder of ComfyUI's, and a path below it with `/`."""

    folder: str
    name: str

    @classmethod
    def checked(cls, folder: str, name: str) -> "ModelName":
        """Take what somebody wrote; raises `BadRequest` for a name that leads elsewhere, or is none of a model."""
        folder = _FORMER_NAMES.get(folder, folder)
        if _FOLDER.fullmatch(folder) is None or folder in _NOT_MODELS:
            raise BadRequest(f"{folder!r} is no folder of models; it is one such as checkpoints, loras or vae")
        parts = name.split("/")
        if len(name) > _MAX_NAME_CHARACTERS or len(parts) > _MAX_PARTS or not all(map(_is_plain, parts)):
            raise BadRequest(
                f"{name[:_MAX_NAME_CHARACTERS]!r} is no name of a model: it is a file name such as x.safetensors, or"
                " a path below the folder"
            )
        return cls(folder, name)

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}"

    @property
    def is_safetensors(self) -> bool:
        """Whether its ending says that it can be loaded without running anything."""
        return self.name.lower().endswith(SAFETENSORS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """A model that workers may fetch; `source_url` is None where the server has the bytes."""

    id: int
    name: ModelName
    hash: BlobHash
    size_bytes: int
    source_url: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOnItsWay:
    """How far a worker is with a model that it fetches, in the worker's own words."""

    worker: str
    model: str
    """Folder and name."""
    done_bytes: int
    size_bytes: int
    bytes_per_second: float | None
    """None where that is not known."""

    @property
    def percent(self) -> int:
        """How much of it is there; all of it is told when it is known to be right."""
        return max(0, min(99, 100 * self.done_bytes // self.size_bytes)) if self.size_bytes > 0 else 0

    @property
    def seconds_left(self) -> float | None:
        """How long it takes from now on if it goes on so; None: nobody can know."""
        left = self.size_bytes - self.done_bytes
        if not self.bytes_per_second or self.bytes_per_second <= 0 or not 0 <= left / self.bytes_per_second < _A_WEEK:
            return None
        return left / self.bytes_per_second

    @property
    def how_far(self) -> str:
        """Say how far it is, and how fast it comes."""
        rate = self.bytes_per_second
        at = f", {bytes_in_words(int(rate))} a second" if rate is not None and rate >= 1 else ""
        return f"{self.percent} % of {bytes_in_words(self.size_bytes)}{at}"


def _is_plain(part: str) -> bool:
    return (
        part != ""
        and part.isprintable()
        and not part.startswith(".")
        and part == part.strip()
        and not set(part) & set('\\:*?"<>|')
    )
