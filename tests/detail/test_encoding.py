"""From a volume to coefficients, and from a step to what its section would take."""

import numpy as np
import pytest

from tests.detail.cases import smooth
from tinc_codec.detail import reference
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.encoding import COARSEST, FINEST, Samples, attempt, transform
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.scale import LARGEST_STEP
from tinc_codec.detail.tables import DEFAULTS

PLAN = Plan((1, 12, 14, 9), (Group((0,), 0), Group((1, 2, 3), 2)), 8)
NO_DELTAS = np.zeros(DEFAULTS.shape, np.int32)


@pytest.fixture
def coefficients():
    return transform(Samples.of(smooth(PLAN.shape) * 100), PLAN, reference)


@pytest.mark.parametrize("spread", [1e-300, 1.0, 1e300])
def test_samples_are_scaled_to_the_integers_whatever_their_range(spread):
    volume = np.array([[[[0.0, 1.0, -1.0]]]]) * spread
    samples = Samples.of(volume)
    assert 2**21 <= np.abs(samples.values).max() <= 2**22
    back = np.ldexp(samples.values.astype(float), samples.scale.exponent) + samples.scale.origin
    assert np.allclose(back, volume, rtol=1e-6)


def test_a_constant_has_no_spread_and_nothing_is_divided_by_it():
    samples = Samples.of(np.full((1, 1, 2, 2), 7.5))
    assert (samples.scale.origin, samples.scale.exponent) == (7.5, 0)
    assert not samples.values.any()


def test_coefficients_are_as_many_as_samples_and_peaks_are_theirs(coefficients):
    assert coefficients.values.size == np.prod(PLAN.shape)
    for band, peak in enumerate(coefficients.peaks):
        assert peak == np.abs(coefficients.layout.view(coefficients.values, band)).max(initial=0)


def test_steps_are_within_the_format_and_in_proportion(coefficients):
    assert coefficients.scaled(0).step == FINEST * 256
    assert coefficients.scaled(2 * COARSEST).step == LARGEST_STEP
    assert np.allclose(coefficients.steps(640), 10 * coefficients.steps(64), rtol=1e-2)
    assert coefficients.steps(64) / 64 == pytest.approx(coefficients.unit_steps, rel=1e-2)
    assert coefficients.activity(0) > 0


def test_a_coarser_step_takes_fewer_bits_and_errs_more(coefficients):
    trials = [attempt(coefficients, step, PRESETS[0], NO_DELTAS) for step in (2**8, 2**12, 2**16)]
    assert trials[0].bits > trials[1].bits > trials[2].bits
    assert trials[0].error < trials[1].error < trials[2].error
    for trial in trials:
        assert trial.size == pytest.approx(len(trial.section()), rel=0.1, abs=24)


def test_the_error_of_bands_that_nothing_is_left_of_counts():
    """Nothing walks over them, and no band is left at all in the end: the error is that of the mean alone."""
    volume = smooth(PLAN.shape) * 100 + np.random.default_rng(0).normal(0, 5, PLAN.shape)
    coefficients = transform(Samples.of(volume), PLAN, reference)
    spread = np.ldexp(volume.std(), -coefficients.scale.exponent)
    errors = [attempt(coefficients, 2.0**k, PRESETS[0], NO_DELTAS).error for k in range(14, 30)]
    assert errors[-1] == pytest.approx(spread, rel=0.2)
    assert all(error < 1.3 * errors[-1] for error in errors)
    assert errors[-1] > 2 * errors[0]


def test_weights_that_are_fitted_are_within_the_format(coefficients):
    weights = attempt(coefficients, 2**10, PRESETS[0], NO_DELTAS).fitted_weights(2**16)
    assert weights.shape == PRESETS[0].shape
    assert weights.min() >= 0
