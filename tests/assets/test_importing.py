"""What a fetched file is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fireside.assets.importing import filename_of


@pytest.mark.parametrize(
    ("url", "disposition", "name"),
    [
        ("https://x.example/a/b.safetensors?c=d/e#f", "", "b.safetensors"),
        ("https://x.example/a%20%C3%A4.png", "", "a ä.png"),
        ("https://x.example", "", ""),
        ("https://x.example/", "", ""),
        ("https://x.example/7", 'attachment; filename="model v1.ckpt"', "model v1.ckpt"),
        ("https://x.example/7", "attachment; filename*=UTF-8''%e2%82%ac.bin", "€.bin"),
        ("https://x.example/7", 'attachment; filename="../../etc/passwd"', "passwd"),
        ("https://x.example/7", 'attachment; filename="..\\\\x\\\\..png"', "png"),
        ("https://x.example/a%00%0ab[input]", "", "a__b_input_"),
        ("https://x.example/..", "", ""),
        (f"https://x.example/{'€' * 90}.{'ä' * 90}", "", f"{'€' * 33}.{'ä' * 50}"),
    ],
)
def test_a_file_is_called_what_its_source_says(url: str, disposition: str, name: str) -> None:
    assert filename_of(url, {"content-disposition": disposition} if disposition else {}) == name


@given(st.text(), st.text())
def test_a_name_leads_nowhere_and_is_short(path: str, said: str) -> None:
    header = f"attachment; filename*=UTF-8''{said}".replace("\r", "").replace("\n", "")
    for name in (
        filename_of(f"https://x.example/{path}", {}),
        filename_of("https://x.example/", {"content-disposition": header}),
    ):
        assert not set("/\\\0\n") & set(name)
        assert name not in (".", "..")
        assert len(name.encode()) <= 201
