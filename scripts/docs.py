"""Print into the documents what the code knows better: settings, routes, messages, error codes, commands, lifecycle.

A document marks such a part with `<!-- printed: NAME -->` and `<!-- end -->`; what stands between is written by the
function of that name here and by nobody else. `make docs` writes, tests/docs compares. What a part means is said by
hand around it.
"""

import ast
import configparser
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

import msgspec
from cyclopts import App
from cyclopts.argument import Argument
from starlette.responses import Response

import fireside
from fireside.cli.main import app
from fireside.config import settings
from fireside.domain.accounts import Scope
from fireside.domain.errors import FiresideError, TooMany, Unavailable
from fireside.domain.jobs import TERMINAL_STATES
from fireside.domain.lifecycle import TRANSITIONS
from fireside.runtimes.builtin.nodes import NODES
from fireside.server.meters import Meters
from fireside.server.refusals import refuse
from fireside.server.routes import Access, Route
from fireside.server.tables import ROUTES, SOCKETS
from fireside.wire import fleet, live
from fireside.wire.v1_socket import SocketMessage

ROOT = Path(__file__).parents[1]
_PART = re.compile(r"(?P<begin><!-- printed: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
_SUFFIXES = {"counter": "_total", "info": "_info"}
_OF_SEVERAL_SEGMENTS = re.compile(r":path\}")
_CALLERS = {
    Access.PUBLIC: "anybody",
    Access.USER: "a user",
    Access.ADMIN: "an admin",
    Access.METRICS: "an admin, or who has the token for it",
    Access.WORKER: "a worker",
    Access.NEWCOMER: "who has a join token",
}


def documents() -> list[Path]:
    """Find the documents that may have printed parts."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def refreshed(text: str) -> str:
    """Give a document's text with its printed parts as they should be."""
    return _PART.sub(lambda part: f"{part['begin']}{PARTS[part['name']]()}\n{part['end']}", text)


def printed_part(text: str, name: str) -> str:
    """Give what a document has in the printed part of that name."""
    for part in _PART.finditer(text):
        if part["name"] == name:
            return part[0].removeprefix(part["begin"]).removesuffix(part["end"]).strip("\n")
    raise KeyError(name)


def lifecycle_picture() -> str:
    """Draw the lifecycle as a state diagram; verbs with the same effect share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for (verb, state), transition in TRANSITIONS.items():
        arrows.setdefault((state.value, transition.target.value), []).append(verb.value)
    lines = [f"    {source} --> {target}: {', '.join(verbs)}" for (source, target), verbs in arrows.items()]
    ends = [f"    {state} --> [*]" for state in sorted(TERMINAL_STATES)]
    return "\n".join(["```mermaid", "stateDiagram-v2", "    [*] --> queued: submit", *lines, *ends, "```"])


def lifecycle_table() -> str:
    """Print every row of the lifecycle's table."""
    rows = [(verb.value, state.value, row.target.value, row.fence.value) for (verb, state), row in TRANSITIONS.items()]
    return _table(("verb", "in state", "leads to", "fence"), rows)


def rooms() -> str:
    """Print the rooms, layer by layer from the top, as import-linter enforces them."""
    rows: list[tuple[str, str, str]] = []
    for number, layer in enumerate(layers(), start=1):
        rows += [(str(number), f"`{room}`", _first_paragraph(_module_text(room))) for room in layer]
    return _table(("layer", "room", "what it is"), rows)


def layers() -> list[list[str]]:
    """Read the layers from `.importlinter`."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / ".importlinter", "utf-8")
    listed = parser["importlinter:contract:layers"]["layers"].split("\n")
    return [[room.strip() for room in line.split("|")] for line in listed if line.strip()]


def setting_table() -> str:
    """Print the table of settings."""
    rows: list[tuple[str, ...]] = []
    for row in settings():
        default = "" if row.default == "" else f"`{str(row.default).lower() if row.type == _FLAG else row.default}`"
        rows.append((f"`{row.name}`", row.type, default, row.help + (" Secret." if row.secret else "")))
    return _table(("setting", "type", "default", "what it is"), rows)


def route_tables() -> str:
    """Print all routes, group by group."""
    groups: dict[str, list[Route]] = {}
    for route in ROUTES:
        if not route.twin_of:
            groups.setdefault(route.tag, []).append(route)
    return "\n\n".join(f"### {tag}\n\n{_route_table(routes)}" for tag, routes in groups.items())


def twin_table() -> str:
    """Print the bare paths that answer as another path does."""
    rows = [
        (f"`{route.method}`", f"`{_plain_path(route.path)}`", f"`{_plain_path(route.twin_of)}`")
        for route in ROUTES
        if route.twin_of
    ]
    return _table(("method", "path", "answers as"), rows)


def socket_table() -> str:
    """Print the paths of the websockets."""
    return _table(
        ("path", "who may call"),
        [(f"`{route.path}`", _CALLERS[route.access] + _scope_note(route.scope)) for route in SOCKETS],
    )


def socket_messages() -> str:
    """Print the text messages of the websocket with what is in their data."""
    rows = [
        (f"`{kind.kind}`", ", ".join(f"`{name}`" for name in kind.__struct_fields__), _first_paragraph(kind.__doc__))
        for kind in SocketMessage.__subclasses__()
    ]
    return _table(("type", "data", "what it says"), rows)


def node_problems() -> str:
    """Print what can be wrong with a node: the types of `node_errors`."""
    return _table(("type", "what is wrong"), [(f"`{kind}`", text) for kind, text in problem_types()])


def problem_types() -> list[tuple[str, str]]:
    """Find the types of node problems and what they mean, in the module that makes them."""
    module = ast.parse((ROOT / "src/fireside/graphs/problems.py").read_text("utf-8"))
    made = [function for function in module.body if isinstance(function, ast.FunctionDef)]
    return [
        (kind, _first_paragraph(ast.get_docstring(function)))
        for function in made
        for kind in texts_given_to("_problem", function)
    ]


def texts_given_to(name: str, tree: ast.AST) -> list[str]:
    """Find the literal texts with which a function is called as first argument."""
    return [
        call.args[0].value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    ]


def node_table() -> str:
    """Print the nodes of the builtin runtime."""
    rows = [(f"`{node.name}`", node.category, node.summary) for node in NODES.values()]
    return _table(("class", "category", "what it does"), rows)


def error_table() -> str:
    """Print the errors that callers are told of, with their statuses."""
    rows = [(f"`{kind.code}`", str(_status(kind)), _first_paragraph(kind.__doc__)) for kind in told_errors()]
    return _table(("code", "status", "meaning"), rows)


def inner_error_table() -> str:
    """Print the errors that callers know as `internal` only."""
    told = told_errors()
    rows = [
        (f"`{kind.code}`", f"`{kind.__module__}`", _first_paragraph(kind.__doc__))
        for kind in error_kinds()
        if kind not in told
    ]
    return _table(("code", "raised in", "meaning"), rows)


def told_errors() -> list[type[FiresideError]]:
    """Find the errors whose own code an HTTP caller reads."""
    return [kind for kind in error_kinds() if _told_code(kind) == kind.code]


def error_kinds() -> list[type[FiresideError]]:
    """Find every error of the tree, wherever in the package it is defined; parents before children."""
    for module in pkgutil.walk_packages(fireside.__path__, "fireside."):
        importlib.import_module(module.name)
    return list(_below(FiresideError))


def bus_messages() -> str:
    """Print what travels on the bus."""
    groups = (
        ("`work.<worker>`", get_args(fleet.WorkRequest)),
        ("`presence.<worker>`", (fleet.Presence,)),
        ("`reports.<worker>`", get_args(fleet.Report)),
        ("`live.<user>.<job>.server`", get_args(live.Fact)),
        ("`live.<user>.tasks.server`", (live.TaskProgress,)),
        ("`live.<user>.<job>.<worker>`", get_args(live.Frame)),
    )
    rows = [
        (subject, f"`{kind.__struct_config__.tag or kind.__name__.lower()}`", _first_paragraph(kind.__doc__))
        for subject, kinds in groups
        for kind in kinds
    ]
    return _table(("subject", "message", "what it says"), rows)


def command_table() -> str:
    """Print the commands, one line each."""
    rows = [(f"`{' '.join(('fireside', *words))}`", _first_paragraph(command.help)) for words, command in commands()]
    return _table(("command", "what it does"), rows)


def command_reference() -> str:
    """Print every command with its arguments."""
    return "\n\n".join(_command_page(words, command) for words, command in commands())


def commands(root: App = app, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Give all commands with the words that call them, in the order of `fireside --help`."""
    for name in root:
        if name.startswith("-"):
            continue
        command = root[name]
        if command.default_command is not None:
            yield (*before, name), command
        yield from commands(command, (*before, name))


def _route_table(routes: Sequence[Route]) -> str:
    rows = [
        (
            f"`{route.method}`",
            f"`{_plain_path(route.path)}`",
            _CALLERS[route.access] + _scope_note(route.scope),
            route.text + _token_note(route),
        )
        for route in routes
    ]
    return _table(("method", "path", "who may call", "what it does"), rows)


def _plain_path(path: str) -> str:
    return _OF_SEVERAL_SEGMENTS.sub("}", path)


def _scope_note(scope: Scope | None) -> str:
    return f" (`{scope}`)" if scope is not None else ""


def _token_note(route: Route) -> str:
    return " (the key may be `?token=`)" if route.token_in_query else ""


def _below(kind: type[FiresideError]) -> Iterator[type[FiresideError]]:
    yield kind
    # Other packages, such as tests, may have errors of their own.
    children = [child for child in kind.__subclasses__() if child.__module__.startswith("fireside.")]
    for child in sorted(children, key=lambda child: child.code):
        yield from _below(child)


def _told_code(kind: type[FiresideError]) -> str:
    return str(msgspec.json.decode(_refusal(kind).body, type=dict[str, str])["code"])


def _status(kind: type[FiresideError]) -> int:
    return _refusal(kind).status_code


def _refusal(kind: type[FiresideError]) -> Response:
    # Made without its own arguments, which differ: what the edge answers depends on the type alone.
    error = kind.__new__(kind)
    error.message = ""
    if isinstance(error, TooMany | Unavailable):
        error.retry_after = 1
    return refuse(error)


def _command_page(words: tuple[str, ...], command: App) -> str:
    known_settings = {row.name for row in settings()} if words in (("up",), ("serve",)) else frozenset[str]()
    arguments = [argument for argument in command.assemble_argument_collection() if argument.show]
    own = [argument for argument in arguments if _setting_name(argument) not in known_settings]
    places = [argument.name for argument in own if not argument.name.startswith("-")]
    takes_options = len(own) > len(places) or bool(known_settings)
    usage = " ".join(("    fireside", *words, *places, *(("[OPTIONS]",) if takes_options else ())))
    parts = [f"### fireside {' '.join(words)}", _first_paragraph(command.help), usage]
    if own:
        parts.append(_table(("argument", "what it is"), [_argument_row(argument) for argument in own]))
    if known_settings:
        parts.append("Every setting but the secret keys is an option too; see [settings](settings.md).")
    return "\n\n".join(parts)


def _argument_row(argument: Argument) -> tuple[str, str]:
    names = ", ".join(f"`{name}`" for name in argument.names if name not in argument.negatives)
    default = argument.field_info.default
    is_shown = default not in (inspect.Parameter.empty, None, (), "", False)
    notes = ["Required."] if argument.required else [f"Default: `{default}`."] if is_shown else []
    return names, " ".join([argument.parameter.help or "", *notes]).strip()


def _setting_name(argument: Argument) -> str:
    return argument.name.removeprefix("--").replace("-", "_")


def _module_text(room: str) -> str:
    folder = ROOT / "src" / "fireside" / room
    path = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


def _first_paragraph(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


_FLAG = "true | false"


def metric_table() -> str:
    """Print what is measured, as Prometheus is told."""
    kinds = ("counter", "gauge", "histogram", "info")
    rows = [
        f"| `{one.name}{_SUFFIXES.get(one.type, '')}` | {one.type} | {one.documentation} |"
        for one in sorted(Meters().registry.collect(), key=lambda one: one.name)
        if one.name.startswith("fireside_") and one.type in kinds
    ]
    return "\n".join(["| name | type | what it is |", "| --- | --- | --- |", *rows])


PARTS: Mapping[str, Callable[[], str]] = {
    "lifecycle-picture": lifecycle_picture,
    "lifecycle-table": lifecycle_table,
    "rooms": rooms,
    "settings": setting_table,
    "routes": route_tables,
    "bare-paths": twin_table,
    "sockets": socket_table,
    "socket-messages": socket_messages,
    "node-problems": node_problems,
    "nodes": node_table,
    "errors": error_table,
    "inner-errors": inner_error_table,
    "bus-messages": bus_messages,
    "metrics": metric_table,
    "command-table": command_table,
    "commands": command_reference,
}
"""The printed parts by name."""


def main() -> None:
    """Write the printed parts of all documents."""
    for path in documents():
        text = path.read_text("utf-8")
        if (now := refreshed(text)) != text:
            path.write_text(now, "utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
