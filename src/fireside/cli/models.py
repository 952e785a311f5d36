"""`fireside models`: the registry of models, which workers fetch when a job names one."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated
from urllib.parse import unquote, urlsplit

import msgspec
from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from fireside.cli.connecting import Where, open_admin
from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import give, local_time, print_table, say
from fireside.client.models import Progress, look_at
from fireside.domain.usage import bytes_in_words
from fireside.wire.admin import ModelBody, NewModelBody
from fireside.wire.queues import FetchedModelBody

_HEADS = ("MODEL", "SIZE", "BLAKE3", "SOURCE", "FETCHED BY", "ADDED")
_SHOWN_DIGITS = 16
_Folder = Annotated[str, Parameter(help="Folder of models that it belongs to: checkpoints, loras, vae, …")]
_Name = Annotated[str | None, Parameter(help="What workflows call it; else the name of the file.")]
_Model = Annotated[str, Parameter(name="FOLDER/NAME", help="The model, as `fireside models list` shows it.")]

models = App(name="models", help="The models that workers fetch when a job names one.")


@models.command
async def add(
    address: Annotated[
        str | None,
        Parameter(name="URL", help="Where the file lies, from where workers fetch it; without it, the server has it."),
    ] = None,
    /,
    *,
    folder: _Folder,
    name: _Name = None,
    blake3: Annotated[
        str | None, Parameter(help="BLAKE3 hash of the file; without it, it is read from here once.")
    ] = None,
    size: Annotated[int | None, Parameter(help="Size of the file in bytes; goes with --blake3.")] = None,
    where: Where | None = None,
) -> None:
    """Register a file at an address, which the setting model_hosts must name, or one that the server has already."""
    if address is None:
        if blake3 is None or name is None:
            raise CommandFailed(
                "without a URL, say by --blake3 and --name which bytes of the server's are meant", USAGE
            )
        new = NewModelBody(folder=folder, name=name, blake3=blake3)
    else:
        new = await _new_at(address, folder, name, blake3, size)
    async with open_admin(where) as client:
        _tell(await client.models.add(new))


async def _new_at(address: str, folder: str, name: str | None, blake3: str | None, size: int | None) -> NewModelBody:
    if (blake3 is None) != (size is None):
        raise CommandFailed("--blake3 and --size go together", USAGE)
    wanted = name or PurePosixPath(unquote(urlsplit(address).path)).name
    if blake3 is None or size is None:
        with _bar(wanted) as progress:
            blake3, size = await look_at(address, progress)
    return NewModelBody(folder=folder, name=wanted, source_url=address, blake3=blake3, size_bytes=size)


@models.command
async def upload(
    file: Annotated[Path, Parameter(name="FILE", help="The file; the server keeps its bytes.")],
    /,
    *,
    folder: _Folder,
    name: _Name = None,
    where: Where | None = None,
) -> None:
    """Upload a file and register it."""
    if not file.is_file():
        raise CommandFailed(f"there is no file {file}", USAGE)
    async with open_admin(where) as client:
        with _bar(file.name) as progress:
            model = await client.models.upload(folder, name or file.name, file, progress)
        _tell(model)


@models.command(name="list")
async def list_models(
    *,
    json: Annotated[bool, Parameter(help="Print all that is known, as JSON.", negative=())] = False,
    where: Where | None = None,
) -> None:
    """List the models, and which workers have fetched them."""
    async with open_admin(where) as client:
        found = await client.models.list()
    if json:
        give(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print_table(_HEADS, [_row(model) for model in found])


@models.command
async def show(model: _Model, /, *, where: Where | None = None) -> None:
    """Print all that is known of a model, as JSON."""
    async with open_admin(where) as client:
        found = await client.models.show(*_parts(model))
    give(msgspec.json.format(msgspec.json.encode(found)).decode())


@models.command
async def remove(model: _Model, /, *, where: Where | None = None) -> None:
    """Let a model be fetched no more; workers drop what they have of it when they tidy up next."""
    async with open_admin(where) as client:
        await client.models.remove(*_parts(model))
    say(f"{model} is out of the registry")


def _tell(model: ModelBody) -> None:
    say(f"workers may fetch {model.folder}/{model.name} ({bytes_in_words(model.size_bytes)})")


def _row(model: ModelBody) -> tuple[str, ...]:
    return (
        f"{model.folder}/{model.name}",
        bytes_in_words(model.size_bytes),
        f"{model.blake3[:_SHOWN_DIGITS]}…",
        model.source_url or "this server",
        ", ".join([*model.workers, *map(_coming, model.fetching)]) or "-",
        local_time(model.created_at),
    )


def _coming(model: FetchedModelBody) -> str:
    return f"{model.worker} ({100 * model.done_bytes // max(1, model.size_bytes)} %)"


def _parts(model: str) -> tuple[str, str]:
    folder, slash, name = model.partition("/")
    if not slash or not name:
        raise CommandFailed(f"{model!r} is not FOLDER/NAME, as in checkpoints/sd15.safetensors", USAGE)
    return folder, name


@contextmanager
def _bar(what: str) -> Generator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
