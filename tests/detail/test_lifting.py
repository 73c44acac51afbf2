import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.lifting import inverse


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_integers_undo_what_floats_did(n, seed):
    samples = np.random.default_rng(seed).normal(size=(n, 3)) * 1000
    for twin in (reference, compiled):
        halves = [np.rint(half * 256).astype(np.int32) for half in twin.forward(samples, 0)]
        assert np.abs(inverse(*halves, 0) / 256 - samples).max() < 0.05


def test_a_constant_leaves_nothing_in_the_high_half():
    low, high = reference.forward(np.full((21, 2), 7.0), 0)
    assert np.abs(high).max() < 1e-3
    assert low == pytest.approx(7 * 1.2302, rel=1e-3)
