"""What a user may, as fields of a form: each with the server's setting that holds where the user has none. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fireside.config import Config
from fireside.domain.accounts import Role, User
from fireside.domain.errors import BadRequest

ROLES = tuple(role.value for role in Role)
_MOST_DIGITS = 30
_LIMITS = (
    ("max_running", "Jobs that run at once", True, ""),
    ("max_queued", "Jobs that wait", True, ""),
    ("max_run_seconds", "Seconds a job may run", False, ""),
    ("quota_gpu_seconds", "GPU-seconds a month", False, "0 is no limit."),
    ("quota_jobs", "Jobs a month", True, "0 is no limit."),
    ("quota_bytes", "Bytes of files", True, "0 is no limit."),
    ("keep_jobs", "Ended jobs that are kept", True, "0 keeps all."),
    ("keep_days", "Days that they are kept", True, "0 keeps them for ever."),
)
"""Name, words, whether it is a whole number, and what 0 means."""
_REUSE = {"": None, "yes": True, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the form; `usual` is the server's setting in words."""

    name: str
    label: str
    value: str
    usual: str
    is_whole: bool
    hint: str


def limit_fields(user: User, config: Config, form: Mapping[str, str] | None = None) -> Mapping[str, Any]:
    """Give the fields as the user has them, or as they were sent."""
    given = {name: _written(getattr(user, name)) for name, *_ in _LIMITS}
    given |= {"weight": _written(user.weight), "reuse": {None: "", True: "yes", False: "no"}[user.reuse]}
    given |= form or {}
    return {
        "weight": given["weight"],
        "reuse": given["reuse"],
        "usual_reuse": "yes" if config.reuse else "no",
        "limits": [
            Field(
                name=name,
                label=label,
                value=given[name],
                usual=_written(getattr(config, name)) if getattr(config, name) else "no limit",
                is_whole=is_whole,
                hint=hint,
            )
            for name, label, is_whole, hint in _LIMITS
        ],
    }


def read_limits(form: Mapping[str, str]) -> dict[str, Any]:
    """Read what was sent; a field that is empty, or not there, is the server's setting. Raises `BadRequest`."""
    reuse = form.get("reuse", "")
    if reuse not in _REUSE:
        raise BadRequest("reuse is yes, no or the server's setting")
    read: dict[str, Any] = {"weight": read_number("weight", form.get("weight", "")), "reuse": _REUSE[reuse]}
    for name, label, is_whole, _ in _LIMITS:
        text = form.get(name, "").strip()
        read[name] = None if not text else _whole(label, text) if is_whole else read_number(label, text)
    return read


def read_number(label: str, text: str) -> float:
    """Read a number, or raise `BadRequest`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadRequest(f"{label}: write a number")
    return number


def _whole(label: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise BadRequest(f"{label}: write a whole number of 0 or more, or nothing for the server's setting")
    return int(text)


def _written(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else str(value)
