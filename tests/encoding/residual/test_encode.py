"""A volume coded as a residual: within the bound, and smaller where something predicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import set_process
from tinc_codec.encoding.residual.encode import encode
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.residual.integer_domain import IntegerDomain, Kind
from tinc_codec.residual.lattice import Quantiser


def domain(top):
    return IntegerDomain(Kind.INTEGER, np.dtype("u2"), 0, 1, top)


def smooth(shape, seed=0):
    rng = np.random.default_rng(seed)
    return np.rint(1000 + 30 * np.sin(np.indices(shape).sum(0) / 9) + rng.normal(0, 4, shape))


def test_the_step_bounds_the_error_and_zeros_are_cheap():
    values, sizes = smooth((40, 50)), []
    for width in (1, 9, 33):
        coded = encode(Volume(domain(2000), values, None, None), Quantiser(width))
        assert np.abs(coded.values - values).max() <= width // 2
        sizes.append(len(coded.section))
    assert sizes[0] > sizes[1] > sizes[2]


def test_neighbours_predict():
    """A ramp costs next to nothing, though every value of it is different."""
    values = np.indices((64, 64)).sum(0).astype(float) * 7
    coded = encode(Volume(domain(2000), values, None, None), Quantiser(1))
    assert (coded.values == values).all()
    assert len(coded.section) < 450


def test_a_model_predicts():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 1000, (48, 48)).astype(float)
    near = (values + rng.integers(-1, 2, values.shape)).clip(0).astype("u2")
    sizes = [len(encode(Volume(domain(1000), values, None, model), Quantiser(1)).section) for model in (None, near)]
    assert sizes[1] < sizes[0] / 2


@pytest.mark.parametrize("shape", [(30,), (9, 40), (5, 17, 21), (2, 3, 17, 9)])
@given(seed=st.integers(0, 99), masked=st.booleans())
def test_numpy_and_numba_write_the_same_bytes(shape, seed, masked):
    values = smooth(shape, seed)
    mask = np.random.default_rng(seed).random(shape) < 0.8 if masked else None
    coded = []
    for decoder in ("numpy", "numba"):
        set_process(decoder=decoder)
        try:
            coded.append(encode(Volume(domain(2000), values, mask, None), Quantiser(5)))
        finally:
            set_process(decoder="auto")
    assert coded[0].section == coded[1].section
    assert (coded[0].values == coded[1].values).all()


def test_what_is_fitted_to_fewer_voxels_keeps_the_bound_and_costs_little_more():
    values = smooth((60, 80))
    few, all_of_them = (encode(Volume(domain(2000), values, None, None), Quantiser(5), n) for n in (500, 10_000))
    assert np.abs(few.values - values).max() <= 2
    assert len(few.section) < 1.1 * len(all_of_them.section)
