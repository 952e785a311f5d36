"""Whether what one node gives is what another takes."""

from typing import Any

from fireside.graphs.input_definitions import COMBO, WILDCARD

MATCH_TYPE = "COMFY_MATCHTYPE_V3"
_ANYTHING = frozenset({WILDCARD, MATCH_TYPE})


def types_match(given: Any, taken: Any) -> bool:
    """Compare an output's type with an input's; each is a name, a comma-separated union of names, or a list of choices.

    Choices match any other choices: which of them is chosen is only known when the graph runs.
    """
    if given == taken:
        return True
    if _is_choice(given) and _is_choice(taken):
        return True
    given_names, taken_names = _names(given), _names(taken)
    return bool(given_names & taken_names or given_names & _ANYTHING or taken_names & _ANYTHING)


def _is_choice(kind: Any) -> bool:
    return isinstance(kind, list) or kind == COMBO


def _names(kind: Any) -> frozenset[str]:
    return frozenset(name.strip() for name in kind.split(",")) if isinstance(kind, str) else frozenset()
