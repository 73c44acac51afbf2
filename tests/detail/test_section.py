import math

import numpy as np
import pytest
from hypothesis import given

from tests.detail.cases import plans
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Step, encode
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.plans import candidates
from tinc_codec.detail.section import most_passes, passes
from tinc_codec.errors import CorruptStreamError


@given(plans(40))
def test_plans_that_are_made_are_within_the_limit_of_passes(plan):
    tiles = {band: math.prod(rung.tiles[1:]) for rung in plan.rungs for band in rung.bands}
    each = 2 ** sum(n > 1 for n in plan.shape[1:])
    assert passes(plan) == each * sum(tiles[number] * band.shape[0] for number, band in enumerate(plan.bands))
    for candidate in candidates(plan.shape):
        assert passes(candidate) <= most_passes(plan.shape)


@pytest.mark.parametrize(
    "shape",
    [
        (1, 1, 1, 3_000_000),
        (1, 1, 2000, 2000),
        (1, 3, 3, 300_000),
        (5000, 6, 9, 8),
        (40, 2, 256, 256),
        (1, 128, 256, 256),
    ],
)
def test_tiles_are_long_where_axes_are_few_or_short(shape):
    for plan in candidates(shape):
        assert passes(plan) <= most_passes(shape)
        assert math.prod(min(plan.tile, n) for n in shape[1:]) >= min(16**3, math.prod(shape[1:]))


def test_more_passes_than_make_sense_are_refused():
    volume = np.random.default_rng(0).normal(size=(64, 64, 64))
    plan = Plan((1, 64, 64, 64), (Group((0,), 0), Group((1, 2, 3), 1)), 4)
    section = encode(volume, Step(0.5), compiled, plan=plan)
    with pytest.raises(CorruptStreamError, match="32768 passes, where at most 12288 make sense"):
        Detail.parse(section, volume.shape, compiled)
