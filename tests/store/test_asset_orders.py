"""Which windows of an order are dear to read by sets of tags and blocks."""

import pytest

from fireside.domain.asset_listing import AssetPlace, AssetSort, AssetWindow
from fireside.domain.ids import UserId
from fireside.store.asset_orders import Order, is_dear

pytestmark = pytest.mark.once
AFTER = AssetPlace(number=1, place=1)


def order_of(sets: int, rows: int, library: int) -> Order:
    totals = dict.fromkeys(range(sets), rows // sets)
    return Order(user_id=UserId(1), totals=totals, library=library, sort=AssetSort.SIZE, descending=False)


@pytest.mark.parametrize(
    ("order", "window", "expected"),
    [
        (order_of(8, 16_000, 1_000_000), AssetWindow(offset=8000), True),
        (order_of(8, 16_000, 1_000_000), AssetWindow(offset=100), False),
        (order_of(8, 16_000, 1_000_000), AssetWindow(offset=15_500), False),
        (order_of(8, 16_000, 1_000_000), AssetWindow(after=AFTER), False),
        (order_of(8, 16_000, 20_000), AssetWindow(offset=8000), False),
        (order_of(1000, 16_000, 1_000_000), AssetWindow(after=AFTER), True),
        (order_of(1000, 16_000, 1_000_000), AssetWindow(), True),
        (order_of(1000, 16_000, 20_000), AssetWindow(), False),
    ],
)
def test_deep_windows_of_few_and_windows_of_many_sets_are_dear(
    order: Order, window: AssetWindow, *, expected: bool
) -> None:
    assert is_dear(order, window) == expected
