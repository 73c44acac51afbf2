import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.tree.partition import MINIMUM_BLOCK, fold, partition

shapes = st.lists(st.integers(1, 70), min_size=1, max_size=3).map(tuple) | st.tuples(*[st.integers(1, 18)] * 4)


def assembled(part, blocks):
    """The volume of blocks, by the decoder that has them."""
    torch = pytest.importorskip("torch")
    from tinc_codec.backends.torch.inference import from_blocks

    return from_blocks(torch.from_numpy(blocks), part).numpy()


@given(shape=shapes, levels=st.integers(1, 6))
def test_blocks_assemble_to_the_volume_they_were_cut_from(shape, levels):
    part = partition(shape, levels)
    volume = np.arange(np.prod(shape)).reshape(shape)
    blocks = part.to_blocks(volume)
    assert blocks.shape == (np.prod(part.leaf_grid), np.prod(part.leaf_shape))
    assert (assembled(part, blocks) == volume).all()


@given(shape=shapes, levels=st.integers(1, 6))
def test_every_voxel_belongs_to_one_valid_cell(shape, levels):
    part = partition(shape, levels)
    valid = part.valid_cells()
    blocks = part.to_blocks(np.arange(np.prod(shape)).reshape(shape))
    seen = blocks.ravel() if valid is None else blocks[valid]
    assert sorted(seen.tolist()) == list(range(int(np.prod(shape))))


@given(shape=shapes, levels=st.integers(1, 6))
def test_blocks_keep_about_eight_voxels(shape, levels):
    part = partition(shape, levels)
    for size, grid in zip(shape, part.leaf_grid, strict=True):
        assert grid == 1 or size // grid >= MINIMUM_BLOCK - 1


@given(shape=shapes, levels=st.integers(2, 6))
def test_children_lie_inside_their_parent(shape, levels):
    part = partition(shape, levels)
    for level in range(1, part.levels):
        above = np.repeat(part.coordinates(level - 1), part.fanout(level), axis=0)
        here = part.coordinates(level)
        halved = np.array(part.splits[level - 1])
        assert (np.where(halved, here // 2, here) == above).all()


def test_a_large_anisotropic_chunk():
    part = partition((24, 1116, 627), 6)
    assert part.leaf_grid == (2, 32, 32)
    assert part.leaf_shape == (12, 35, 20)
    volume = np.random.default_rng(0).integers(0, 9, part.shape, np.uint8)
    assert (assembled(part, part.to_blocks(volume)) == volume).all()


@pytest.mark.parametrize(
    ("shape", "folded"),
    [
        ((), (1,)),
        ((1, 1), (1,)),
        ((5, 1, 7), (5, 7)),
        ((2, 3, 4, 5, 6), (6, 4, 5, 6)),
        ((1, 2, 3, 2, 2, 2), (6, 2, 2, 2)),
    ],
)
def test_fold(shape, folded):
    assert fold(shape) == folded
