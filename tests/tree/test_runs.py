"""Along one axis: where positions lie in the leaves, by the words of FORMAT.md."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.tree.model import AMPLITUDE
from tinc_codec.tree.partition import partition
from tinc_codec.tree.runs import local, locate, runs_of

axes = st.tuples(st.integers(1, 90), st.integers(1, 4))


@given(cells=st.integers(1, 300))
def test_local_coordinates_are_cell_centred_odd_and_within_the_amplitude(cells):
    coordinates = local(np.arange(cells), cells)
    expected = [(2 * AMPLITUDE * (2 * i + 1 - cells) + cells) // (2 * cells) for i in range(cells)]
    assert coordinates.tolist() == expected
    assert np.abs(coordinates).max() <= AMPLITUDE
    assert (np.diff(coordinates) > 0).all() or cells > AMPLITUDE


@given(axis=axes, seed=st.integers(0, 2**32))
def test_every_position_is_in_the_leaf_that_holds_its_voxel(axis, seed):
    n, levels = axis
    part = partition((n,), levels)
    borders = part.borders(0)
    rng = np.random.default_rng(seed)
    whole = rng.integers(0, n, 20)
    blocks, coordinates = locate(part, 0, whole)
    assert ((borders[blocks] <= whole) & (whole < borders[blocks + 1])).all()
    near = whole + rng.uniform(-0.49, 0.49, 20)
    near_blocks, near_coordinates = locate(part, 0, near)
    assert (near_blocks == blocks).all()
    step = 2 * AMPLITUDE / part.leaf_shape[0]
    assert (np.abs(near_coordinates - coordinates) <= step / 2 + 1).all()


@given(axis=axes, seed=st.integers(0, 2**32))
def test_runs_answer_each_position_once(axis, seed):
    n, levels = axis
    part, rng = partition((n,), levels), np.random.default_rng(seed)
    positions = rng.integers(0, n, int(rng.integers(1, 40)))
    size, runs, places = runs_of(part, 0, positions.dtype.str, positions.tobytes())
    blocks, coordinates = np.full(size, -1), np.full(size, 9999)
    for run in runs:
        for block, start in zip(run.blocks, run.starts, strict=True):
            answers = start + run.offsets
            assert (blocks[answers] == -1).all()
            blocks[answers], coordinates[answers] = block, run.coordinates
    expected = locate(part, 0, positions)
    places = np.arange(size) if places is None else places
    assert np.array_equal(blocks[places], expected[0])
    assert np.array_equal(coordinates[places], expected[1])
