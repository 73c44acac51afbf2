"""Tiles of a chunk, and what of it is coded."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.encoding.residual.volume import TILE_VOXELS, Volume, levels_of, tile_grid
from tinc_codec.residual.integer_domain import IntegerDomain, Kind

DOMAIN = IntegerDomain(Kind.INTEGER, np.dtype("u2"), 0, 1, 2000)
SHAPES = st.lists(st.integers(1, 3000), min_size=1, max_size=4).map(tuple).filter(lambda s: math.prod(s) < 2**26)


@given(SHAPES)
def test_tiles_are_small_enough_and_no_smaller_than_a_quarter(shape):
    grid = tile_grid(shape)
    edges = [-(-n // g) for n, g in zip(shape, grid, strict=True)]
    assert math.prod(edges) <= TILE_VOXELS
    assert math.prod(shape) / math.prod(grid) > TILE_VOXELS / 4 or grid == (1,) * len(shape)


@given(SHAPES)
def test_about_four_voxels_are_left_of_the_longest_axis(shape):
    levels = levels_of(shape, (1,) * len(shape))
    assert max(shape) <= 4 * 2**levels
    assert levels == 0 or max(shape) > 2 * 2**levels


def test_the_middle_is_that_of_what_is_coded():
    values = np.array([[1.0, 5.0, 900.0], [7.0, 3.0, 901.0]])
    assert Volume(DOMAIN, values, values < 100, None).middle == 5
    assert Volume(DOMAIN, values, np.zeros(values.shape, bool), None).middle == 0
    assert Volume(DOMAIN, values, None, None).middle == 7
