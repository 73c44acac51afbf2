import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.scale import (
    LARGEST_MEAN,
    LARGEST_STEP,
    Scale,
    coefficients,
    mean_byte,
    mean_of,
    powers,
    times_power,
)
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.fields import FieldReader, FieldWriter

SCALES = st.builds(
    Scale,
    st.floats(-1e300, 1e300),
    st.integers(-900, 900),
    st.integers(1, LARGEST_STEP),
    st.integers(0, 255),
    st.integers(-128, 127),
    st.integers(-128, 127),
)


@given(SCALES)
def test_what_is_packed_is_read(scale):
    out = FieldWriter()
    scale.pack(out)
    assert Scale.unpack(FieldReader(out.bytes(), "a scale")) == scale


def test_an_origin_must_be_a_number():
    out = FieldWriter()
    Scale(math.nan, 0, 1, 0, 0, 0).pack(out)
    with pytest.raises(CorruptStreamError, match="samples from nan"):
        Scale.unpack(FieldReader(out.bytes(), "a scale"))


@given(st.integers(0, 63))
def test_powers_are_the_nearest_integers(part):
    exact = 2 ** (30 + part / 64)
    assert abs(powers()[part] - exact) < 0.51


@given(SCALES, st.integers(-60, 60))
def test_a_band_step_is_finer_by_its_slope(scale, splits):
    step = scale.band_step(splits)
    exact = scale.step * 2.0 ** (-splits * scale.slope / 64)
    assert step >= 1
    assert abs(step - exact) <= 1 + 1e-8 * exact


@given(st.integers(0, LARGEST_MEAN))
def test_bytes_of_means_are_the_nearest(byte):
    assert mean_byte(mean_of(byte)) == max(1, byte)
    if 1 <= byte < LARGEST_MEAN:
        between = (mean_of(byte) + mean_of(byte + 1)) / 2
        assert mean_byte(between - 0.25) == byte
        assert mean_byte(between + 0.25) == byte + 1


@given(
    st.lists(st.integers(-(2**20), 2**20), min_size=1),
    st.integers(1, 2**18),
    st.integers(-128, 127),
    st.integers(-128, 127),
)
def test_coefficients_are_numbers_with_their_centres_in_steps(numbers, step, one, more):
    got = coefficients(np.array(numbers, np.int32), step, one, more)
    for number, coefficient in zip(numbers, got.tolist(), strict=True):
        centre = (0, one, more)[min(abs(number), 2)]
        exact = Fraction((abs(number) * 256 + centre) * step, 2**16)
        if exact < 2**31 - 1:
            assert abs(abs(coefficient) - exact) <= 1
            assert coefficient * number >= 0


@given(st.lists(st.floats(-1e5, 1e5), max_size=20), st.integers(-1070, 1020))
def test_scaling_is_that_of_ldexp(values, exponent):
    with np.errstate(over="ignore"):
        assert times_power(np.array(values), exponent).tobytes() == np.ldexp(np.array(values), exponent).tobytes()
