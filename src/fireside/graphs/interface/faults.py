"""The two ways in which a call of a saved workflow is refused: by what was given, or by what is declared."""

from collections.abc import Sequence
from typing import ClassVar

from fireside.domain.errors import Unprocessable
from fireside.wire.v2_interfaces import Fault

_MOST_SAID = 5


class InvalidInputs(Unprocessable):
    """Named inputs that the workflow does not take as they are; `faults` has all that is wrong."""

    code: ClassVar[str] = "invalid_inputs"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(_summary(faults))
        self.faults = tuple(faults)


class InvalidInterface(InvalidInputs):
    """Declared inputs or outputs that the workflow does not have; faults of inputs can be among the others."""

    code = "invalid_interface"


def _summary(faults: Sequence[Fault]) -> str:
    said = " ".join(fault.message for fault in faults[:_MOST_SAID])
    return f"{said} And {len(faults) - _MOST_SAID} more." if len(faults) > _MOST_SAID else said
