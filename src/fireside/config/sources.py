"""Where settings come from: the file, the environment, and flags."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from fireside.config.rows import NOT_SETTINGS, PREFIX, plain_type
from fireside.config.table import Config


class ConfigError(Exception):
    """One or more settings are wrong; the message names them all."""


Origin = Literal["default", "file", "environment", "flag"]
"""Where the value of a setting came from."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, and where those came from that are not defaults."""

    config: Config
    origins: Mapping[str, Origin]


def load_config(flags: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Config:
    """Put the settings together from file, environment and flags; raises `ConfigError` with every problem."""
    return load_settings(flags, environment).config


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Loaded:
    """Do what `load_config` does, and say where each value came from."""
    environment = os.environ if environment is None else environment
    known = {field.name: field for field in msgspec.structs.fields(Config)}
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    problems: list[str] = []
    from_environment = {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }
    data_dir = flags.get("data_dir") or from_environment.get("data_dir") or known["data_dir"].default
    sources: list[tuple[str, Origin, Mapping[str, Any]]] = [
        ("fireside.toml", "file", _read_file(Path(data_dir) / "fireside.toml", problems)),
        ("environment", "environment", from_environment),
        ("command line", "flag", {name: _joined(value) for name, value in flags.items() if value is not None}),
    ]
    for source, origin, given in sources:
        for name, value in given.items():
            if name not in known:
                problems.append(f"{source}: there is no setting {name!r}")
                continue
            try:
                values[name] = msgspec.convert(_listed(value, known[name].type), known[name].type, strict=False)
                origins[name] = origin
            except msgspec.ValidationError as error:
                problems.append(f"{source}: {name}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))
    return Loaded(Config(**values), origins)


def _joined(value: Any) -> Any:
    """Make one text of a flag that was given several times; each time may hold several values."""
    return "\n".join(map(str, cast("Sequence[object]", value))) if isinstance(value, list | tuple) else value


def _listed(value: Any, annotation: Any) -> Any:
    """Take the texts of environment and flags for a list apart; what is a list in the file is one."""
    if not isinstance(plain_type(annotation), msgspec.inspect.VarTupleType):
        return value
    if isinstance(value, str):
        return [part.strip() for part in re.split(r"[,\n]", value) if part.strip()]
    return value


def _read_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{path}: {error}")
        return {}
