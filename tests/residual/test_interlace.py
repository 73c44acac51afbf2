import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.residual.interlace import MOST_PAIRS, REACH, Neighbourhood, passes, tile_bounds

shapes = st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple)


@given(shape=shapes, levels=st.integers(0, 4))
def test_every_voxel_is_in_one_pass(shape, levels):
    seen = np.zeros(shape, int)
    for step in passes(len(shape), levels):
        step.members(seen)[...] += 1
    assert (seen == 1).all()


@given(shape=shapes, levels=st.integers(0, 4), seed=st.integers(0, 99))
def test_neighbours_are_those_of_the_definition(shape, levels, seed):
    volume = np.random.default_rng(seed).random(shape)
    for step in passes(len(shape), levels)[1:]:
        lattice = step.lattice(volume)
        members = step.members(volume)
        if not members.size:
            continue
        around = Neighbourhood(np.pad(lattice, REACH, mode="reflect"), step.parity)
        for offset in (step.pairs[0], step.pairs[-1]):
            for sign in (1, -1):
                got = around.at(offset, sign)
                assert got.shape == members.shape
                for at in np.ndindex(members.shape):
                    index = [2 * i + p + sign * o for i, p, o in zip(at, step.parity, offset, strict=True)]
                    assert got[at] == lattice[tuple(map(reflected, index, lattice.shape))]


def reflected(i, n):
    while not 0 <= i < n:
        i = 0 if n == 1 else -i if i < 0 else 2 * (n - 1) - i
    return i


@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_only_what_is_known_before_is_used(axes):
    plan = passes(axes, 1)
    known = [(0,) * axes]
    for step in plan[1:]:
        assert 0 < len(step.pairs) <= MOST_PAIRS
        for offset in step.pairs:
            assert max(map(abs, offset)) <= REACH
            assert tuple((p + o) % 2 for p, o in zip(step.parity, offset, strict=True)) in known
        known.append(step.parity)
    assert len(known) == 2**axes


@given(shape=shapes, data=st.data())
def test_tiles_cover_a_chunk_once(shape, data):
    domain = tuple(data.draw(st.integers(1, n)) for n in shape)
    seen = np.zeros(shape, int)
    for place in tile_bounds(shape, domain):
        assert seen[place].size
        seen[place] += 1
    assert (seen == 1).all()
