import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.backends.numba.detail.transposed import split, unite
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


@pytest.mark.parametrize("n", range(2, 20))
@pytest.mark.parametrize("columns", [1, 3, 130])
def test_gradients_go_back_by_the_transposed_transform(n, columns):
    rng, halves = np.random.default_rng(n), ((n + 1) // 2, n // 2)
    matrix = np.concatenate(reference.forward(np.eye(n), 0))
    low, high = (rng.normal(size=(2, half, columns)).astype(np.float32) for half in halves)
    found = np.empty((2, n, columns), np.float32)
    unite(low, high, found)
    assert found == pytest.approx(np.matmul(matrix.T, np.concatenate([low, high], 1)), abs=1e-4)
    again = tuple(np.empty_like(half) for half in (low, high))
    split(found, *again)
    for ours, theirs in zip(again, reference.forward(found, 1), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
