import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.fill import fill


@given(st.lists(st.integers(1, 12), min_size=1, max_size=4).map(tuple), st.integers(0, 99), st.floats(0, 1))
def test_what_is_known_stays_and_the_rest_is_between(shape, seed, share):
    rng = np.random.default_rng(seed)
    volume, hole = rng.normal(size=shape) * 10.0 ** rng.integers(-200, 200), rng.random(shape) < share
    filled = fill(volume, hole, reference)
    assert np.array_equal(filled, fill(volume, hole, compiled))  # numba's floats are the same
    known = volume[~hole]
    assert (filled[~hole] == known).all()
    if known.size:
        slack = 1e-5 * np.abs(known).max()
        assert known.min() - slack <= filled.min()
        assert filled.max() <= known.max() + slack
    else:
        assert (filled == 0).all()


@pytest.mark.parametrize("shape", [(3, 70, 9), (2, 3, 65, 4), (67, 6), (90,)])
def test_rows_that_are_done_in_blocks_are_the_same(shape):
    rng = np.random.default_rng(0)
    volume, hole = rng.normal(size=shape), rng.random(shape) < 0.5
    hole.reshape(-1)[: hole.size // 3] = False  # blocks that nothing is to be done in
    assert np.array_equal(fill(volume, hole, reference), fill(volume, hole, compiled))


def test_a_hole_is_crossed_smoothly():
    z, y, x = np.indices((40, 40, 40)) / 40
    volume = 3 * z + y * x
    hole = (abs(np.indices((40, 40, 40)) - 20) < 12).all(0)
    volume[hole] = -99
    filled = fill(volume, hole, reference)
    assert np.array_equal(filled, fill(volume, hole, compiled))
    assert np.abs(np.diff(filled, axis=0)).max() < 4 * 3 / 40


@pytest.mark.parametrize("value", [0.0, -7.5, 1e300])
def test_one_value_is_continued(value):
    assert fill(np.full((9, 8), value), np.eye(9, 8) > 0, reference) == pytest.approx(np.full((9, 8), value))
