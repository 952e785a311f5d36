"""How well a worker's runtime is, by what its starts and runs have come to, and how long it is left alone after that.

Plain counting, told from outside. A runtime that breaks again and again takes no jobs until it has rested and started
anew; it rests longer each time, and one that has done a job since then begins with a clean record.
"""

_BREAKDOWNS_IN_A_ROW = 3
_FIRST_REST_SECONDS = 5.0
_LONGEST_REST_SECONDS = 300.0
# It travels with every presence; the end of it is the end of a log, which says most.
_REASON_CHARACTERS = 1500


class Health:
    """The record of one runtime."""

    def __init__(self) -> None:
        self.reason = ""
        """Why it takes no jobs; empty when it is well."""
        self._breakdowns = 0
        self._rests = 0

    @property
    def is_ill(self) -> bool:
        """Whether it is to be left alone for a while."""
        return self.reason != ""

    def worked(self) -> None:
        """Note a run that the runtime has brought to its end, whatever became of the graph."""
        self._breakdowns = self._rests = 0

    def broke(self, why: str) -> None:
        """Note a run that the runtime did not survive."""
        self._breakdowns += 1
        if self._breakdowns >= _BREAKDOWNS_IN_A_ROW:
            self.reason = _cut(f"the runtime broke {self._breakdowns} times in a row, at last so: {why}")

    def did_not_start(self, why: str) -> None:
        """Note a start that failed."""
        self.reason = _cut(f"the runtime does not start: {why}")

    def started(self) -> None:
        """Note a start that went well: jobs may come, and the next breakdown is one too many again."""
        self.reason = ""

    def rest_seconds(self) -> float:
        """Say how long to leave it alone now."""
        self._rests += 1
        return min(_FIRST_REST_SECONDS * 2.0 ** (self._rests - 1), _LONGEST_REST_SECONDS)


def _cut(text: str) -> str:
    if len(text) <= _REASON_CHARACTERS:
        return text
    half = _REASON_CHARACTERS // 2
    return f"{text[:half]} … {text[-half:]}"
