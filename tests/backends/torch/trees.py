"""Trees that are evaluated chain by chain, and their values and gradients."""

import numpy as np
import torch

from tests.models import random_tree
from tinc_codec.encoding.fit import network
from tinc_codec.tree.partition import fold, partition
from tinc_codec.tree.structure import Level, Tree

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
"""Each with points and chunks."""


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


def assert_as_single_layers(evaluate, tree, points, chunks):
    """What is evaluated chain by chain is what single layers give, forwards and backwards."""
    theta, coordinates = drawn(tree, points, chunks)
    layered = network.LayeredTree(tree, network.index(tree, CPU, chunks))
    expected, gradient = value_and_gradient(layered, theta, coordinates)
    outputs, chained = value_and_gradient(evaluate, theta, coordinates)
    assert outputs.shape == (chunks, len(tree.leaves), points)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(chained, gradient, rtol=2e-5, atol=2e-6 * float(gradient.abs().max()))


def gradient_of(evaluate, theta, coordinates, pull):
    given = theta.clone().requires_grad_()
    (evaluate(given, coordinates) * pull).sum().backward()
    return given.grad
