import math

import numpy as np
import pytest
from hypothesis import given

from tests.detail.cases import plans
from tinc_codec.backends.numba.detail import work as compiled
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.goals import Step, encode
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.plans import candidates
from tinc_codec.detail.section import most_passes, passes
from tinc_codec.errors import CorruptStreamError


@given(plans(40))
def test_plans_that_are_made_are_within_the_limit_of_passes(plan):
    counted = 0
    for piece in layout(plan).pieces:
        for band, box in zip(piece.bands, piece.boxes, strict=True):
            counted += -(-(box[0][1] - box[0][0]) // layout(plan).frames[band])
    # bands that are a high half may be a frame shorter than their rung, and have a run less
    each = 2 ** sum(n > 1 for n in plan.shape[1:])
    most = counted + sum(len(rung.bands) * math.prod(rung.tiles) for rung in plan.rungs)
    assert each * counted <= passes(plan) <= each * most
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
        (512, 8, 8, 8),
        (4096, 4, 4, 4),
        (100_000, 1, 2, 3),
        (3000, 5, 7, 1),
        (12, 55_344, 2, 3),
        (1, 128, 256, 256),
    ],
)
def test_tiles_are_long_where_axes_are_few_or_short(shape):
    for plan in candidates(shape):
        assert passes(plan) <= most_passes(shape)
        assert math.prod(min(plan.tile, n) for n in shape) >= min(16**3, math.prod(shape))


def test_more_passes_than_make_sense_are_refused():
    volume = np.random.default_rng(0).normal(size=(64, 64, 64))
    plan = Plan((1, 64, 64, 64), (Group((0,), 0), Group((1, 2, 3), 1)), 4)
    section = encode(volume, Step(0.5), compiled, plan=plan)
    with pytest.raises(CorruptStreamError, match="32768 passes, where at most 10240 make sense"):
        Detail.parse(section, volume.shape, compiled)
