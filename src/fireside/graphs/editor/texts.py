"""Texts that the editor changes when it submits: choices and comments in prompts, and names of files from values.

What is random, and what time it is, comes in as arguments.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

Choose = Callable[[Sequence[str]], str]
"""Picks one of several texts."""
Find = Callable[[str, str], Any]
"""Gives the value of a node's widget by the node's name and the widget's; raises `KeyError` if there is none."""

_COMMENT = re.compile(r"/\*|//")
_LINE_END = re.compile(r"[\n\r\u2028\u2029]|$")
_PIECE = re.compile(r"\\.|[{}|]|[^\\{}|]+|\\", re.DOTALL)
_ESCAPED = re.compile(r"^\\([{}|])$")
_PATTERN = re.compile(r"%([^%]+)%")
_DATE = "date:"
_DATE_PART = re.compile(r"dd?|MM?|hh?|mm?|ss?|yyy?y?")
_NOT_IN_NAMES = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_YEAR = re.compile(r"yyyy|yy")


def resolve_choices(text: str, choose: Choose) -> str:
    """Take comments out of a prompt and pick one of each `{a|b|c}`; a backslash keeps `{`, `|` and `}`."""
    # What is open: the choices so far of each block around, the last of them still growing.
    blocks: list[list[str]] = []
    parts: list[list[str]] = [[]]
    for piece in _PIECE.findall(_without_comments(text)):
        if piece == "{":
            blocks.append([])
            parts.append([])
        elif piece == "|" and blocks:
            blocks[-1].append("".join(parts.pop()))
            parts.append([])
        elif piece == "}" and blocks:
            _close(blocks, parts, choose)
        else:
            parts[-1].append(_ESCAPED.sub(r"\1", piece))
    while blocks:
        _close(blocks, parts, choose)
    return "".join(parts[0])


def fill_in(text: str, now: datetime, find: Find) -> str:
    """Fill in `%date:…%` and `%node.widget%` in the name of a file; what is not known stays as it is."""
    return _PATTERN.sub(lambda match: _filled(match, now, find), text)


def _close(blocks: list[list[str]], parts: list[list[str]], choose: Choose) -> None:
    options = [*blocks.pop(), "".join(parts.pop())]
    parts[-1].append(choose(options))


def _without_comments(text: str) -> str:
    # Not one pattern: an opening without its end would be looked for again from every other opening.
    kept: list[str] = []
    place = 0
    last_end = text.rfind("*/")
    while (match := _COMMENT.search(text, place)) is not None:
        start, end = match.span()
        is_block = match.group() == "/*"
        if is_block and end > last_end:
            kept.append(text[place:end])
            place = end
            continue
        kept.append(text[place:start])
        place = text.index("*/", end) + 2 if is_block else _line_end(text, end)
    return "".join([*kept, text[place:]])


def _line_end(text: str, place: int) -> int:
    match = _LINE_END.search(text, place)
    return match.start() if match is not None else len(text)


def _filled(match: re.Match[str], now: datetime, find: Find) -> str:
    text = match.group(1)
    names = text.split(".")
    if len(names) != 2:
        return _date(names[0].removeprefix(_DATE), now) if names[0].startswith(_DATE) else match.group()
    try:
        value = find(names[0], names[1])
    except KeyError:
        return match.group()
    return _NOT_IN_NAMES.sub("_", "" if value is None else str(value))


def _date(pattern: str, now: datetime) -> str:
    values: Mapping[str, int] = {"d": now.day, "M": now.month, "h": now.hour, "m": now.minute, "s": now.second}

    def part(match: re.Match[str]) -> str:
        found = match.group()
        if found[0] in values:
            return str(values[found[0]]).rjust(len(found), "0")
        return f"{now.year:04}"[-len(found) :] if _YEAR.fullmatch(found) else found

    return _DATE_PART.sub(part, pattern)
