"""Workflows that are saved on the server, started by their names with values from the command line."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fireside.cli.errors import USAGE, CommandFailed
from fireside.cli.printing import plain, say
from fireside.cli.workflows import value_of_text
from fireside.client.answers import SavedInput, SavedWorkflowAnswer
from fireside.client.client import FiresideClient


def is_file(workflow: str) -> bool:
    """Tell a workflow's file from the name of a saved one: a file is there, or is called like one."""
    return workflow.endswith(".json") or Path(workflow).exists()


async def start_named(client: FiresideClient, name: str, given: Sequence[str]) -> str:
    """Queue a saved workflow with `NAME=VALUE` inputs and give the job's id; files among them are uploaded first."""
    workflow = await client.saved_workflow(name)
    wanted = [_wanted(workflow, text) for text in given]
    inputs: dict[str, Any] = {}
    for named, text in wanted:
        if named.is_file and Path(text).is_file():
            inputs[named.name] = await client.upload_file(Path(text))
        else:
            inputs[named.name] = _value(named, text)
    job_id = await client.run_saved(name, inputs)
    say(f"job {plain(job_id)}")
    return job_id


def _wanted(workflow: SavedWorkflowAnswer, text: str) -> tuple[SavedInput, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise CommandFailed(f"{text!r} is to be NAME=VALUE", USAGE)
    by_name = {one.name: one for one in workflow.inputs}
    if name in by_name:
        return by_name[name], value
    alike = get_close_matches(name, by_name, n=1)
    hint = f"did you mean {alike[0]!r}?" if alike else f"it takes {', '.join(by_name) or 'none'}"
    raise CommandFailed(f"the workflow {workflow.name!r} has no input {name!r}; {hint}", USAGE)


def _value(named: SavedInput, text: str) -> Any:
    """Read a value as its input wants it; the server says what is wrong with it."""
    if named.type == "string" or named.is_file:
        return text
    if named.choices is not None and text in named.choices:
        return text
    return value_of_text(text)
