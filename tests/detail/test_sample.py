import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.detail.cases import plans
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.sample import Sample


@given(plans(40), st.integers(1, 4000))
def test_a_sample_holds_what_its_pieces_are_predicted_from(plan, size):
    parts = layout(plan)
    sample = Sample.of(parts, size, lambda number: number % 7)
    assert list(sample.pieces) == sorted(set(sample.pieces))
    held = {band for number in sample.pieces for band in parts.pieces[number].bands.tolist()}
    for number in sample.pieces:
        for band in parts.pieces[number].bands.tolist():
            parents = {parent for parent in parts.parents[band].tolist() if parent >= 0}
            assert parents <= held
    assert set(parts.inner) <= set(sample.pieces)


@given(plans(40), st.integers(1, 4000))
def test_a_sample_stands_for_all_coefficients(plan, size):
    parts = layout(plan)
    sample = Sample.of(parts, size, lambda number: -number)
    if set(sample.pieces) > set(parts.inner) or not parts.outer:
        assert np.isclose(sample.weights @ sample.sizes, parts.size)
    assert sample.whole == (len(sample.pieces) == len(parts.pieces))
    assert Sample.all(parts).whole
    assert set(sample.thinned(size).pieces) <= set(sample.pieces)


def test_busy_and_quiet_pieces_are_taken_as_they_come():
    parts = layout_of_many_pieces()
    busy = set(parts.outer[: len(parts.outer) // 4])
    sample = Sample.of(parts, parts.size // 5, lambda number: number in busy)
    among = [number in busy for number in sample.pieces if number in parts.outer]
    assert abs(sum(among) / len(among) - 1 / 4) < 0.05


def layout_of_many_pieces():
    return layout(Plan((1, 64, 128, 128), (Group((0,), 0), Group((1, 2, 3), 3)), 8))
