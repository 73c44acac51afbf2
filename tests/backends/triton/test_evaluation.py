"""Fused trees equal those that are evaluated layer by layer, forwards and backwards; through Triton's interpreter."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from tests.backends.torch.trees import (  # noqa: E402
    CPU,
    TREES,
    assert_as_single_layers,
    drawn,
    gradient_of,
    root,
    several,
)
from tinc_codec.backends.triton.evaluation import fused_tree  # noqa: E402
from tinc_codec.backends.triton.limits import refusal  # noqa: E402


@pytest.mark.parametrize("name", TREES)
def test_a_fused_tree_is_that_of_single_layers(name):
    tree, points, chunks = TREES[name]
    assert refusal(tree) is None
    assert_as_single_layers(fused_tree(tree, CPU), tree, points, chunks)


def test_a_chunk_is_the_same_beside_any_others():
    tree = several(3, levels=2, widest=9)
    theta, coordinates = drawn(tree, 70, 3)
    fused = fused_tree(tree, CPU)
    together = fused(theta, coordinates)
    for chunk in range(3):
        alone = fused(theta[chunk : chunk + 1], coordinates[chunk : chunk + 1])
        assert torch.equal(alone[0], together[chunk])


def test_gradients_are_the_same_at_every_run_and_beside_any_others():
    tree, points = root(3, 3, 12), 200
    theta, coordinates = drawn(tree, points, 2)
    pull = torch.rand((2, 1, points))

    def gradient(chunks):
        return gradient_of(fused_tree(tree, CPU), theta[chunks], coordinates[chunks], pull[chunks])

    together = gradient(slice(None))
    assert torch.equal(gradient(slice(None)), together)
    assert torch.equal(gradient(slice(1, 2))[0], together[1])
