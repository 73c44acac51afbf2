"""Classes of many tiles at once: the integers of the reference, pass by pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import random_model
from tinc_codec.detail import contexts
from tinc_codec.detail.plan import Group, Plan

torch = pytest.importorskip("torch")
from tinc_codec.backends.torch.detail.contexts import Map, Tiles, frame, wide  # noqa: E402  # needs torch

CPU = torch.device("cpu")
MODEL, _ = random_model(Plan((1, 4, 4, 4), (Group((0,), 0), Group((1, 2, 3), 1)), 8), 3)


@settings(max_examples=40)
@given(
    st.integers(1, 3),
    st.lists(st.integers(1, 9), min_size=3, max_size=3),
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_classes_and_means_are_those_of_the_reference(frames, shape, many, seed):
    rng = np.random.default_rng(seed)
    grid, there = contexts.grid_of(frames, tuple(shape)), frame(tuple(shape), CPU)
    cells = grid.padded[1:]
    maps, others = [], []
    for count in many:
        spread = rng.choice(contexts.MAGNITUDES, (frames, 2, cells[0], 2, cells[1], 2, cells[2])).astype(np.int32)
        maps.append(contexts.Map.of(grid, spread) if count else None)
        lattices = torch.from_numpy(spread.transpose(1, 3, 5, 0, 2, 4, 6).copy())
        others.append(Map.of(there, lattices, wide) if count else None)
    one = contexts.Tile(grid, maps, tuple(many), MODEL.weights, int(MODEL.means[0]))
    other = Tiles(there, frames, others, tuple(many), MODEL, 0)
    magnitudes = rng.choice(contexts.MAGNITUDES, (frames, *shape), p=[0.5, *[0.5 / 15] * 15])
    for number, parity, where in other.passes():
        expected = one.classes(number)
        assert np.array_equal(other.classes(number).numpy(), expected)
        assert np.allclose(other.means(number).numpy(), one.means(number))
        mine = magnitudes[where]
        assert mine.shape == expected.shape
        one.enter(number, mine)
        other.enter(parity, torch.from_numpy(mine))
    assert sum(magnitudes[where].size for *_, where in other.passes()) == magnitudes.size
