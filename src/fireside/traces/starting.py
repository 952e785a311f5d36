"""A tracer for a server that has somebody to send traces to."""

from collections.abc import Callable, Mapping
from datetime import datetime

from fireside.config import Config
from fireside.store.store import Store
from fireside.traces.target import target_of
from fireside.traces.tracer import Tracer


def tracer_of(
    config: Config,
    environment: Mapping[str, str],
    store: Store,
    clock: Callable[[], datetime],
    *,
    instance: str,
    watcher: Callable[[str, int], None],
) -> Tracer | None:
    """Put a tracer together, not yet started; None where traces go nowhere. `watcher` hears what became of spans."""
    target = target_of(config, environment, instance=instance)
    if target is None:
        return None
    # Here, so that nobody pays for it who has no collector: protobuf comes along.
    from fireside.traces.sender import Sender  # noqa: PLC0415

    return Tracer(store, Sender(target, most_waiting=config.otlp_max_spans, watcher=watcher), clock)
