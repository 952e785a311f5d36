"""Every statement of the contracts is proven by a test that names it, or has a reason why not."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFORMANCE = (ROOT / "docs/conformance.md").read_text("utf-8")
REASONS = (ROOT / "docs/decisions/0022-statements-that-are-not-proven.md").read_text("utf-8")
_ROW = re.compile(r"^\| (\d+) \| \S", re.MULTILINE)


def _marked(tree: ast.AST) -> Iterator[ast.Call]:
    """Find the markers on the tests of a file, those of a parametrization included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.statement":
            yield node


def _named(tree: ast.AST) -> Iterator[int]:
    for marker in _marked(tree):
        for argument in marker.args:
            assert isinstance(argument, ast.Constant), f"line {marker.lineno}: name statements by plain numbers"
            assert isinstance(argument.value, int), f"line {marker.lineno}: name statements by plain numbers"
            yield argument.value


def _proven() -> dict[int, list[str]]:
    proven: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        source = path.read_text("utf-8")
        # Most files name none, and a tree of each takes long to make.
        for number in _named(ast.parse(source)) if "statement" in source else ():
            proven.setdefault(number, []).append(path.name)
    return proven


STATEMENTS = [int(number) for number in _ROW.findall(CONFORMANCE)]
EXCUSED = [int(number) for number in _ROW.findall(REASONS)]
PROVEN = _proven()


def test_the_statements_are_numbered_from_first_to_last() -> None:
    assert list(range(1, 161)) == STATEMENTS


@pytest.mark.parametrize("number", STATEMENTS)
def test_a_statement_is_proven_or_has_a_reason_why_not_and_never_both(number: int) -> None:
    assert (number in PROVEN) != (number in EXCUSED), f"prove statement {number}, or excuse it in decision 0022"


def test_no_test_names_a_statement_that_there_is_not() -> None:
    assert set(PROVEN) <= set(STATEMENTS)
    assert set(EXCUSED) <= set(STATEMENTS)


def test_a_marker_is_found_wherever_pytest_takes_one() -> None:
    source = (
        "@pytest.mark.statement(1, 2)\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.statement(3))])\n"
        "def test_it(x): ...\nclass TestIt:\n    @pytest.mark.statement(4)\n    async def test_it(self): ...\n"
    )

    assert sorted(_named(ast.parse(source))) == [1, 2, 3, 4]


@pytest.mark.parametrize("argument", ["'1'", "NUMBER", "1.0"])
def test_a_marker_that_cannot_be_read_is_refused(argument: str) -> None:
    with pytest.raises(AssertionError, match="plain numbers"):
        list(_named(ast.parse(f"@pytest.mark.statement({argument})\ndef test_it(): ...")))
