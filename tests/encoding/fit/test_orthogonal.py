"""Orthogonal steps of weight matrices."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tinc_codec.encoding.fit import network, orthogonal  # noqa: E402
from tinc_codec.tree.partition import partition  # noqa: E402
from tinc_codec.tree.structure import Level, Tree  # noqa: E402


def _tree():
    """A root of width 5 and eight leaves of width 3."""
    levels = (Level(2, (5,), np.ones(1, np.uint8)), Level(1, (3,), np.ones(8, np.uint8)))
    return Tree(partition((32, 32, 32), 2), levels)


def _random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(1, 3, 24), (4, 24, 24), (6, 5, 16), (1, 1, 7)])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_all_singular_values_become_about_1_whatever_the_size(shape, size):
    u, _, v = torch.linalg.svd(_random(*shape), full_matrices=False)
    matrices = u * torch.linspace(1, 0.1, shape[-2]) @ v
    values = torch.linalg.svdvals(orthogonal.orthogonal(matrices * size))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_directions_of_matrices_are_kept():
    matrices = _random(3, 4, 9)
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    nearest = u @ v
    cosine = (orthogonal.orthogonal(matrices) * nearest).sum((1, 2)) / 4
    assert (cosine > 0.7).all()


def test_a_gradient_of_0_moves_nothing():
    assert not orthogonal.orthogonal(torch.zeros(2, 3, 4)).any()


def test_places_are_the_weights_of_sine_layers_each_once():
    tree = _tree()
    parts = network.index(tree, torch.device("cpu"))
    groups = orthogonal.places(tree, parts)
    numbers = torch.cat([group.flatten() for group in groups]).tolist()
    expected = {
        number
        for tensor, (weights, _) in zip(tree.tensors, parts.slices, strict=True)
        if not tensor.linear
        for number in range(weights.start, weights.stop)
    }
    assert sorted(numbers) == sorted(expected)
    assert all(group.shape[1] <= group.shape[2] for group in groups)
    assert len(groups) < len(tree.tensors)  # those of a shape together


def test_columns_of_a_place_are_those_of_the_matrix_or_of_its_transpose():
    tree = _tree()
    parts = network.index(tree, torch.device("cpu"))
    first = tree.tensors[0]
    numbers = torch.arange(first.weights).view(first.nodes, first.rows, first.columns)
    assert first.rows > first.columns
    assert any(torch.equal(group[: first.nodes], numbers.mT) for group in orthogonal.places(tree, parts))


def test_chunks_of_a_batch_move_as_alone():
    tree = _tree()
    parts = network.index(tree, torch.device("cpu"))
    places, count = orthogonal.places(tree, parts), parts.kinds.numel()
    rate = torch.tensor(0.1, dtype=torch.float64)

    def moved(start, gradients):
        parameters = start.clone()
        directions = orthogonal.Directions(parameters, places)
        for gradient in gradients:
            directions.step(gradient.clone(), rate)
        return parameters

    start = _random(2, count)
    gradients = [_random(2, count, seed=seed) for seed in (1, 2)]
    together = moved(start, gradients)
    for number in range(2):
        rows = slice(number, number + 1)
        torch.testing.assert_close(together[rows], moved(start[rows], [each[rows] for each in gradients]))
    assert not torch.equal(together, start)


def test_what_matrices_have_done_is_taken_from_the_gradient_and_nothing_else():
    tree = _tree()
    parts = network.index(tree, torch.device("cpu"))
    places = orthogonal.places(tree, parts)
    parameters, gradient = torch.zeros(1, parts.kinds.numel()), torch.ones(1, parts.kinds.numel())
    orthogonal.Directions(parameters, places).step(gradient, torch.tensor(0.1))
    of_matrices = torch.cat([group.flatten() for group in places])
    assert not gradient[0, of_matrices].any()
    assert (parameters[0, of_matrices] < 0).all()
    others = torch.ones(parts.kinds.numel(), dtype=torch.bool)
    others[of_matrices] = False
    assert (gradient[0, others] == 1).all()
    assert not parameters[0, others].any()
