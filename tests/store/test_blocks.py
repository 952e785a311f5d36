from hypothesis import given
from hypothesis import strategies as st

from fireside.store.blocks import Stretch, edges, find_block, fine_range, run_block

RUN_TIMES = st.integers(0, 2**40)


@given(RUN_TIMES)
def test_a_run_time_lies_between_the_edges_of_its_block(run_us: int) -> None:
    low, high = edges(Stretch.RUN, run_block(run_us))

    assert low <= run_us < high


@given(RUN_TIMES, RUN_TIMES)
def test_longer_runs_are_never_in_earlier_blocks(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))

    assert run_block(shorter) <= run_block(longer)


@given(RUN_TIMES.filter(lambda run_us: run_us >= 4096))
def test_a_block_is_narrow_beside_the_run_times_in_it(run_us: int) -> None:
    low, high = edges(Stretch.RUN, run_block(run_us))

    assert (high - low) * 256 <= run_us


@given(st.integers(0, 2**30))
def test_a_coarse_block_is_made_of_its_fine_ones(block: int) -> None:
    low, high = fine_range(block >> 6)

    assert low <= block <= high
    assert high - low == 63


@given(st.lists(st.integers(0, 5), min_size=1).filter(any), st.booleans(), st.data())
def test_the_block_of_an_offset_is_found_as_by_counting(
    sizes: list[int], descending: bool, data: st.DataObject
) -> None:
    rows = [block for block, size in enumerate(sizes) for _ in range(size)]
    skip = data.draw(st.integers(0, len(rows) - 1))
    ordered = rows[::-1] if descending else rows

    found = find_block(list(enumerate(sizes)), skip, descending=descending)

    assert found.block == ordered[skip]
    assert found.skip == skip - ordered.index(found.block)
    assert found.rows == sizes[found.block]
