"""Tiles of unequal sizes in arrays of equal ones, and samples of their voxels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.encoding.residual.lattices import Lattices, Tile
from tinc_codec.residual.interlace import passes, tile_bounds


def tiles_of(values, grid, mask=None):
    places = tile_bounds(values.shape, grid)
    return [Tile(place, values[place] / 2, values[place], None if mask is None else mask[place]) for place in places]


@pytest.mark.parametrize(("shape", "grid"), [((31,), (3,)), ((13, 18), (2, 3)), ((9, 7, 11), (2, 1, 2))])
@given(seed=st.integers(0, 2**32), most=st.integers(1, 80), masked=st.booleans())
def test_a_sample_is_of_coded_voxels_and_knows_what_is_around_them(shape, grid, seed, most, masked):
    rng = np.random.default_rng(seed)
    values = rng.permutation(np.arange(1.0, 1 + np.prod(shape))).reshape(shape)
    mask = rng.random(shape) < 0.6 if masked else None
    tiles, lattices, level = tiles_of(values, grid, mask), None, None
    for step in passes(len(shape), 2):
        if step.level != level:
            lattices, level = Lattices(tiles, step, lattices), step.level
        coded = np.concatenate(
            [tile.target_of(step)[... if mask is None else tile.inside(step)].ravel() for tile in tiles]
        )
        sample = lattices.sample(step, most)
        if not coded.size:
            assert sample is None
            continue
        assert sample.count == coded.size
        assert len(sample.target) == -(-coded.size // -(-coded.size // most)) <= most
        assert np.isin(sample.target, coded).all()
        assert len(np.unique(sample.target)) == len(sample.target)
        assert (sample.around.base == sample.target / 2).all()
        assert (
            sample.around.values.at((0,) * len(shape), 1) == sample.around.base
        ).all()  # nothing is entered: the model's prediction
        for offset in step.pairs[:3]:
            for sign in (1, -1):
                assert np.isin(2 * sample.around.values.at(offset, sign), values).all()
                assert not sample.around.errors.at(offset, sign).any()


def test_a_finer_lattice_has_what_the_coarser_one_decoded():
    values = np.arange(1.0, 1 + 13 * 9).reshape(13, 9)
    tiles = tiles_of(values, (2, 1))
    first, *_, last = passes(2, 1)
    coarse = Lattices(tiles, first, None)
    for tile, lattice in zip(tiles, coarse.each, strict=True):
        lattice.enter(first, tile.target_of(first), lattice.base)
    for tile, lattice in zip(tiles, Lattices(tiles, last, coarse).each, strict=True):
        inner = lattice.inner(lattice.values)
        assert (inner[::2, ::2] == tile.target[::2, ::2]).all()
        assert (inner[1::2] == tile.base[1::2]).all()
        assert (lattice.inner(lattice.errors)[::2, ::2] == tile.target[::2, ::2] / 2).all()
