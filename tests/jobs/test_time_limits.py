from typing import Any

import pytest
from tests.jobs.workshop import Workshop

from fireside.config import Config
from fireside.domain.accounts import User
from fireside.domain.errors import BadRequest
from fireside.jobs.submit import Submission, submit_job
from fireside.jobs.time_limits import time_limit


@pytest.mark.parametrize("wish", [0, -1, True, "60", float("inf"), float("nan"), [1]])
async def test_a_wish_that_is_no_time_is_refused(shop: Workshop, ann: User, wish: Any) -> None:
    submission = Submission(user=ann, graph={}, extra_data={"fireside": {"max_run_seconds": wish}})
    with pytest.raises(BadRequest, match="max_run_seconds must be a number of seconds above 0"):
        await submit_job(shop.desk, submission)


async def test_without_any_limit_a_job_may_run_for_ever(ann: User) -> None:
    assert time_limit(Config(), ann, None) is None


async def test_a_users_own_limit_stands_in_place_of_the_servers(shop: Workshop) -> None:
    bob = await shop.user("bob", max_run_seconds=100.0)

    limit = time_limit(Config(max_run_seconds=10), bob, None)

    assert limit is not None
    assert (limit.seconds, limit.origin) == (100, "the limit of the user bob")


@pytest.mark.parametrize(("wish", "seconds"), [(5, 5), (10, 10), (50, 10)])
async def test_a_job_can_only_ask_for_less(ann: User, wish: float, seconds: float) -> None:
    limit = time_limit(Config(max_run_seconds=10), ann, wish)

    assert limit is not None
    assert limit.seconds == seconds
    assert limit.origin == ("the server's setting max_run_seconds" if wish >= 10 else limit.origin)
