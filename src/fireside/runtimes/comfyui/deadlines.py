"""How long a run waits for what, before it looks elsewhere or gives up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Spans of one runtime.

    A supervised ComfyUI that still runs a task `interrupt_seconds` after it was interrupted is killed; an attached one
    is asked for `give_up_seconds` more. After `silent_seconds` without a message queue and history are looked at, then
    ever more rarely. A prompt that waits for `stuck_seconds` while nothing runs means a dead executor. One that does
    not answer is lost after `lost_seconds`, or after `busy_seconds` while its websocket stands.
    """

    interrupt_seconds: float = 10.0
    give_up_seconds: float = 60.0
    silent_seconds: float = 2.0
    longest_silence_seconds: float = 15.0
    stuck_seconds: float = 5.0
    lost_seconds: float = 30.0
    busy_seconds: float = 300.0
