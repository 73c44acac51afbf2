import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinc_codec.detail import fill, mask
from tinc_codec.errors import CorruptStreamError


@settings(max_examples=40)
@given(st.lists(st.integers(1, 13), min_size=1, max_size=4).map(tuple), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_any_mask_comes_back(shape, seed, share):
    values = np.random.default_rng(seed).random(shape) < share
    assert np.array_equal(mask.unpack(mask.pack(values), shape), values)


def _ball(n):
    grid = np.indices((n, n, n)) - n / 2
    return (grid**2).sum(0) < (n / 3) ** 2


def test_a_ball_costs_little_and_every_cut_is_an_error():
    ball = _ball(48)
    code = mask.pack(ball)
    assert len(code) < 900
    for end in range(1, len(code), 3):  # no code at all is that of an empty mask
        if code[:end].endswith(b"\0"):
            continue
        with pytest.raises(CorruptStreamError):
            mask.unpack(code[:end], ball.shape)


@given(st.binary(max_size=60))
def test_hostile_bytes_are_an_error_or_a_mask(code):
    with contextlib.suppress(CorruptStreamError):
        assert mask.unpack(code, (5, 6, 7)).shape == (5, 6, 7)


def test_a_hole_is_filled_smoothly_and_nothing_else_changes():
    hole = _ball(30)
    volume = np.add.outer(np.arange(30.0), np.zeros((30, 30))) + 100
    filled = fill.fill(np.where(hole, -1e9, volume), hole)
    assert np.array_equal(filled[~hole], volume[~hole])
    assert np.abs(np.diff(filled, axis=0)).max() < 4
    assert filled[hole].min() > 100
    assert np.array_equal(fill.fill(volume, hole & False), volume)


def test_a_volume_that_is_all_hole_is_filled_with_zeros():
    assert not fill.fill(np.ones((3, 4)), np.ones((3, 4), bool)).any()
