"""The tree in torch: its parameters in one vector, and what it evaluates to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from tests.models import SHAPES, random_tree  # noqa: E402
from tinc_codec.encoding.fit.network import LayeredTree, index, initial, initial_steps  # noqa: E402
from tinc_codec.tree.partition import fold  # noqa: E402

CPU = torch.device("cpu")


def tree_of(seed, shape=(17, 20), **settings):
    return random_tree(np.random.default_rng(seed), fold(shape), **{"empty": 0.1, **settings})


def drawn(tree, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return initial(tree, torch.arange(len(tree.leaves), dtype=torch.float32), generator)[None]


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_the_vector_holds_every_parameter_once(seed, shape):
    tree = tree_of(seed, shape)
    if not tree.tensors:
        return
    parts, theta = index(tree, CPU), drawn(tree)
    assert theta.shape[1] == len(parts.kinds) == tree.parameters == int(parts.counts.sum())
    seen = np.zeros(tree.parameters, int)
    for number, (weights, biases) in enumerate(parts.slices):
        tensor = tree.tensors[number]
        assert (weights.stop - weights.start, biases.stop - biases.start) == (tensor.weights, tensor.biases)
        assert set(parts.kinds[weights].tolist()) <= {2 * number}
        seen[weights] += 1
        seen[biases] += 1
    assert (seen == 1).all()
    assert torch.isfinite(initial_steps(parts, theta)).all()


def test_a_seed_draws_the_same_and_another_other_weights():
    tree = tree_of(1)
    assert torch.equal(drawn(tree, 3), drawn(tree, 3))
    assert not torch.equal(drawn(tree, 3), drawn(tree, 4))


def test_without_weights_each_leaf_gives_its_mean():
    tree = tree_of(1, classes=1)
    theta, parts = drawn(tree), index(tree, CPU)
    for number, (weights, _) in enumerate(parts.slices):
        if tree.tensors[number].linear:
            theta[:, weights] = 0
    output = LayeredTree(tree, parts)(theta, torch.rand(1, 2, 7))
    assert output.shape == (1, len(tree.leaves), 7)
    assert torch.equal(output[0], torch.arange(len(tree.leaves), dtype=torch.float32)[:, None].expand(-1, 7))


def test_a_small_tree_is_its_formula():
    tree = tree_of(2, (5,), levels=1, widest=3, classes=1, empty=0.0)
    theta, parts = drawn(tree), index(tree, CPU)
    x = torch.linspace(-1, 1, 9)[None]
    value = x
    for number, (weights, biases) in enumerate(parts.slices):
        tensor = tree.tensors[number]
        value = theta[0, weights].view(tensor.rows, tensor.columns) @ value + theta[0, biases].view(-1, 1)
        value = value if tensor.linear else torch.sin(value)
    assert torch.allclose(LayeredTree(tree, parts)(theta, x[None])[0], value, atol=1e-6)


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_chunks_of_a_batch_are_what_they_are_alone(seed):
    tree = tree_of(seed, levels=3, classes=2, empty=0.3)
    theta, coordinates = torch.cat([drawn(tree, each) for each in range(3)]), torch.rand(3, 2, 11)
    together = LayeredTree(tree, index(tree, CPU, 3))(theta, coordinates)
    for chunk in range(3):
        alone = LayeredTree(tree, index(tree, CPU))(theta[chunk : chunk + 1], coordinates[chunk : chunk + 1])
        assert torch.allclose(alone[0], together[chunk], rtol=0, atol=1e-6)


def test_values_are_spread_over_parameters_and_summed_by_kind_within_each_chunk():
    tree = tree_of(2)
    parts = index(tree, CPU, 2)
    values = torch.arange(parts.counts.numel(), dtype=torch.float32).view(parts.counts.shape)
    spread = parts.spread(values)
    assert spread.shape == (2, tree.parameters)
    assert torch.equal(parts.sums(spread), values * parts.counts)
