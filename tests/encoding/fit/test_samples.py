"""Leaves as training samples: normalised over what counts, and drawn at random cells."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.models import random_tree  # noqa: E402
from tinc_codec.encoding.fit.samples import Stack, samples  # noqa: E402

CPU = torch.device("cpu")
SHAPE = (17, 20)


@pytest.fixture
def tree():
    return random_tree(np.random.default_rng(1), SHAPE, empty=0.0)


def test_targets_are_normalised_and_come_back_with_gain_and_shift(tree):
    volume = np.random.default_rng(0).normal(300, 20, SHAPE)
    drawn = samples(tree, volume, None, 250.0)
    weights = np.ones_like(drawn.targets) if drawn.weights is None else drawn.weights.numpy()
    targets = drawn.targets.numpy()
    assert np.average(targets, weights=weights) == pytest.approx(0, abs=1e-5)
    assert np.average(targets**2, weights=weights) == pytest.approx(1, rel=1e-4)
    blocks = tree.partition.to_blocks(volume)[tree.leaves]
    assert np.allclose(targets.T * drawn.gain + drawn.shift + 250, blocks, rtol=1e-5)
    assert np.abs(drawn.coordinates.numpy()).max() <= 1


def test_cells_that_do_not_count_weigh_nothing_and_change_nothing(tree):
    rng = np.random.default_rng(0)
    volume, counts = rng.normal(0, 1, SHAPE), rng.random(SHAPE) < 0.7
    wild = np.where(counts, volume, 1e6)
    one, other = (samples(tree, values, counts, 0.0) for values in (volume, wild))
    assert (one.gain, one.shift) == pytest.approx((other.gain, other.shift))
    assert torch.allclose(one.means, other.means, atol=1e-4)
    assert float(one.weights.mean()) == pytest.approx(1)
    inside = tree.partition.to_blocks(counts)[tree.leaves].T
    assert not one.weights.numpy()[~inside].any()


@pytest.mark.parametrize("counts", [None, np.zeros(SHAPE, bool)])
def test_a_constant_and_nothing_at_all_have_a_gain_of_1(tree, counts):
    drawn = samples(tree, np.full(SHAPE, 7.0), counts, 7.0)
    assert drawn.gain == 1
    assert torch.isfinite(drawn.targets).all()
    assert torch.isfinite(drawn.means).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("points", [1, 30, 10**6])
def test_points_of_each_chunk_are_drawn_with_what_belongs_to_them(tree, points, weighted):
    counts = np.ones(SHAPE, bool) if weighted else None
    volumes = [np.indices(SHAPE).sum(0) + 100.0 * number for number in range(3)]
    each = [samples(tree, volume, counts, 0.0) for volume in volumes]
    for one, targets in zip(each, (0.0, 1000.0, 2000.0), strict=True):
        one.targets = one.targets + targets
    if each[0].weights is None and weighted:
        each = [replace(one, weights=torch.ones_like(one.targets)) for one in each]
    number = min(points, len(each[0].coordinates))
    seeds = [torch.Generator().manual_seed(seed) for seed in (5, 6, 7)]
    coordinates, targets, weights = Stack.of(each, CPU).draw(points, seeds)
    assert coordinates.shape == (3, 2, number)
    assert targets.shape == (3, len(tree.leaves), number)
    assert (weights is None) == (each[0].weights is None)
    for drawn, t, there in zip(coordinates, targets, each, strict=True):
        known = {tuple(c.tolist()): t for c, t in zip(there.coordinates, there.targets, strict=True)}
        for c, mine in zip(drawn.T, t.T, strict=True):
            assert torch.equal(known[tuple(c.tolist())], mine)
    again = Stack.of(each[1:2], CPU).draw(points, [torch.Generator().manual_seed(6)])
    assert torch.equal(again[0][0], coordinates[1])
    assert torch.equal(again[1][0], targets[1])
