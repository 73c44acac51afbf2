"""Leaves as training samples: normalised over what counts, and drawn at random cells."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.models import random_tree  # noqa: E402
from tinc_codec.encoding.fit.samples import samples  # noqa: E402

CPU = torch.device("cpu")
SHAPE = (17, 20)


@pytest.fixture
def tree():
    return random_tree(np.random.default_rng(1), SHAPE, empty=0.0)


def test_targets_are_normalised_and_come_back_with_gain_and_shift(tree):
    volume = np.random.default_rng(0).normal(300, 20, SHAPE)
    drawn = samples(tree, volume, None, 250.0, CPU)
    weights = np.ones_like(drawn.targets) if drawn.weights is None else drawn.weights.numpy()
    targets = drawn.targets.numpy()
    assert np.average(targets, weights=weights) == pytest.approx(0, abs=1e-5)
    assert np.average(targets**2, weights=weights) == pytest.approx(1, rel=1e-4)
    blocks = tree.partition.to_blocks(volume)[tree.leaves]
    assert np.allclose(targets.T * drawn.gain + drawn.shift + 250, blocks, rtol=1e-5)
    assert np.abs(drawn.coordinates.numpy()).max() <= 1
    assert drawn.device == CPU


def test_cells_that_do_not_count_weigh_nothing_and_change_nothing(tree):
    rng = np.random.default_rng(0)
    volume, counts = rng.normal(0, 1, SHAPE), rng.random(SHAPE) < 0.7
    wild = np.where(counts, volume, 1e6)
    one, other = (samples(tree, values, counts, 0.0, CPU) for values in (volume, wild))
    assert (one.gain, one.shift) == pytest.approx((other.gain, other.shift))
    assert torch.allclose(one.means, other.means, atol=1e-4)
    assert float(one.weights.mean()) == pytest.approx(1)
    inside = tree.partition.to_blocks(counts)[tree.leaves].T
    assert not one.weights.numpy()[~inside].any()


@pytest.mark.parametrize("counts", [None, np.zeros(SHAPE, bool)])
def test_a_constant_and_nothing_at_all_have_a_gain_of_1(tree, counts):
    drawn = samples(tree, np.full(SHAPE, 7.0), counts, 7.0, CPU)
    assert drawn.gain == 1
    assert torch.isfinite(drawn.targets).all()
    assert torch.isfinite(drawn.means).all()


@pytest.mark.parametrize("points", [1, 30, 10**6])
def test_points_are_drawn_with_what_belongs_to_them(tree, points):
    drawn = samples(tree, np.indices(SHAPE).sum(0).astype(float), np.ones(SHAPE, bool), 0.0, CPU)
    cells = len(drawn.coordinates)
    coordinates, targets, weights = drawn.draw(points, torch.Generator().manual_seed(0))
    number = min(points, cells)
    assert coordinates.shape == (2, number)
    assert targets.shape == weights.shape == (len(tree.leaves), number)
    known = {tuple(c.tolist()): t for c, t in zip(drawn.coordinates, drawn.targets, strict=True)}
    for c, t in zip(coordinates.T, targets.T, strict=True):
        assert torch.equal(known[tuple(c.tolist())], t)
