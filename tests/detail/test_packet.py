"""A volume as bands, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.detail.cases import plans
from tinc_codec.detail import lifting, packet, reference
from tinc_codec.detail.plan import Group, Plan


def _bands(plan, volume):
    return [np.rint(band * 64).astype(np.int32) for band in packet.forward(volume, plan, reference)]


def _cut(plan, bands, reached):
    place = {(band.levels, band.high): number for number, band in enumerate(plan.bands)}

    def cut(band):
        box = packet.band_box(plan, band, reached)
        return bands[place[band.levels, band.high]][tuple(slice(*ends) for ends in box)]

    return cut


@given(plans(12), st.data())
def test_a_box_is_that_of_the_whole(plan, data):
    volume = np.random.default_rng(1).normal(size=plan.shape) * 50
    bands, stop = _bands(plan, volume), (0,) * len(plan.groups)
    reached = packet.ranges(plan, tuple((0, n) for n in plan.shape), stop)
    whole = packet.inverse(plan, _cut(plan, bands, reached), reached, stop, lifting.inverse)
    assert np.abs(whole / 64 - volume).max() < 1
    box = []
    for n in plan.shape:
        begin = data.draw(st.integers(0, n - 1))
        box.append((begin, data.draw(st.integers(begin + 1, n))))
    reached = packet.ranges(plan, tuple(box), stop)
    part = packet.inverse(plan, _cut(plan, bands, reached), reached, stop, lifting.inverse)
    assert np.array_equal(part, whole[tuple(slice(*ends) for ends in box)])


def test_a_box_needs_few_coefficients():
    plan = Plan((1, 64, 64, 64), (Group((0,), 0), Group((1,), 2), Group((2, 3), 3)), 16)
    reached = packet.ranges(plan, ((0, 1), (30, 34), (0, 64), (20, 21)), (0, 0, 0))
    needed = sum(np.prod([end - begin for begin, end in packet.band_box(plan, band, reached)]) for band in plan.bands)
    assert needed < 64**3 / 8
