import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import mask as compiled
from tinc_codec.detail import fill, mask, reference
from tinc_codec.errors import CorruptStreamError

TWINS = pytest.mark.parametrize("twin", [mask, compiled], ids=["reference", "numba"])


@settings(max_examples=40)
@given(st.lists(st.integers(1, 13), min_size=1, max_size=4).map(tuple), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_any_mask_comes_back(shape, seed, share):
    values = np.random.default_rng(seed).random(shape) < share
    codes = [twin.pack(values) for twin in (mask, compiled)]
    assert codes[0] == codes[1]
    for twin in (mask, compiled):
        assert np.array_equal(twin.unpack(codes[0], shape), values)


@pytest.mark.parametrize("shape", [(9000,), (1, 170, 60), (33, 40, 17), (6, 9, 20, 21)])
def test_both_code_parts_and_many_levels_alike(shape):
    waves = sum(np.sin(grid / (3 + axis)) for axis, grid in enumerate(np.indices(shape)))
    values = waves + 0.3 * np.random.default_rng(0).standard_normal(shape) > 0.4
    codes = [twin.pack(values) for twin in (mask, compiled)]
    assert codes[0] == codes[1]
    for twin in (mask, compiled):
        assert np.array_equal(twin.unpack(codes[0], shape), values)


def _ball(n):
    grid = np.indices((n, n, n)) - n / 2
    return (grid**2).sum(0) < (n / 3) ** 2


@TWINS
def test_a_ball_costs_little_and_every_cut_is_an_error(twin):
    ball = _ball(48)
    code = twin.pack(ball)
    assert len(code) < 900
    for end in range(1, len(code), 3 if twin is compiled else 9):  # no code at all is that of an empty mask
        if code[:end].endswith(b"\0"):
            continue
        with pytest.raises(CorruptStreamError):
            twin.unpack(code[:end], ball.shape)


@given(st.binary(max_size=60))
def test_hostile_bytes_are_an_error_or_a_mask_by_both(code):
    outcomes = []
    for twin in (mask, compiled):
        outcomes.append(None)
        with contextlib.suppress(CorruptStreamError):
            outcomes[-1] = twin.unpack(code, (5, 6, 7)).tobytes()
    assert outcomes[0] == outcomes[1]


def test_a_hole_is_filled_smoothly_and_nothing_else_changes():
    hole = _ball(30)
    volume = np.add.outer(np.arange(30.0), np.zeros((30, 30))) + 100
    filled = fill.fill(np.where(hole, -1e9, volume), hole, reference)
    assert np.array_equal(filled[~hole], volume[~hole])
    assert np.abs(np.diff(filled, axis=0)).max() < 4
    assert filled[hole].min() > 100
    assert np.array_equal(fill.fill(volume, hole & False, reference), volume)


def test_a_volume_that_is_all_hole_is_filled_with_zeros():
    assert not fill.fill(np.ones((3, 4)), np.ones((3, 4), bool), reference).any()
