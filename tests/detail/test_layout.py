"""Where the numbers of a chunk lie."""

import numpy as np
from hypothesis import given, settings

from tests.detail.cases import plans
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import Group, Plan


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


@settings(max_examples=30)
@given(plans(40))
def test_a_piece_needs_some_of_those_before_it(plan):
    parts = layout(plan)
    bands = [set(piece.bands.tolist()) for piece in parts.pieces]
    for number, piece in enumerate(parts.pieces):
        parents = set(parts.parents[piece.bands].ravel().tolist()) - bands[number] - {-1}
        assert all(need < number for need in piece.needs)
        assert parents == set().union(*(bands[need] for need in piece.needs)) & parents
    every = range(len(parts.pieces))
    assert set(parts.outer) == set(every) - {0} - {need for piece in parts.pieces for need in piece.needs}
    assert parts.with_needs(parts.outer) == parts.with_needs(every) == tuple(every)
    assert sum(piece.size for piece in parts.pieces) == parts.size


def test_a_plan_is_laid_out_once():
    plan = Plan((1, 1, 1, 7), (Group((0, 1, 2), 0), Group((3,), 2)), 16)
    assert layout(plan) is layout(Plan((1, 1, 1, 7), (Group((0, 1, 2), 0), Group((3,), 2)), 16))
