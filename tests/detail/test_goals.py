"""What a section is encoded for is reached, or refused with what was asked."""

import numpy as np
import pytest

from tests.detail.cases import smooth
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Budget, Error, Step, encode
from tinc_codec.errors import UnreachableGoalError

NOISE = np.random.default_rng(0).normal(0, 1, (12, 20, 24))


@pytest.mark.parametrize("size", [400, 1500, 6000])
def test_a_budget_is_used_and_kept(size):
    section = encode(smooth((32, 40, 36), noise=0.3), Budget(size), compiled)
    assert 0.97 * size <= len(section) <= size


def test_a_budget_that_is_too_small_is_refused():
    with pytest.raises(UnreachableGoalError, match="too few"):
        encode(smooth((32, 40, 36)), Budget(20), compiled)


@pytest.mark.parametrize("rms", [0.02, 0.1, 0.3])
def test_an_error_is_reached_and_hardly_undercut(rms):
    volume = smooth((24, 40, 36), noise=0.3)
    detail = Detail.parse(encode(volume, Error(rms), compiled), volume.shape, compiled)
    measured = np.sqrt(np.mean((detail.samples(detail.whole()) - volume) ** 2))
    assert rms * 10 ** (-0.05 / 20) <= measured <= rms


def test_an_error_finer_than_the_integers_is_refused_before_any_trial():
    trials = []
    with pytest.raises(UnreachableGoalError, match="finer than the integers"):
        encode(NOISE, Error(1e-9), compiled, check=lambda: trials.append(1))
    assert len(trials) <= 1


@pytest.mark.parametrize("scale", [1, 1e200, 1e-200])
def test_an_infinite_step_leaves_nothing_but_the_mean(scale):
    section = encode(NOISE * scale, Step(np.inf), compiled)
    detail = Detail.parse(section, NOISE.shape, compiled)
    assert np.allclose(detail.samples(detail.whole()), NOISE.mean() * scale, atol=0)
    assert len(section) < 80
