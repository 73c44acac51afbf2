"""What is expected of a coefficient rests on what is known before it, and on nothing else."""

import itertools

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
    Map,
    Tile,
    divisors,
    factors,
    known_before,
    lattice,
    neighbours,
    wide,
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


@settings(max_examples=30)
@given(shape=SHAPES, seed=st.integers(0, 2**32))
def test_a_lattice_is_a_parity_with_its_borders_repeated(shape, seed):
    volume = np.random.default_rng(seed).integers(0, 99, shape)
    cells = tuple((n + 1) // 2 for n in shape)
    for parity in range(8):
        odd = [parity >> bit & 1 for bit in (2, 1, 0)]
        part = volume[tuple(slice(o, None, 2) for o in odd)]
        expected = np.zeros([n + 2 for n in cells])
        if part.size:
            more = [(1, 1 + n - m) for n, m in zip(cells, part.shape, strict=True)]
            expected = np.pad(part, more, mode="edge")
        assert (lattice(volume, parity, cells) == expected).all()


@given(shape=SHAPES, seed=st.integers(0, 2**32))
def test_wide_sums_are_over_boxes_of_cells(shape, seed):
    sums = np.pad(np.random.default_rng(seed).integers(0, 900, shape), 1, mode="edge").astype(np.int32)
    near, far = wide(sums)
    for at in np.ndindex(*shape):
        box = tuple(slice(i, i + 3) for i in at)
        assert near[tuple(i + 1 for i in at)] == sums[box].sum()
        assert far[tuple(i + 1 for i in at)] == (near[box].sum() + 32) >> 6


@settings(max_examples=20)
@given(shape=SHAPES, preset=st.integers(0, len(PRESETS) - 1))
def test_classes_are_of_every_coefficient_and_grow_with_what_is_around(shape, preset):
    def classes(scale):
        tile, seen = Tile(shape, [None] * 3, (1, 1, 1), PRESETS[preset], 40 * scale), np.zeros(shape, int)
        magnitudes = np.full(shape, MAGNITUDES[2 * scale])
        for number in range(8):
            seen[tile.members(number)] += 1
            yield tile.classes(number).ravel()
            tile.enter(number, magnitudes)
        assert (seen == 1).all()

    quiet, loud = (np.concatenate(list(classes(scale))) for scale in (1, 5))
    assert len(quiet) == np.prod(shape)
    assert (quiet <= loud).all()
    assert loud.max() < CLASSES


def test_maps_of_other_bands_raise_what_is_expected():
    shape, cells = (4, 4, 4), (2, 2, 2)
    loud = Map.of(np.full(shape, int(MAGNITUDES[-1]), np.int32), cells)
    with_map, without = (Tile(shape, [m, None, None], (1, 1, 1), PRESETS[0], 20) for m in (loud, None))
    assert (with_map.classes(0) > without.classes(0)).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5)])
def test_means_are_one_row_for_each_weight(shape):
    tile = Tile(shape, [None] * 3, (1, 1, 1), PRESETS[0], 40)
    for number in range(8):
        rows = tile.means(number, 40)
        assert len(rows) == WEIGHTS
        assert {row.shape for row in rows} == {rows[0].shape}
        assert all(np.isfinite(row).all() for row in rows)
        tile.enter(number, np.zeros(shape, np.uint8))
