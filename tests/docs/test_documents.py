"""What the documents say is what the code does: printed parts, links, commands, addresses, names of settings."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import CycloptsError
from scripts import docs

from fireside.cli.main import app
from fireside.config import settings
from fireside.domain.lifecycle import TRANSITIONS
from fireside.server.tables import ROUTES, SOCKETS
from fireside.wire.v1_socket import SocketMessage

ROOT = docs.ROOT
README = ROOT / "README.md"
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
OTHERS = [*sorted((ROOT / "src").rglob("*.md")), *sorted((ROOT / "tests").rglob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMAND = re.compile(r"(?:\.venv/bin/)?fireside (?P<words>[a-z].*)")
_ADDRESS = re.compile(r'"?\$URL(/[^"\s?]*)')
_ENVIRONMENT = re.compile(r"\bFIRESIDE_[A-Z0-9_]*[A-Z0-9]\b")
_ENDPOINT = re.compile(r"`(GET|POST|PUT|DELETE) (/[^`\s]*)`")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(text: str) -> str:
    return _FENCE.sub("", text)


def _anchors(path: Path) -> set[str]:
    return {_anchor(heading) for heading in _HEADING.findall(_prose(path.read_text("utf-8")))}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _commands(text: str) -> Iterator[str]:
    """Find the indented and fenced lines that call our program, and calls in the running text that have no gaps."""
    for line in text.splitlines():
        found = _COMMAND.fullmatch(line.strip()) if line.startswith(("    ", "ExecStart")) else None
        if found:
            yield found["words"]
    yield from re.findall(r"`fireside ([a-z][a-z -]*[a-z])`", text)


def _route_exists(path: str, method: str | None = None) -> bool:
    wanted = re.sub(r"\$\{?\w+\}?", "x", path)
    routes = [(route.method, route.path) for route in ROUTES] + [("GET", socket.path) for socket in SOCKETS]
    return any(
        re.fullmatch(re.sub(r"\{\w+(:path)?\}", r"[^/]+", known), re.sub(r"\{\w+\}", "x", wanted))
        for verb, known in routes
        if method in (None, verb)
    )


@pytest.mark.parametrize("path", docs.documents(), ids=_name)
def test_the_printed_parts_are_up_to_date(path: Path) -> None:
    text = path.read_text("utf-8")

    assert docs.refreshed(text) == text, "run `make docs`"


def test_every_printed_part_is_in_some_document() -> None:
    texts = "".join(path.read_text("utf-8") for path in docs.documents())

    missing = [name for name in docs.PARTS if f"<!-- printed: {name} -->" not in texts]

    assert missing == []


def test_a_printed_part_with_other_text_is_stale() -> None:
    stale = "before\n<!-- printed: lifecycle-table -->\nnothing\n<!-- end -->\nafter\n"

    refreshed = docs.refreshed(stale)

    assert refreshed.startswith("before\n")
    assert refreshed.endswith("\nafter\n")
    assert docs.printed_part(refreshed, "lifecycle-table") == docs.lifecycle_table()


def test_the_picture_of_the_lifecycle_has_the_arrows_of_the_table_and_no_others() -> None:
    picture = docs.printed_part((ROOT / "docs/architecture.md").read_text("utf-8"), "lifecycle-picture")

    arrows = {
        (verb, source, target)
        for source, target, verbs in re.findall(r"(\w+) --> (\w+): (.+)", picture)
        for verb in verbs.split(", ")
    }

    assert arrows == {(verb, state, row.target) for (verb, state), row in TRANSITIONS.items()}


def test_the_table_of_the_lifecycle_says_how_each_verb_treats_the_fence() -> None:
    table = docs.printed_part((ROOT / "docs/architecture.md").read_text("utf-8"), "lifecycle-table")

    rows = {tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()[2:]}

    assert rows == {(verb, state, row.target, row.fence) for (verb, state), row in TRANSITIONS.items()}


def test_every_room_is_described() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")

    described = dict(re.findall(r"^\| \d+ \| `(\w+)` \| (.+) \|$", text, re.MULTILINE))

    assert described.keys() == {room for layer in docs.layers() for room in layer}
    assert all(described.values())


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8")

    assert [row.name for row in settings() if f"| `{row.name}` |" not in text or not row.help] == []


def test_every_route_is_documented() -> None:
    text = (ROOT / "docs/api.md").read_text("utf-8")

    undocumented = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if f"| `{route.method}` | `{route.path.replace(':path', '')}` |" not in text
    ]

    assert undocumented == []


def test_every_message_of_the_websocket_is_documented() -> None:
    text = (ROOT / "docs/api.md").read_text("utf-8")
    kinds = {kind.kind for kind in SocketMessage.__subclasses__()} | {"feature_flags"}

    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in text] == []
    assert [socket.path for socket in SOCKETS if f"| `{socket.path}` |" not in text] == []


def test_every_error_code_is_documented_and_names_one_error() -> None:
    text = (ROOT / "docs/api.md").read_text("utf-8")
    codes = [kind.code for kind in docs.error_kinds()]

    assert [code for code in codes if f"| `{code}` |" not in text] == []
    assert sorted(set(codes)) == sorted(codes)


def test_every_type_of_a_refused_workflow_is_documented() -> None:
    text = (ROOT / "docs/api.md").read_text("utf-8")
    trees = [ast.parse(path.read_text("utf-8")) for path in (ROOT / "src/fireside").rglob("*.py")]
    raised = {kind for tree in trees for kind in docs.texts_given_to("InvalidGraph", tree)}
    raised |= set(docs.texts_given_to("_refusal", ast.parse((ROOT / "src/fireside/server/v1/prompt.py").read_text())))

    assert raised >= {"no_prompt", "invalid_json"}
    assert [kind for kind in sorted(raised) if f"| `{kind}` |" not in text] == []


def test_every_command_is_documented() -> None:
    commands = [" ".join(("fireside", *words)) for words, _ in docs.commands()]
    reference, readme = (ROOT / "docs/cli.md").read_text("utf-8"), README.read_text("utf-8")

    assert [command for command in commands if f"### {command}\n" not in reference] == []
    assert [command for command in commands if f"| `{command}` |" not in readme] == []


@pytest.mark.parametrize("path", [*DOCUMENTS, *OTHERS], ids=_name)
def test_the_links_lead_somewhere(path: Path) -> None:
    broken: list[str] = []
    for link in _LINK.findall(_prose(path.read_text("utf-8"))):
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place) if place else path
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_the_commands_in_it_are_understood(path: Path) -> None:
    misunderstood: list[str] = []
    for words in _commands(path.read_text("utf-8")):
        if any(word.isupper() for word in words.split()):
            continue  # a form, not a command
        arguments = shlex.split(words.partition("#")[0])
        try:
            is_group = tuple(arguments) in {command[: len(arguments)] for command, _ in docs.commands()}
            if not is_group:
                app.parse_args(arguments, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            misunderstood.append(f"fireside {words}: {error}")

    assert misunderstood == []


def test_the_readme_begins_with_its_two_commands() -> None:
    commands = [line.strip() for line in README.read_text("utf-8").splitlines() if line.startswith("    ")]

    assert commands[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_the_make_targets_in_it_exist(path: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    named = set(re.findall(r"(?:^    |`)make (\w+)", path.read_text("utf-8"), re.MULTILINE))

    assert named - targets == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_the_addresses_in_it_exist(path: Path) -> None:
    text = path.read_text("utf-8")

    missing = [address for address in _ADDRESS.findall(text) if not _route_exists(address)]
    missing += [
        f"{method} {address}" for method, address in _ENDPOINT.findall(text) if not _route_exists(address, method)
    ]

    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_the_environment_variables_in_it_exist(path: Path) -> None:
    known = {f"FIRESIDE_{row.name.upper()}" for row in settings()} | {
        "FIRESIDE_URL",
        "FIRESIDE_API_KEY",
        "FIRESIDE_WORKER_TOKEN",
    }

    assert set(_ENVIRONMENT.findall(path.read_text("utf-8"))) - known == set()


def test_what_is_not_released_yet_has_its_place_in_the_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    unreleased = re.search(r"^## Unreleased\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)

    assert unreleased is not None


def test_every_decision_is_listed_once_and_says_context_decision_and_consequences() -> None:
    folder = ROOT / "docs/decisions"
    pages = sorted(path for path in folder.glob("[0-9]*.md"))
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))

    assert listed == [page.name for page in pages]
    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert re.findall(r"^## (\w+)$", page.read_text("utf-8"), re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
