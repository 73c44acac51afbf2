"""What a band costs, about."""

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
