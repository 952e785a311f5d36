"""What `bench.listing` found is judged by its limits, kept, and drawn."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench.chart import draw
from bench.listing_results import Results, violations


def _results(way: str, page: str, *, small: float, large: float) -> Results:
    results = Results()
    results.note(way, {(page, 10_000): [[small, 9.0, small]], (page, 10_000_000): [[large, large], [9.0, 9.0]]})
    return results


@pytest.mark.parametrize(
    ("small", "large", "holds"),
    [(0.001, 0.0029, True), (0.001, 0.0031, False), (0.01, 0.0149, True), (0.01, 0.0151, False)],
)
def test_a_request_may_take_half_as_much_again_or_two_milliseconds_more(
    small: float, large: float, holds: bool
) -> None:
    assert (violations(_results("postgres HTTP", "failed", small=small, large=large)) == []) is holds


@pytest.mark.parametrize(("database", "most"), [("sqlite", 0.005), ("postgres", 0.010)])
def test_a_call_of_the_store_has_a_limit_of_its_own(database: str, most: float) -> None:
    assert violations(_results(f"{database} store", "failed", small=0.001, large=most)) == []
    assert violations(_results(f"{database} store", "failed", small=0.001, large=most + 0.001)) != []


def test_results_are_kept_for_a_later_run(tmp_path: Path) -> None:
    results = _results("sqlite HTTP", "failed", small=0.001, large=0.002)
    results.write(tmp_path / "results.json")

    assert Results.read(tmp_path / "results.json") == results


def test_the_picture_has_a_curve_for_each_way() -> None:
    results = _results("sqlite HTTP", "failed", small=0.001, large=0.002)
    results.note("sqlite plain SQL", {("failed", 10_000): [[0.01]], ("failed", 10_000_000): [[60.0]]})

    picture = ET.fromstring(draw(results))

    assert len(picture.findall("{*}polyline")) == 2
    assert "COUNT + OFFSET, SQLite: 60,000 ms" in [text.text for text in picture.findall("{*}text")]
