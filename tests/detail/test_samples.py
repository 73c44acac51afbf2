"""Samples from integers: rounded, clipped, and the same bytes by either decoder."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.samples import to_dtype
from tinc_codec.detail.scale import Scale


@pytest.mark.parametrize("dtype", ["u1", "i2", "u8", "i8"])
def test_integers_are_rounded_to_even_and_clipped(dtype):
    info = np.iinfo(dtype)
    answer = to_dtype(np.array([0.5, 1.5, 2.4, -1e30, 1e30]), np.dtype(dtype))
    assert answer[:3].tolist() == [0, 2, 2]
    assert answer[3] == info.min
    assert info.max - 2**11 < int(answer[4]) <= info.max


def _limits(dtype, rng):
    if dtype.kind == "f":
        ends = [-np.inf, -6e4, -3.5, -0.0, 0.0, 2.25, 6e4, np.inf]
    else:
        info = np.iinfo(dtype)
        ends = [info.min, max(info.min, -100), 0, 7, 100, info.max]
    return np.sort(rng.choice(np.array(ends, dtype), 2))


@given(
    dtype=st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]),
    exponent=st.integers(-60, 60) | st.sampled_from([-1074, 999, 1000, 1023]),
    origin=st.floats(-1e300, 1e300) | st.sampled_from([0.0, -0.0, 0.5, 1e9]),
    seed=st.integers(0, 2**32 - 1),
    on_top=st.booleans(),
)
def test_both_decoders_make_the_same_bytes(dtype, exponent, origin, seed, on_top):
    rng, dtype = np.random.default_rng(seed), np.dtype(dtype)
    integers = np.concatenate([np.arange(-40, 40), rng.integers(-(2**31), 2**31, 40)]).astype(np.int32)
    above = rng.standard_normal(len(integers)) if on_top else None
    low, high = _limits(dtype, rng)
    answers = []
    for work in (reference, compiled):
        out = np.empty(len(integers), dtype)
        work.samples(integers, above, Scale(origin, exponent, 1, 0, 0, 0), low, high, out)
        assert low <= out.min()
        assert out.max() <= high
        answers.append(out.tobytes())
    assert answers[0] == answers[1]
