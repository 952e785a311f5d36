"""How many bytes something has, as people read it."""

import pytest

from fireside.domain.usage import bytes_in_words


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (2150, "2.1 KiB"),
        (12_345_678, "11.8 MiB"),
        (5 << 40, "5.0 TiB"),
    ],
)
def test_how_large(count: int, text: str) -> None:
    assert bytes_in_words(count) == text
