"""The settings as options of a command: every one of the table but secrets, which others could see in a list of
processes and which therefore come from the file or the environment. The URL of the database, which need not hold its
password, is offered all the same.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

from cyclopts import Parameter

from fireside.config import Config, Setting, load_config, settings

WORKER_SETTINGS = (
    *("label", "comfyui_dir", "comfyui_url", "comfyui_python", "comfyui_arguments", "comfyui_model_paths"),
    *("comfyui_preview_method", "gpus", "interrupt_seconds", "stage_cache_bytes"),
    *("model_cache_dir", "model_cache_bytes", "start_seconds", "log_format", "log_level"),
)
"""Those of a worker that only dials out, which launchers pass on to the ones they start."""
_TYPES: Mapping[str, Any] = {
    "text": str,
    "integer": int,
    "number": float,
    "true | false": bool,
    "list": list[str],
}


def takes_settings(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command, which takes the settings that were set by flags, an option for each setting."""
    return _with_options_for(command, [row for row in settings() if row.has_flag])


def takes_some_settings(*names: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command options for these settings alone."""
    rows = [row for row in settings() if row.name in names]
    return lambda command: _with_options_for(command, rows)


def _with_options_for(command: Callable[..., int], rows: Collection[Setting]) -> Callable[..., int]:
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    names = [parameter.name for parameter in own]

    def with_options(**given: Any) -> int:
        flags = {name: value for name, value in given.items() if name not in names and value is not None}
        return command(flags, **{name: given[name] for name in names if name in given})

    parameters = own + [_option(row) for row in rows]
    with_options.__name__ = command.__name__
    with_options.__doc__ = command.__doc__
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(with_options)["__signature__"] = inspect.Signature(parameters)
    return with_options


def config_in(data_dir: str | None) -> Config:
    """Put the settings together as the server of a data folder has them, but for its flags."""
    return load_config({"data_dir": data_dir})


def _option(row: Setting) -> inspect.Parameter:
    text = row.help if row.default in ("", ()) else f"{row.help} [{row.default}]"
    annotation: Any = Annotated[_TYPES.get(row.type, str) | None, Parameter(help=text, show_default=False)]
    return inspect.Parameter(row.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
