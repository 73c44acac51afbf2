"""The encoder's residual: bounds, and predictions that pay."""

import numpy as np

from tinc_codec.encoding import residual as learning
from tinc_codec.residual.integer_domain import IntegerDomain, Kind


def test_the_step_bounds_the_error_and_zeros_are_cheap():
    rng = np.random.default_rng(0)
    values = np.rint(1000 + 30 * np.sin(np.indices((40, 50)).sum(0) / 9) + rng.normal(0, 4, (40, 50)))
    domain = IntegerDomain(Kind.INTEGER, np.dtype("u2"), 0, 1, 2000)
    sizes = []
    for width in (1, 9, 33):
        coded = learning.encode(learning.Volume(domain, values, None, None), learning.Quantiser(width))
        assert np.abs(coded.values - values).max() <= width // 2
        sizes.append(len(coded.section))
    assert sizes[0] > sizes[1] > sizes[2]


def test_neighbours_predict():
    """A ramp costs next to nothing, though every value of it is different."""
    values = np.indices((64, 64)).sum(0).astype(float) * 7
    domain = IntegerDomain(Kind.INTEGER, np.dtype("u2"), 0, 1, 2000)
    coded = learning.encode(learning.Volume(domain, values, None, None), learning.Quantiser(1))
    assert (coded.values == values).all()
    assert len(coded.section) < 450


def test_a_model_predicts():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1000, (48, 48)).astype(float)
    domain = IntegerDomain(Kind.INTEGER, np.dtype("u2"), 0, 1, 1000)
    sizes = [
        len(learning.encode(learning.Volume(domain, values, None, model), learning.Quantiser(1)).section)
        for model in (None, (values + rng.integers(-1, 2, values.shape)).clip(0).astype("u2"))
    ]
    assert sizes[1] < sizes[0] / 2
