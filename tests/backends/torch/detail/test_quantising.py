"""Numbers and tallies of a band: those of the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.contexts import CLASSES
from tinc_codec.detail.quantiser import Quantiser, Tally, costs_of
from tinc_codec.detail.tables import DEFAULTS, class_tables

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch.detail.quantising import Quantising  # noqa: E402  # needs torch

COSTS = costs_of(class_tables(np.zeros_like(DEFAULTS)))
WHOLE = (slice(None),)


@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.sampled_from([0.1, 3.0, 1e3, 1e6]), st.floats(0.5, 2))
def test_numbers_and_what_came_of_them_are_those_of_the_reference(seed, shift, spread, step):
    rng = np.random.default_rng(seed)
    coefficients = (rng.standard_t(2, 300) * spread).astype(np.float32)
    coefficients[::7] = 0
    classes = rng.integers(0, CLASSES, coefficients.size)
    tally = Tally.of(2)
    steps = np.array([1.0, step])
    expected = Quantiser(coefficients, steps, COSTS).numbers(coefficients, classes, 1, shift, tally)
    whole = Quantising(Quantiser(torch.from_numpy(coefficients), steps, COSTS), 2, torch.device("cpu"))
    band = whole.band(1, shift, whole.coefficients)
    band.quantise(WHOLE, torch.from_numpy(classes))
    band.count(2.0)
    assert np.array_equal(band.numbers.numpy(), expected)
    got = whole.tally()
    assert np.array_equal(got.histogram, 2 * tally.histogram)
    assert np.allclose(got.sums, 2 * tally.sums, rtol=1e-9)
