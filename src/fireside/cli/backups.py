"""`fireside backup` and `restore`: everything a server remembers, into a folder and out of it."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from fireside.cli.errors import FAILED, CommandFailed
from fireside.cli.printing import give
from fireside.cli.settings import takes_some_settings
from fireside.config import load_config
from fireside.domain.usage import bytes_in_words
from fireside.upkeep.backups import Manifest, Progress, back_up
from fireside.upkeep.backups import restore as restore_from

_MOST_SHOWN = 5
_PLACES = ("data_dir", "database_url", "blobs_url", "blobs_endpoint")


@takes_some_settings(*_PLACES)
def backup(
    flags: Mapping[str, Any],
    *,
    to: Annotated[str, Parameter(help="Folder of the backup; one that is there is brought up to date.")],
) -> int:
    """Copy everything that a server remembers into a folder, also while it runs."""
    folder = Path(to)
    with _bar() as bar:
        made = asyncio.run(back_up(load_config(flags), folder, bar))
    give(f"{folder} holds {_content(made)}")
    if made.damaged:
        raise CommandFailed(
            f"{len(made.damaged)} files are damaged where the server keeps them, and not in the backup:"
            f" {', '.join(made.damaged[:_MOST_SHOWN])}; {folder}/manifest.json names all",
            FAILED,
        )
    return 0


@takes_some_settings(*_PLACES)
def restore(
    flags: Mapping[str, Any],
    *,
    source: Annotated[str, Parameter(name="--from", help="Folder of the backup.")],
) -> int:
    """Fill an empty data folder, and an empty database, from a backup."""
    config = load_config(flags)
    with _bar() as bar:
        found = asyncio.run(restore_from(config, Path(source), bar))
    give(f"{config.data_dir} has {_content(found)}, as they were at {found.made_at:%Y-%m-%d %H:%M:%S} UTC")
    return 0


def _content(manifest: Manifest) -> str:
    return f"the database and {manifest.files} files of {bytes_in_words(manifest.bytes)}"


@contextmanager
def _bar() -> Generator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("files", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
