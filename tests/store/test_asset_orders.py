"""For which windows of an order it is worth asking pieces where they are, and at what price."""

import pytest

from fireside.domain.asset_listing import AssetPlace, AssetSort, AssetWindow
from fireside.domain.ids import UserId
from fireside.store.asset_orders import Order, open_places_worth

pytestmark = pytest.mark.once
AFTER = AssetPlace(number=1, place=1)


def order_of(sets: int, rows: int, library: int) -> Order:
    totals = dict.fromkeys(range(sets), rows // sets)
    return Order(user_id=UserId(1), totals=totals, library=library, sort=AssetSort.SIZE, descending=False)


FEW = order_of(8, 16_000, 1_000_000)


@pytest.mark.parametrize(
    ("order", "window", "expected"),
    [
        (FEW, AssetWindow(offset=8000), 1024),
        (FEW, AssetWindow(offset=100), 0),
        (FEW, AssetWindow(offset=15_500), 0),
        (FEW, AssetWindow(after=AFTER), 0),
        (order_of(8, 16_000, 20_000), AssetWindow(offset=8000), 0),
        (order_of(1000, 16_000, 1_000_000), AssetWindow(after=AFTER), 16_384),
        (order_of(1000, 16_000, 1_000_000), AssetWindow(), 0),
        (order_of(1000, 5000, 1_000_000), AssetWindow(), 16_384),
        (order_of(1000, 16_000, 20_000), AssetWindow(after=AFTER), 0),
    ],
)
def test_pieces_are_asked_for_deep_windows_of_few_and_where_many_sets_are_merged(
    order: Order, window: AssetWindow, expected: int
) -> None:
    assert open_places_worth(order, window) == expected
