"""When a worker has had nothing to do for so long that it leaves."""

from fireside.worker.idling import Idling


def test_a_worker_that_has_been_idle_for_so_long_is_to_go() -> None:
    idling = Idling(30.0)

    assert [idling.is_too_long(now, is_idle=True) for now in (100.0, 129.9, 130.0)] == [False, False, True]


def test_what_is_busy_or_still_coming_up_begins_to_count_anew() -> None:
    idling = Idling(30.0)

    assert not idling.is_too_long(100.0, is_idle=True)
    assert not idling.is_too_long(125.0, is_idle=False)
    assert not idling.is_too_long(131.0, is_idle=True)
    assert idling.is_too_long(161.0, is_idle=True)


def test_a_job_that_came_and_went_between_two_looks_counts_too() -> None:
    idling = Idling(30.0)

    assert not idling.is_too_long(100.0, is_idle=True)
    idling.worked()
    assert not idling.is_too_long(131.0, is_idle=True)
    assert idling.is_too_long(161.0, is_idle=True)


def test_without_a_limit_a_worker_never_goes_by_itself() -> None:
    idling = Idling()

    assert not idling.is_too_long(0.0, is_idle=True)
    assert not idling.is_too_long(1e9, is_idle=True)
