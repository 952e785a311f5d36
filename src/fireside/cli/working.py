"""`fireside worker`: apart from the commands of servers, so that a worker's process loads nothing of a server."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from fireside.worker.main import run_worker


def worker(ticket: Annotated[Path, Parameter(help="The file a server gave this worker.")], /) -> int:
    """Run a worker; `fireside up` starts its own."""
    run_worker(ticket)
    return 0
