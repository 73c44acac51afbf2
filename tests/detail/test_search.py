"""The search for a step ends, near what was asked, whatever the curve of sizes and errors is like."""

import numpy as np
import pytest

from tinc_codec.backends.choice import backend
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.encoding import FINEST
from tinc_codec.detail.goals import Budget, Error, encode
from tinc_codec.errors import UnreachableGoalError

RIPPLES = np.sin(np.linspace(0, 20, 4000)).reshape(50, 80)
"""So smooth along its rows that sizes fall in jumps."""

NOISE = np.random.default_rng(0).normal(0, 1, (12, 20, 24))


def encoded(volume, goal, effort=3):
    trials = []
    section = encode(volume, goal, backend().detail, effort=effort, check=lambda: trials.append(1))
    return section, len(trials)


def error(volume, section):
    detail = Detail.parse(section, volume.shape, backend().detail)
    return float(np.sqrt(np.mean((detail.samples(detail.whole()) - volume) ** 2)))


@pytest.mark.parametrize("effort", [1, 3])
@pytest.mark.parametrize("scale", [1, 1e10, 1e30, 1e-30])
@pytest.mark.parametrize("size", [300, 1900, 3000])
def test_a_budget_is_used_where_sizes_do_not_follow_steps(size, scale, effort):
    section, trials = encoded(RIPPLES * scale, Budget(size), effort)
    assert 0.9 * size <= len(section) <= size
    assert trials < 60


@pytest.mark.parametrize("size", [-5, 0, 1, 20])
def test_a_budget_for_nothing_is_unreachable_after_few_trials(size):
    trials = []
    with pytest.raises(UnreachableGoalError, match=f"{size} bytes"):
        encode(NOISE, Budget(size), backend().detail, check=lambda: trials.append(1))
    assert len(trials) < 60


@pytest.mark.parametrize("scale", [1, 1e-30])
@pytest.mark.parametrize("part", [0.5, 0.02, 1e-4])
@pytest.mark.parametrize("volume", [RIPPLES, NOISE], ids=["ripples", "noise"])
def test_an_error_is_reached_and_nearly_used(volume, part, scale):
    section, _ = encoded(volume * scale, Error(part * scale))
    assert 0.9 * part <= error(volume * scale, section) / scale <= part


def test_the_finest_step_is_that_of_the_largest_budget():
    values = np.random.default_rng(0).integers(0, 2**32, (8, 16, 16)).astype(np.float64)
    section, _ = encoded(values, Budget(values.size * 4))
    detail = Detail.parse(section, values.shape, backend().detail)
    assert detail.parameters.scale.step >= 256 * FINEST
    assert error(values, section) < 2**32 / 2**19
