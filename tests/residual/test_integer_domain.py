from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinc_codec.residual.integer_domain import LARGEST_TOP, IntegerDomain, Kind, bounded_domain, exact_grid

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
FLOATS = ["f2", "f4", "f8"]


def finite(dtype):
    elements = {"allow_nan": False, "allow_infinity": False} if dtype.kind == "f" else {}
    return hnp.arrays(dtype, st.integers(1, 12), elements=hnp.from_dtype(dtype, **elements))


@given(data=st.data(), code=st.sampled_from(INTEGERS + FLOATS))
def test_an_exact_grid_gives_samples_back_bit_for_bit(data, code):
    x = data.draw(finite(np.dtype(code))) + np.dtype(code).type(0)  # no negative zeros
    domain = exact_grid(x, x.min(), x.max())
    if domain is None:
        assert np.dtype(code).itemsize >= 4
        return
    y = domain.from_samples(x)
    assert y.min() == 0
    assert y.max() == domain.top <= LARGEST_TOP
    assert domain.to_samples(y).tobytes() == x.tobytes()


@given(data=st.data(), code=st.sampled_from(INTEGERS + FLOATS), error=st.floats(1e-6, 1e6))
def test_a_bounded_grid_keeps_the_error(data, code, error):
    x = data.draw(finite(np.dtype(code)))
    bounded = bounded_domain(x, x.min(), x.max(), error)
    if bounded is None:
        return
    domain, allowed = bounded
    y = domain.from_samples(x)
    kind = int if x.dtype.kind in "iu" else Fraction
    for moved in (np.minimum(y + allowed, domain.top), np.maximum(y - allowed, 0)):
        for a, b in zip(domain.to_samples(moved).tolist(), x.tolist(), strict=True):
            assert abs(kind(a) - kind(b)) <= Fraction(error)


def test_whole_numbers_stored_as_floats_lie_on_an_even_grid():
    x = (np.arange(0, 900, 3) - 40.0).astype("f4") / 8
    domain = exact_grid(x, x.min(), x.max())
    assert domain == IntegerDomain(Kind.FLOAT, x.dtype, -5.0, 0.375, 299)


def test_fractional_floats_are_counted_by_their_bits():
    x = np.array([0.1, -0.1, 1e-9], "f4")
    domain = exact_grid(x, x.min(), x.max())
    assert domain.kind is Kind.BITS
    assert exact_grid(x.astype("f8"), -0.1, 0.1) is None  # too many numbers lie between


def test_a_wide_range_of_integers_is_coarse_where_the_error_allows_it():
    x = np.array([0, 2**63, 2**64 - 1], "u8")
    assert bounded_domain(x, x.min(), x.max(), 3) is None
    domain, allowed = bounded_domain(x, x.min(), x.max(), 2.0**40)
    assert domain.quantum > 2**31
    assert allowed > 100


@pytest.mark.parametrize("dtype", INTEGERS)
def test_samples_outside_are_clipped(dtype):
    info = np.iinfo(dtype)
    domain = IntegerDomain(Kind.INTEGER, np.dtype(dtype), 5, 2, 10)
    assert domain.from_samples(np.array([info.min, 5, 6, 8, 25, info.max], dtype)).tolist() == [0, 0, 1, 2, 10, 10]
