"""The models of the registry: files that workers may fetch when a job names one, by folder and name as ComfyUI has it.

Two names may stand for the same bytes; of one name there is one model. Where a model has no address its bytes are
among the server's own.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from fireside.domain.errors import BadRequest
from fireside.domain.ids import BlobHash

SAFETENSORS = (".safetensors", ".sft")
"""The endings of files that hold numbers and nothing that could be run."""
_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NOT_MODELS = frozenset({"configs", "custom_nodes"})
# ComfyUI takes the first for the second.
_FORMER_NAMES = {"unet": "diffusion_models", "clip": "text_encoders"}
_MAX_NAME_CHARACTERS = 200
_MAX_PARTS = 8


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


def _is_plain(part: str) -> bool:
    return (
        part != ""
        and part.isprintable()
        and not part.startswith(".")
        and part == part.strip()
        and not set(part) & set('\\:*?"<>|')
    )
