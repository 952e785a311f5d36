"""What runs, cold loads and fetches are believed to take: moving averages, and file sizes before the first of them.

It is memory of one leader; a new one begins with what the store keeps and with sizes. Being wrong costs nobody their
share, because a charge is corrected when the job ends.
"""

from collections.abc import Collection, Mapping

DEFAULT_RUN_SECONDS = 5.0
DEFAULT_LOAD_SECONDS = 5.0
_ASSUMED_BYTES_PER_SECOND = 500e6
_ASSUMED_FETCHED_PER_SECOND = 100e6
_NEWS = 0.3
_MOST_KEPT = 20_000


class Costs:
    """Seconds by kind of work, and by model file."""

    def __init__(self) -> None:
        self._sizes: Mapping[str, int] = {}
        self._fetched: Mapping[str, int] = {}
        self._loads: dict[str, float] = {}
        self._runs: dict[str, float] = {}
        self._kept: dict[str, float] = {}

    def know_sizes(self, sizes: Mapping[str, int]) -> None:
        """Take the sizes of model files in bytes, by name."""
        self._sizes = sizes

    def know_fetches(self, sizes: Mapping[str, int]) -> None:
        """Take the sizes of the models that workers fetch where they do not have them, by name."""
        self._fetched = sizes

    def fetch_seconds(self, models: Collection[str]) -> float:
        """Give what it takes to fetch those of these models that are fetched."""
        sizes = (self._fetched.get(model, 0) for model in models) if self._fetched else ()
        return sum(sizes) / _ASSUMED_FETCHED_PER_SECOND

    def know_run(self, fingerprint: str, seconds: float) -> None:
        """Take the average of the store for a kind of work, loads included."""
        if fingerprint not in self._kept and len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[fingerprint] = seconds

    def run_seconds(self, fingerprint: str) -> float:
        """Give what a run takes once its models are warm, as far as that is known."""
        return self._runs.get(fingerprint, self._kept.get(fingerprint, DEFAULT_RUN_SECONDS))

    def load_seconds(self, models: Collection[str]) -> float:
        """Give what it takes to load these models."""
        return sum(self._load_seconds(model) for model in models)

    def learn(self, fingerprint: str, seconds: float, loaded: Collection[str]) -> None:
        """Take in how long a run took, in which these models were loaded."""
        if not loaded:
            if fingerprint:
                _average(self._runs, fingerprint, seconds)
            return
        if fingerprint not in self._runs:
            return
        believed = self.load_seconds(loaded)
        took = max(seconds - self._runs[fingerprint], 0.0)
        for model in loaded:
            share = self._load_seconds(model) / believed if believed > 0 else 1 / len(loaded)
            _average(self._loads, model, took * share)

    def _load_seconds(self, model: str) -> float:
        known = self._loads.get(model)
        if known is not None:
            return known
        size = self._sizes.get(model)
        return DEFAULT_LOAD_SECONDS if size is None else size / _ASSUMED_BYTES_PER_SECOND


def _average(averages: dict[str, float], name: str, seconds: float) -> None:
    before = averages.pop(name, None)
    if before is None and len(averages) >= _MOST_KEPT:
        del averages[next(iter(averages))]
    averages[name] = seconds if before is None else (1 - _NEWS) * before + _NEWS * seconds
