"""Tiles of unequal sizes in arrays of equal ones: coded by the reference and compiled the same, within the bound."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.backends.numba import backend as compiled
from tinc_codec.residual import lattices as reference
from tinc_codec.residual.interlace import REACH, Pass, passes, tile_bounds
from tinc_codec.residual.lattice import PassCoding, Quantiser
from tinc_codec.residual.lattices import Lattices, Tile, surroundings
from tinc_codec.residual.prediction import SPREADS, PassModel

SHAPES = st.lists(st.integers(1, 11), min_size=1, max_size=4).map(tuple).filter(lambda shape: math.prod(shape) < 1500)
TOP = 900


def tiles_of(values, grid, mask=None, base=None):
    base = values / 2 if base is None else base
    places = tile_bounds(values.shape, grid)
    return [Tile(place, base[place], values[place], None if mask is None else mask[place]) for place in places]


def begun(tiles, step, coarser=None):
    lattices = Lattices(tiles, step)
    if coarser is not None:
        reference.take(lattices, coarser)
    return lattices


@given(
    shape=SHAPES,
    seed=st.integers(0, 2**32),
    cut=st.booleans(),
    width=st.integers(1, 40),
    rounding=st.sampled_from([0.5, 0.4]),
    options=st.tuples(st.booleans(), st.booleans()),
)
def test_the_compiled_pass_is_that_of_the_reference(shape, seed, cut, width, rounding, options):
    masked, constant = options
    rng, quantiser = np.random.default_rng(seed), Quantiser(width, rounding)
    base, target = (rng.integers(0, TOP + 1, shape).astype(np.float64) for _ in range(2))
    if constant:
        base = np.broadcast_to(np.float64(TOP // 2), shape)
    mask = rng.random(shape) < 0.7 if masked else None
    grid = tuple(min(2, n) if cut else 1 for n in shape)
    tiles, level, each = tiles_of(target, grid, mask, base), None, [None, None]
    for step in passes(len(shape), 3):
        if step.level != level:
            finer = [Lattices(tiles, step) for _ in each]
            if level is not None:
                for who, lattices, coarser in zip((reference, compiled), finer, each, strict=True):
                    who.take(lattices, coarser)
                for lattice, other in zip(finer[0].each, finer[1].each, strict=True):
                    assert_same_where_known(Pass(step.level, (0,) * len(shape), step.pairs), lattice, other)
            each, level = finer, step.level
        pairs = min(int(rng.integers(0, 25)), len(step.pairs))
        weights, spreads = (tuple(rng.integers(-300, 300, n).tolist()) for n in (pairs, SPREADS))
        model = PassModel(weights, int(rng.integers(-500, 500)), spreads, int(rng.integers(-9, 9)))
        members = each[0].members(step)
        chosen = np.sort(rng.permutation(len(members.target))[:20])
        if pairs and len(chosen):
            known = step.pairs[:pairs]
            places = [who.places(each[0], members, chosen) for who in (reference, compiled)]
            assert (places[0] == places[1]).all()
            gathered = [
                who.surroundings(lattices, places[0], known)
                for who, lattices in zip((reference, compiled), each, strict=True)
            ]
            assert all((one == two).all() for one, two in zip(*gathered, strict=True))
        one, two = (
            who.code_pass(PassCoding(step, model, quantiser, TOP), lattices, members)
            for who, lattices in zip((reference, compiled), each, strict=True)
        )
        assert (one.expected == two.expected).all()
        assert (one.steps == two.steps).all()
        for lattice, other in zip(each[0].each, each[1].each, strict=True):
            assert_same_where_known(step, lattice, other)
        decoded = np.concatenate([step.odd(lattice.inner(lattice.values)).ravel() for lattice in each[0].each])
        if rounding == 0.5:
            off = np.abs(decoded - members.target)
            assert off[... if mask is None else members.inside].max(initial=0) <= width / 2


def assert_same_where_known(step, lattice, other):
    """Voxels of a pass, and those at the border that mirror them."""
    stride = 2 if step.pairs else 1
    where = tuple(
        slice((REACH + odd) % stride if n > 1 else None, None, stride if n > 1 else None)
        for odd, n in zip(step.parity, lattice.base.shape, strict=True)
    )
    if step.odd(lattice.base).size:
        assert (lattice.values[where] == other.values[where]).all()
        assert (lattice.errors[where] == other.errors[where]).all()


@pytest.mark.parametrize(("shape", "grid"), [((31,), (3,)), ((13, 18), (2, 3)), ((9, 7, 11), (2, 1, 2))])
@given(seed=st.integers(0, 2**32), masked=st.booleans())
def test_what_lies_around_voxels_is_what_was_entered(shape, grid, seed, masked):
    rng = np.random.default_rng(seed)
    values = rng.permutation(np.arange(1.0, 1 + np.prod(shape))).reshape(shape)
    mask = rng.random(shape) < 0.6 if masked else None
    tiles, lattices, level = tiles_of(values, grid, mask), None, None
    for step in passes(len(shape), 2):
        if step.level != level:
            lattices, level = begun(tiles, step, lattices), step.level
        members = lattices.members(step)
        assert (members.base == members.target / 2).all()
        assert (members.inside is None) == (mask is None)
        ends = members.ends
        chosen = np.flatnonzero(rng.random(len(members.target)) < 0.5)
        if step.pairs and len(chosen):
            around = surroundings(lattices, reference.places(lattices, members, chosen), step.pairs[:3])
            assert np.isin(2 * around.near, 2 * values).all()
            assert (around.pairs[0] == around.near[0] + around.near[1]).all()
            assert (around.pairs[1] == around.near[2] + around.near[3] - around.pairs[0]).all()
            assert (2 * around.mistakes[0] == around.near[:4].sum(0)).all()  # each was expected to be half of it
            assert (2 * around.mistakes[1] == around.near.sum(0)).all()
        for lattice, begin, end in zip(lattices.each, ends, ends[1:], strict=False):
            shaped = members.target[begin:end].reshape(step.odd(lattice.base).shape)
            lattice.enter(step, shaped, shaped / 2)


def test_a_finer_lattice_has_what_the_coarser_one_decoded():
    values = np.arange(1.0, 1 + 13 * 9).reshape(13, 9)
    tiles = tiles_of(values, (2, 1))
    first, *_, last = passes(2, 1)
    coarse = begun(tiles, first)
    for lattice, tile in zip(coarse.each, tiles, strict=True):
        lattice.enter(first, first.members(tile.target), lattice.base)
    for tile, lattice in zip(tiles, begun(tiles, last, coarse).each, strict=True):
        assert (lattice.inner(lattice.values)[::2, ::2] == tile.target[::2, ::2]).all()
        assert (lattice.inner(lattice.errors)[::2, ::2] == tile.target[::2, ::2] / 2).all()
