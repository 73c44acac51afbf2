"""What a chunk must keep, from what is asked."""

import math

import numpy as np
import pytest

from tinc_codec.config import Config
from tinc_codec.encoding.goal import goal
from tinc_codec.encoding.prepared import prepare

VOLUME = np.random.default_rng(0).integers(0, 1001, (8, 9, 10)).astype("u2")
VOLUME[0, 0, :2] = 0, 1000


def test_a_largest_error_is_allowed_in_integers():
    aim = goal(prepare(VOLUME, Config(max_error=7.9)))
    assert (aim.allowed, aim.rmse) == (7, None)
    assert aim.bound.max_error == 7.9


def test_a_psnr_is_a_root_mean_square_error_of_the_range():
    aim = goal(prepare(VOLUME, Config(psnr=40)))
    assert aim.rmse == pytest.approx(1000 / 10**2)
    assert aim.rmse < 1000 / 10**2  # rounding must not take what is asked


def test_a_range_too_wide_has_none():
    wide = np.random.default_rng(0).normal(0, 1e30, (4, 5))
    assert goal(prepare(wide, Config(max_error=1e-3))) is None
    assert not math.isinf(goal(prepare(wide, Config(max_error=1e25))).allowed)
