"""What is expected of a coefficient rests on what is known before it, and on nothing else."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinc_codec.detail.contexts import (
    CLASSES,
    MAGNITUDES,
    MEAN,
    PASSES,
    SIDES,
    UNIT,
    WEIGHTS,
    Grid,
    Map,
    Tile,
    divisors,
    factors,
    known_before,
    neighbours,
)
from tinc_codec.detail.defaults import PRESETS

SHAPES = st.tuples(*[st.integers(1, 5)] * 3)


def test_every_parity_is_one_pass_and_knows_those_before():
    assert sorted(PASSES) == list(range(8))
    assert sorted(SIDES) == list(range(1, 8))
    for number in range(8):
        assert known_before(number) == PASSES[:number]
        for kind, parity, shift in neighbours(number):
            assert parity in known_before(number)
            assert parity ^ PASSES[number] == SIDES[kind]
            assert set(shift) <= {-1, 0, 1}


def test_neighbours_are_all_that_touch_and_are_known():
    for number, parity in enumerate(PASSES):
        odd = [parity >> bit & 1 for bit in (2, 1, 0)]
        places = set()
        for kind, other, shift in neighbours(number):
            place = tuple(2 * s + (other >> bit & 1) - p for s, bit, p in zip(shift, (2, 1, 0), odd, strict=True))
            assert sum(abs(step) << bit for step, bit in zip(place, (2, 1, 0), strict=True)) == SIDES[kind]
            places.add(place)
        touching = set(itertools.product((-1, 0, 1), repeat=3)) - {(0, 0, 0)}
        known = {
            at
            for at in touching
            if sum((p + s) % 2 << bit for p, s, bit in zip(odd, at, (2, 1, 0), strict=True)) in known_before(number)
        }
        assert places == known


def test_divisors_count_what_is_summed():
    of_one, of_two = divisors((1, 0, 0)), divisors((2, 0, 0))
    assert of_one.shape == (8, MEAN)
    assert not of_one[0, :9].any()  # the first pass knows nothing of its tile
    assert (of_two[:, 9:12] == 2 * of_one[:, 9:12]).all()
    assert not of_one[:, 12:].any()


def test_what_is_not_known_counts_as_the_mean():
    weights = np.zeros((8, WEIGHTS), np.int64)
    weights[:, 3] = UNIT
    known, unknown = np.full((8, MEAN), 64), np.zeros((8, MEAN), np.int64)
    assert (factors(weights, known, 256)[:, MEAN] == 0).all()
    by_mean = np.zeros((8, WEIGHTS), np.int64)
    by_mean[:, MEAN] = UNIT
    assert (factors(weights, unknown, 256) == factors(by_mean, unknown, 256)).all()


FRAMES = st.integers(1, 3)


@settings(max_examples=30)
@given(shape=SHAPES, frames=FRAMES, seed=st.integers(0, 2**32))
def test_lattices_are_parities_with_their_borders_repeated_in_each_frame(shape, frames, seed):
    grid = Grid(frames, shape)
    volume = np.random.default_rng(seed).integers(0, 99, (frames, *shape))
    spread = volume
    for axis in range(3):
        spread = spread.take(grid.spread(axis).ravel(), axis + 1)
    _, *cells = grid.padded
    lattices = Map.of(grid, spread.astype(np.int32).reshape(frames, 2, cells[0], 2, cells[1], 2, cells[2])).lattices
    for parity in range(8):
        odd = [parity >> bit & 1 for bit in (2, 1, 0)]
        part = volume[(slice(None), *(slice(o, None, 2) for o in odd))]
        expected = np.zeros(grid.padded)
        if part.size:
            more = [(1, n - 1 - m) for n, m in zip(cells, part.shape[1:], strict=True)]
            expected = np.pad(part, [(0, 0), *more], mode="edge")
            assert (grid.lattice(part).reshape(grid.padded) == expected).all()
        assert (lattices[parity].reshape(grid.padded) == expected).all()


@given(shape=SHAPES, frames=FRAMES, seed=st.integers(0, 2**32))
def test_wide_sums_are_over_boxes_of_cells_of_one_frame(shape, frames, seed):
    grid = Grid(frames, tuple(2 * n for n in shape))
    inside = np.random.default_rng(seed).integers(0, 900, (frames, *shape))
    sums = np.pad(inside, [(0, 0), *[(1, 1)] * 3], mode="edge").astype(np.int32)
    near, far = (part.reshape(grid.padded) for part in grid.wide(sums.ravel()))
    for t, *at in np.ndindex(frames, *shape):
        box, place = (t, *(slice(i, i + 3) for i in at)), (t, *(i + 1 for i in at))
        assert near[place] == sums[box].sum()
        assert far[place] == (near[box].sum() + 32) >> 6


@settings(max_examples=20)
@given(shape=SHAPES, frames=FRAMES, preset=st.integers(0, len(PRESETS) - 1))
def test_classes_are_of_every_coefficient_and_grow_with_what_is_around(shape, frames, preset):
    def classes(scale):
        grid, seen = Grid(frames, shape), np.zeros((frames, *shape), int)
        tile = Tile(grid, [None] * 3, (1, 1, 1), PRESETS[preset], 40 * scale)
        magnitudes = np.full((frames, *shape), MAGNITUDES[2 * scale])
        for number in range(8):
            place = (slice(None), *grid.members(number))
            seen[place] += 1
            if magnitudes[place].size:
                yield tile.classes(number).ravel()
                tile.enter(number, magnitudes[place])
        assert (seen == 1).all()

    quiet, loud = (np.concatenate(list(classes(scale))) for scale in (1, 5))
    assert len(quiet) == frames * np.prod(shape)
    assert (quiet <= loud).all()
    assert loud.max() < CLASSES


@given(shape=SHAPES, seed=st.integers(0, 2**32))
def test_frames_do_not_know_each_other(shape, seed):
    rng = np.random.default_rng(seed)
    magnitudes = rng.choice(MAGNITUDES, (3, *shape))
    tiles = [Tile(Grid(n, shape), [None] * 3, (1, 1, 1), PRESETS[0], 40) for n in (3, 1, 1, 1)]
    for number in range(8):
        mine = magnitudes[(slice(None), *tiles[0].grid.members(number))]
        if not mine.size:
            continue
        together, *alone = (tile.classes(number) for tile in tiles)
        assert (together == np.concatenate(alone)).all()
        for tile, frames in zip(tiles, (mine, *np.split(mine, 3)), strict=True):
            tile.enter(number, frames)


def test_maps_of_other_bands_raise_what_is_expected():
    grid = Grid(1, (4, 4, 4))
    loud = Map.of(grid, np.full((1, 2, 4, 2, 4, 2, 4), int(MAGNITUDES[-1]), np.int32))
    with_map, without = (Tile(grid, [m, None, None], (1, 1, 1), PRESETS[0], 20) for m in (loud, None))
    assert (with_map.classes(0) > without.classes(0)).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5)])
def test_means_are_one_row_for_each_weight(shape):
    grid = Grid(2, shape)
    tile = Tile(grid, [None] * 3, (1, 1, 1), PRESETS[0], 40)
    for number in range(8):
        rows = tile.means(number)
        assert len(rows) == WEIGHTS
        assert {row.shape for row in rows} == {rows[0].shape}
        assert all(np.isfinite(row).all() for row in rows)
        magnitudes = np.full((2, *shape), MAGNITUDES[3])[(slice(None), *grid.members(number))]
        if magnitudes.size:
            tile.enter(number, magnitudes)


@pytest.mark.parametrize("number", range(8))
def test_neighbours_of_a_kind_come_in_pairs(number):
    """The compiled twin adds them two at a time."""
    kinds = Counter((kind, parity) for kind, parity, _ in neighbours(number))
    assert all(count % 2 == 0 for count in kinds.values())
