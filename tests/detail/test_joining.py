"""Boxes of samples from numbers: the twin's integers are the reference's."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.detail.cases import plans
from tinc_codec.backends.numba.detail import joining as compiled
from tinc_codec.detail import joining as reference
from tinc_codec.detail import packet
from tinc_codec.detail.joining import Joining
from tinc_codec.detail.layout import layout
from tinc_codec.detail.plan import AXES, Group, Plan, lengths
from tinc_codec.detail.scale import Scale

SCALES = st.builds(
    Scale,
    st.just(0.0),
    st.just(0),
    st.integers(1, 2**40),
    st.integers(0, 255),
    st.integers(-128, 127),
    st.integers(-128, 127),
)
KINDS = ("nothing", "few", "many", "all that int32 holds")


def numbers_of(plan, kind, seed):
    """Numbers of all bands; what is large wraps, alike on every device."""
    rng, size = np.random.default_rng(seed), layout(plan).size
    if kind == "all that int32 holds":
        return rng.integers(-(2**31), 2**31, size).astype(np.int32)
    share = {"nothing": 0.0, "few": 0.02, "many": 0.6}[kind]
    return (rng.integers(-40, 41, size) * (rng.random(size) < share)).astype(np.int32)


@st.composite
def joinings(draw, largest):
    plan = draw(plans(largest))
    stop = tuple(draw(st.integers(0, group.depth)) for group in plan.groups)
    box = []
    for axis, n in enumerate(plan.shape):
        length = lengths(n, stop[plan.group_of(axis)])[-1]
        begin = draw(st.sampled_from([0, draw(st.integers(0, length - 1))]))
        box.append((begin, draw(st.sampled_from([length, draw(st.integers(begin + 1, length))]))))
    return Joining(plan, packet.ranges(plan, tuple(box), stop), stop)


BLOCKS = Plan((2, 21, 70, 150), (Group((0,), 1), Group((1, 2, 3), 2)), 16)
"""More columns than a block has, and more rows than are joined in one line."""


@given(joinings(24), st.sampled_from(KINDS), st.integers(0, 99), SCALES)
@example(reference.whole(BLOCKS), "few", 0, Scale(0.0, 0, 900, 13, -20, 9))
@example(
    reference.whole(Plan((1, 9, 33, 1500), (Group((0, 3), 3), Group((1, 2), 2)), 16)),
    "many",
    1,
    Scale(0.0, 0, 9, 13, 0, 0),
)
def test_the_twin_gives_the_same_integers(joining, kind, seed, scale):
    numbers = numbers_of(joining.plan, kind, seed)
    with np.errstate(over="ignore"):
        expected = reference.inverse(numbers, joining, scale)
    got = compiled.inverse(numbers, joining, scale)
    assert got.dtype == np.int32
    assert got.flags.c_contiguous
    assert np.array_equal(got, expected)


@given(joinings(24), st.integers(0, 99))
def test_only_the_pieces_that_are_needed_matter(joining, seed):
    numbers, parts, scale = numbers_of(joining.plan, "many", seed), layout(joining.plan), Scale(0.0, 0, 300, 13, 0, 0)
    there = numbers.copy()
    for number in set(range(len(parts.pieces))) - set(reference.needed(joining)):
        piece = parts.pieces[number]
        for band, box in zip(piece.bands.tolist(), piece.boxes.tolist(), strict=True):
            parts.view(there, band)[tuple(slice(*ends) for ends in box)] = 12345
    assert np.array_equal(reference.inverse(numbers, joining, scale), reference.inverse(there, joining, scale))


def test_all_of_it_needs_all_pieces():
    parts = layout(BLOCKS)
    assert reference.needed(reference.whole(BLOCKS)) == tuple(range(len(parts.pieces)))
    assert (
        sum(math.prod(end - begin for begin, end in source.box) for source in reference.whole(BLOCKS).sources())
        == parts.size
    )


@pytest.mark.parametrize("axis", range(1, AXES))
def test_a_plane_needs_few_pieces(axis):
    plan = Plan((1, 64, 64, 64), (Group((0,), 0), Group((1,), 2), Group((2, 3), 2)), 8)
    box = tuple((5, 6) if other == axis else (0, n) for other, n in enumerate(plan.shape))
    joining = Joining(plan, packet.ranges(plan, box, (0, 0, 0)), (0, 0, 0))
    assert len(reference.needed(joining)) < len(layout(plan).pieces) / 2
