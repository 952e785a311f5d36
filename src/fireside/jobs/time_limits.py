"""How long a job may run: by the server's setting, its user's own limit, and what the submit asked for.

A user's limit stands in place of the setting; a submit can only ask for less. It decides nothing else about a run: the
worker that has it stops it.
"""

import math
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from fireside.config import Config
from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest
from fireside.store.records import JobBody
from fireside.wire.fleet import TimeLimit

_OURS = "fireside"
_NAME = "max_run_seconds"


def check_wish(extra_data: Mapping[str, Any]) -> None:
    """Refuse a wish that is none, before the job is queued; raises `BadRequest`."""
    wish = _wish(extra_data)
    if wish is None:
        return
    if isinstance(wish, bool) or not isinstance(wish, int | float) or not (math.isfinite(wish) and wish > 0):
        raise BadRequest(f"extra_data.fireside.{_NAME} must be a number of seconds above 0")


def time_limit_of(config: Config, user: User | None, body: JobBody) -> TimeLimit | None:
    """Say how long the user's job may run, and whose limit that is; None when there is none."""
    is_ours = _OURS.encode() in body.extra_data
    wish = _wish(msgspec.json.decode(body.extra_data, type=dict[str, Any])) if is_ours else None
    return time_limit(config, user, wish)


def time_limit(config: Config, user: User | None, wish: float | None) -> TimeLimit | None:
    """Choose among the limits there are."""
    limit = None
    if user is not None and user.max_run_seconds is not None:
        limit = TimeLimit(seconds=user.max_run_seconds, origin=f"the limit of the user {user.name}")
    elif config.max_run_seconds > 0:
        limit = TimeLimit(seconds=config.max_run_seconds, origin=f"the server's setting {_NAME}")
    if wish is not None and (limit is None or wish < limit.seconds):
        return TimeLimit(seconds=wish, origin=f"the job's own extra_data.fireside.{_NAME}")
    return limit


def _wish(extra_data: Mapping[str, Any]) -> Any:
    ours = extra_data.get(_OURS)
    return cast("dict[str, Any]", ours).get(_NAME) if isinstance(ours, dict) else None
