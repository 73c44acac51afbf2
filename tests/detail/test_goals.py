"""What a section is encoded for is reached, or refused with what was asked."""

import numpy as np
import pytest

from tests.detail.cases import smooth
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail import reference
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.encoding import COARSEST, FINEST, Samples, transform
from tinc_codec.detail.goals import Budget, Error, Step, encode, first_step, integers
from tinc_codec.detail.plans import usual
from tinc_codec.detail.scale import Scale
from tinc_codec.detail.section import four
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


def test_a_part_of_an_error_may_be_enough():
    volume, trials = smooth((24, 40, 36), noise=0.3), []
    for least in (None, 0.9):
        trials.append(0)

        def check():
            trials[-1] += 1

        detail = Detail.parse(encode(volume, Error(0.1, least), compiled, check=check), volume.shape, compiled)
        measured = np.sqrt(np.mean((detail.samples(detail.whole()) - volume) ** 2))
        assert 0.9 * 0.1 <= measured <= 0.1
    assert trials[1] <= trials[0]


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


@pytest.mark.parametrize("exponent", [-40, 0, 40])
def test_sizes_in_samples_are_sizes_in_integers_as_far_as_steps_reach(exponent):
    scale = Scale(0.0, exponent, 256, 13, 0, 0)
    assert integers(3 * 2.0**exponent, scale) == 3
    assert integers(np.inf, scale) == COARSEST
    assert integers(0.0, scale) == 2.0**-8


@pytest.mark.parametrize("size", [100, 700])
def test_the_smallest_of_the_largest_coefficients_says_the_first_step(size):
    coefficients = transform(Samples.of(NOISE.reshape(four(NOISE.shape))), usual(four(NOISE.shape)), reference)
    bands = enumerate(coefficients.unit_steps)
    sizes = [np.abs(coefficients.layout.view(coefficients.values, band)).ravel() / step for band, step in bands]
    assert first_step(coefficients, size) == pytest.approx(np.sort(np.concatenate(sizes))[-(size * 8 // 6)] / 0.75)


@pytest.mark.parametrize("size", [1, 200, 10**9])
def test_a_first_step_leaves_about_as_many_coefficients_as_bytes(size):
    coefficients = transform(Samples.of(NOISE.reshape(four(NOISE.shape))), usual(four(NOISE.shape)), reference)
    step = first_step(coefficients, size)
    assert step >= FINEST
    parts, above = coefficients.layout, 0
    for band, unit in enumerate(coefficients.unit_steps):
        above += np.count_nonzero(np.abs(parts.view(coefficients.values, band)) / unit > 0.749 * step)
    assert step == FINEST or 0 < above <= 2 * size


def test_a_step_is_refined_once_by_what_it_takes():
    sizes = []

    def refined(size):
        sizes.append(size)
        return 2.0

    steps = [
        Detail.parse(encode(NOISE, goal, compiled), NOISE.shape, compiled).parameters.scale.step
        for goal in (Step(0.1), Step(0.1, refined), Step(0.2))
    ]
    assert len(sizes) == 1
    assert steps[1] == pytest.approx(2 * steps[0], rel=1e-3)
    assert steps[1] == steps[2]
