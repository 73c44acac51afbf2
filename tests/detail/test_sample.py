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
    assert sample.pieces[0] == 0
    held = np.zeros(parts.size, bool)
    boxes = [(number, *pair) for number in sample.pieces for pair in _boxes(parts.pieces[number])]
    for _, band, box in boxes:
        parts.view(held, band)[tuple(slice(*ends) for ends in box)] = True
    for _, band, box in boxes:
        for parent, halved in zip(parts.parents[band].tolist(), parts.halves.tolist(), strict=True):
            if parent >= 0:
                further = [halved >> (3 - axis) & 1 for axis in range(4)]
                place = (slice(a >> k, -(-b >> k)) for (a, b), k in zip(box, further, strict=True))
                assert parts.view(held, parent)[tuple(place)].all()


def _boxes(piece):
    return zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True)


@given(plans(40), st.integers(1, 4000))
def test_a_sample_stands_for_all_coefficients(plan, size):
    parts = layout(plan)
    sample = Sample.of(parts, size, lambda number: -number)
    if sample.pieces != (0,) or len(parts.pieces) == 1:
        rungs = {tuple(parts.pieces[number].bands) for number in sample.pieces}
        theirs = sum(piece.size for piece in parts.pieces if tuple(piece.bands) in rungs)
        assert np.isclose(sample.weights @ sample.sizes, theirs)
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
