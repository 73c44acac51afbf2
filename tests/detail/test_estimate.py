"""What a band costs, about; both backends say the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference


@given(st.lists(st.integers(1, 9), min_size=4, max_size=4), st.integers(0, 2**32 - 1), st.floats(0.01, 3))
def test_both_estimate_alike(shape, seed, inverse):
    values = (np.random.default_rng(seed).standard_t(2, size=shape) * 2).astype(np.float32)
    assert compiled.cost(values, inverse) == pytest.approx(reference.cost(values, inverse), rel=1e-3)


def test_nothing_costs_little_and_what_neighbours_foretell_costs_less():
    rng = np.random.default_rng(0)
    nothing = np.zeros((1, 8, 8, 8), np.float32)
    assert reference.cost(nothing, 1.0) < 0.01 * nothing.size
    busy = rng.integers(2, 9, nothing.shape) * (np.arange(8) < 4)
    spread = rng.permutation(busy.ravel()).reshape(busy.shape)
    together, apart = (reference.cost(some.astype(np.float32), 1.0) for some in (busy, spread))
    assert together < apart
