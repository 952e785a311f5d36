from hypothesis import given
from hypothesis import strategies as st

from fireside.store.blocks import Found, Stretch, edges, next_coarse_edge, run_block

RUN_TIMES = st.integers(0, 2**40)


@given(RUN_TIMES)
def test_a_run_time_lies_between_the_edges_of_its_block(run_us: int) -> None:
    low, high = edges(Stretch.RUN, run_block(run_us))

    assert low <= run_us < high


@given(RUN_TIMES, RUN_TIMES)
def test_longer_runs_are_never_in_earlier_blocks(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))

    assert run_block(shorter) <= run_block(longer)


@given(RUN_TIMES.filter(lambda run_us: run_us >= 1024))
def test_a_block_is_narrow_beside_the_run_times_in_it(run_us: int) -> None:
    low, high = edges(Stretch.RUN, run_block(run_us))

    assert (high - low) * 1024 <= run_us


@given(st.integers(0, 2047))
def test_short_run_times_have_blocks_of_their_own(run_us: int) -> None:
    assert edges(Stretch.RUN, run_block(run_us)) == (run_us, run_us + 1)


@given(RUN_TIMES)
def test_blocks_leave_no_run_time_out(run_us: int) -> None:
    block = run_block(run_us)

    assert edges(Stretch.RUN, block + 1)[0] == edges(Stretch.RUN, block)[1]


@given(RUN_TIMES)
def test_a_coarse_block_ends_where_the_64th_of_its_fine_ones_does(run_us: int) -> None:
    behind = next_coarse_edge(run_us)

    assert run_us < behind
    assert run_block(behind) % 64 == 0
    assert run_block(behind - 1) // 64 == run_block(run_us) // 64


@given(st.lists(st.integers(1, 5), min_size=1), st.booleans(), st.data())
def test_a_block_says_how_many_rows_to_skip_from_either_edge(
    sizes: list[int], descending: bool, data: st.DataObject
) -> None:
    rows = [block for block, size in enumerate(sizes) for _ in range(size)]
    place = data.draw(st.integers(0, len(rows) - 1))
    block = rows[place]
    found = Found(block, rows.index(block), sizes[block])

    skip = found.skip(place, descending=descending)

    places = [one for one, other in enumerate(rows) if other == block]
    assert (places[::-1] if descending else places)[skip] == place
