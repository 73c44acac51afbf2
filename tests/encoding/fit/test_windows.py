"""Windows of a chunk's leaves: their sizes, and that they are what the leaves hold there."""

import numpy as np
import pytest

pytest.importorskip("torch")

from tinc_codec.encoding.fit.windows import Windows, window_shape
from tinc_codec.tree.partition import partition
from tinc_codec.tree.structure import Level, Tree


def windows(volume, limit):
    tree = Tree(partition(volume.shape, 1), (Level(4, (3,), np.ones(1, np.uint8)),))
    return Windows.of(tree, volume, limit)


@pytest.mark.parametrize(
    ("leaf", "leaves", "limit", "shape"),
    [
        ((64, 64, 64), 1, 2**15, (32, 32, 32)),
        ((100,), 1, 2**15, (100,)),
        ((4, 300, 300), 1, 2**12, (4, 19, 38)),
        ((32, 32, 32), 8, 2**15, (16, 16, 16)),
        ((8, 8), 64, 10, (8, 8)),
    ],
)
def test_windows_have_the_voxels_that_a_step_may_have(leaf, leaves, limit, shape):
    assert window_shape(leaf, leaves, limit) == shape


@pytest.mark.parametrize(("shape", "voxels"), [((20, 30), 100), ((9, 40, 17), 700)])
def test_a_coarse_volume_has_the_means_and_is_one_window(shape, voxels):
    given = windows(np.random.default_rng(0).normal(5, 2, shape), 2**20)
    coarse = given.coarse(voxels)
    assert coarse.shape == tuple(coarse.leaves.shape[1:])
    assert coarse.leaves.numel() <= voxels
    assert coarse.halvings != given.halvings
    assert [-(-n // 2**k) for n, k in zip(shape, coarse.halvings, strict=True)] == list(coarse.shape)
    assert coarse.share == 1.0
    assert coarse.voxels == coarse.leaves.numel()


def test_a_power_of_2_scales_what_samples_stand_for():
    given = windows(np.random.default_rng(0).normal(5, 2, (12, 13)), 2**20)
    larger = given.times_power(3)
    assert (larger.gain, larger.mean) == (8 * given.gain, 8 * given.mean)
    assert (larger.leaves == given.leaves).all()
