"""Where the numbers of a chunk lie."""

import numpy as np
from hypothesis import given

from tests.detail.cases import plans
from tinc_codec.detail.layout import layout


@given(plans())
def test_bands_hold_every_coefficient_once_and_tiles_every_one_of_a_band(plan):
    parts = layout(plan)
    assert parts.size == np.prod(plan.shape)
    seen = np.zeros(parts.size, np.int32)
    for piece in parts.pieces:
        for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
            parts.view(seen, band)[tuple(slice(*ends) for ends in box)] += 1
    assert (seen == 1).all()


@given(plans(70))
def test_parents_of_a_tile_lie_in_the_parent_tile_and_come_before(plan):
    parts = layout(plan)
    for place, rung in enumerate(plan.rungs):
        for group, parent in enumerate(rung.parents):
            if parent < 0:
                continue
            assert parent < place
            for tile in np.ndindex(*rung.tiles):
                there = plan.parent_tile(rung, tile, group)
                assert parts.numbers[parent][there] <= parts.numbers[place][tile]
                for band in rung.bands:
                    above = parts.parents[band, group]
                    assert (above >= 0) == (plan.bands[band].high == plan.bands[above].high) or above < 0
                    _inside(plan, rung, tile, band, above, there, group)


def _inside(plan, rung, tile, band, above, there, group):
    mine = plan.tile_box(rung, tile, plan.bands[band].shape)
    if above < 0 or 0 in plan.bands[above].shape or any(begin == end for begin, end in mine):
        return
    parent = plan.rungs[rung.parents[group]]
    box = plan.tile_box(parent, there, plan.bands[above].shape)
    for axis, ((begin, end), (low, high)) in enumerate(zip(mine, box, strict=True)):
        halved = axis in plan.groups[group].axes
        for coefficient in (begin, end - 1):
            place = min(coefficient >> halved, plan.bands[above].shape[axis] - 1)
            assert low <= place < high
