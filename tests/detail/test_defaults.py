"""The weights that are part of the format are within it."""

import numpy as np

from tinc_codec.detail.contexts import MEAN, WEIGHTS, divisors
from tinc_codec.detail.defaults import PRESETS
from tinc_codec.detail.section import LARGEST_SUM


def test_presets_are_whole_not_negative_and_of_a_sum_that_stays_exact():
    assert PRESETS.shape[1:] == (8, WEIGHTS)
    assert PRESETS.dtype == np.int64
    assert PRESETS.min() >= 0
    assert PRESETS.sum(2).max() <= LARGEST_SUM
    assert (PRESETS.sum(2) > 0).all()
    assert len(np.unique(PRESETS, axis=0)) == len(PRESETS)


def test_nothing_is_weighed_that_a_pass_does_not_know():
    known = divisors((1, 1, 1)) > 0
    assert not PRESETS[:, :, :MEAN][:, ~known].any()
