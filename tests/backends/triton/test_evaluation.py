"""Fused trees equal those that are evaluated layer by layer, forwards and backwards; through Triton's interpreter."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")

from tests.models import random_tree  # noqa: E402
from tinc_codec.backends.triton.limits import refusal  # noqa: E402
from tinc_codec.backends.triton.evaluation import fused_tree  # noqa: E402
from tinc_codec.encoding.fit import network  # noqa: E402
from tinc_codec.tree.partition import fold, partition  # noqa: E402
from tinc_codec.tree.structure import Level, Tree  # noqa: E402

CPU = torch.device("cpu")


def root(axes, layers, width):
    return Tree(partition((8,) * axes, 1), (Level(layers, (width,), np.ones(1, np.uint8)),))


def several(seed, **settings):
    """Levels whose nodes have classes, some of them empty, and parents of several classes."""
    return random_tree(np.random.default_rng(seed), fold((17, 20)), **settings)


TREES = {
    "root of 1": (root(1, 1, 1), 70, 1),
    "root of 7, two layers": (root(3, 2, 7), 100, 3),
    "root of 13, four layers": (root(3, 4, 13), 64, 2),
    "root of 31, six layers": (root(2, 6, 31), 37, 1),
    "two levels": (several(1, levels=2, widest=17, classes=1, empty=0.0), 9, 2),
    "classes and gaps": (several(3, levels=3, widest=9, classes=2, empty=0.3), 5, 2),
    "wide parents": (several(5, levels=2, widest=32, classes=3, empty=0.1), 33, 1),
}


def drawn(tree, points, chunks):
    generator = torch.Generator().manual_seed(7)
    means = torch.linspace(-1, 1, len(tree.leaves))
    theta = torch.stack([network.initial(tree, means, generator) for _ in range(chunks)])
    return theta, torch.rand((chunks, len(tree.partition.shape), points), generator=generator) * 2 - 1


def value_and_gradient(evaluate, theta, coordinates):
    theta = theta.clone().requires_grad_()
    outputs = evaluate(theta, coordinates)
    pull = torch.cos(torch.arange(outputs.numel(), dtype=torch.float32)).view(outputs.shape)
    (outputs * pull).sum().backward()
    return outputs.detach(), theta.grad


@pytest.mark.parametrize("name", TREES)
def test_a_fused_tree_is_that_of_single_layers(name):
    tree, points, chunks = TREES[name]
    assert refusal(tree) is None
    theta, coordinates = drawn(tree, points, chunks)
    parts = network.index(tree, CPU, chunks)
    expected, gradient = value_and_gradient(network.LayeredTree(tree, parts), theta, coordinates)
    outputs, fused = value_and_gradient(fused_tree(tree, CPU), theta, coordinates)
    assert outputs.shape == (chunks, len(tree.leaves), points)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(fused, gradient, rtol=2e-5, atol=2e-6 * float(gradient.abs().max()))


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
        given = theta[chunks].clone().requires_grad_()
        (fused_tree(tree, CPU)(given, coordinates[chunks]) * pull[chunks]).sum().backward()
        return given.grad

    together = gradient(slice(None))
    assert torch.equal(gradient(slice(None)), together)
    assert torch.equal(gradient(slice(1, 2))[0], together[1])
