"""Coefficients under a residual: how coarse they are, and where they are left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import TINCCodec, decode
from tinc_codec.config import Config
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.corrected import Corrected
from tinc_codec.encoding.goal import goal
from tinc_codec.encoding.largest_error import LargestError, refined, step
from tinc_codec.encoding.prepared import prepare
from tinc_codec.errors import UnreachableGoalError
from tinc_codec.runtime.progress import TrainingProgress

SHAPE = (32, 48, 48)
RNG = np.random.default_rng(0)
WAVES = 3000 * np.sin(np.indices(SHAPE).sum(0) / 9)
NOISY = np.rint(5000 + WAVES + RNG.normal(0, 20, SHAPE)).astype("u2")


@given(st.floats(0, 9), st.floats(0, 9))
def test_the_fewer_bits_the_coarser_the_step(one, other):
    fewer, more = sorted((one, other))
    assert step(fewer) >= step(more) > 2


@given(st.floats(0.3, 0.8), st.floats(0, 0.4), st.floats(0, 0.4))
def test_where_coefficients_are_cheap_the_step_is_finer(bits, one, other):
    less, more = sorted((one, other))
    assert 0.7 < refined(bits, less) <= refined(bits, more) < 1.4
    assert refined(bits / 100, more) == 1


def test_coefficients_that_hold_noise_are_refused():
    with pytest.raises(UnreachableGoalError, match=r"0\.60 of the bytes"):
        refined(0.5, 0.6)


def streams(volume, error, with_detail=True, effort=1):
    chunk = prepare(volume, Config(max_error=error, effort=effort))
    corrected = Corrected(chunk, goal(chunk), TrainingProgress(1))
    return list(LargestError(corrected).streams({}, None, with_detail))


@pytest.mark.parametrize("effort", [1, 2])
def test_what_is_smooth_beneath_the_noise_is_coefficients(effort):
    best = min((one.stream for one in streams(NOISY, 100, effort=effort)), key=len)
    assert inspect(best).kind == "detail and residual"
    assert np.abs(decode(best).astype(float) - NOISY).max() <= 100
    (alone,) = streams(NOISY, 100, with_detail=False)
    assert len(best) < len(alone.stream)


def test_noise_is_left_to_the_residual():
    (alone,) = streams(NOISY, 3)
    assert inspect(alone.stream).kind == "residual"


def test_a_bound_above_all_differences_takes_next_to_nothing():
    """No trial of a step follows another where nothing is left to code."""
    data = TINCCodec(max_error=20_000, effort=1).encode(NOISY)
    assert len(data) < 600
    assert np.abs(decode(data).astype(float) - NOISY).max() <= 20_000
