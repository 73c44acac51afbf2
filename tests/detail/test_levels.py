import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail.levels import cells, centred, halved, inverse_gain, scaled, widened
from tinc_codec.detail.plan import lengths


def low_of(samples, splits):
    """The low band of samples along one axis, over its gain, as integers."""
    low = np.asarray(samples, np.float64)
    for _ in range(splits):
        low, _ = compiled.forward(low, 0)
    return scaled(np.rint(low).astype(np.int32), splits)


@given(st.integers(1, 60), st.integers(0, 4))
def test_a_constant_keeps_its_value(n, splits):
    depth = min(splits, max(0, n - 1).bit_length())
    assert (np.abs(low_of(np.full(n, 100_000.0), depth) - 100_000) <= 1 + 2 * depth).all()


def test_gains_grow_with_each_split():
    gains = [inverse_gain(splits) for splits in range(6)]
    assert gains[0] == 2**30
    assert gains == sorted(gains, reverse=True)
    assert inverse_gain(4) == pytest.approx(inverse_gain(2) ** 2 / 2**30, rel=1e-6)


@given(st.integers(2, 80), st.integers(1, 3), st.data())
def test_a_part_that_is_centred_is_that_of_the_whole(n, splits, data):
    length = lengths(n, splits)[-1]
    low = np.random.default_rng(n).integers(-1000, 1000, length).astype(np.int32)
    whole = centred(low, 0, (0, length), (0, length), n, splits)
    begin = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(begin + 1, length))
    had = widened((begin, end), length, splits)
    got = centred(low[slice(*had)], 0, (begin, end), had, n, splits)
    assert (got == whole[begin:end]).all()


@given(st.integers(1, 40), st.integers(0, 3))
def test_halves_are_means_of_neighbours(n, times):
    values = np.arange(n, dtype=np.int32) * 64
    got = halved(values, 0, times)
    assert len(got) == lengths(n, times)[-1]
    for place, value in enumerate(got.tolist()):
        part = values[slice(*cells((place, place + 1), n, times))]
        assert part.min() <= value <= part.max()
