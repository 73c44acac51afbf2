"""The tree of small networks: a leaf's function is the composition of the layers on its path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import SHAPES, random_tree
from tinc_codec.tree.partition import fold, partition
from tinc_codec.tree.structure import NO_NETWORK, Level, Tensor, Tree, paired


def random(seed, shape, **settings):
    return random_tree(np.random.default_rng(seed), fold(shape), **settings)


def path(tree, leaf):
    """The nodes above a leaf, root first, each by its level and number."""
    part = tree.partition
    for level in range(part.levels):
        yield level, leaf // (part.nodes(part.levels - 1) // part.nodes(level))


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES), classes=st.integers(1, 3))
def test_every_leaf_is_evaluated_along_its_own_path(seed, shape, classes):
    tree = random(seed, shape, classes=classes)
    tensors, owners = tree.tensors, {}
    for plans in tree.plan:
        for plan in plans:
            for source in plan.sources:
                owners[source.tensor] = source.nodes
            for tensor in plan.tensors:
                owners[tensor] = plan.nodes

    def layer(number, x):
        """Paths so far, with the node of this tensor that each goes through."""
        above = np.repeat(x, tensors[number].nodes // len(x), 0)  # several nodes of a parent are neighbours
        node = zip(above, owners[number].tolist(), strict=True)
        return np.fromiter(((*way, (tensors[number].level, here)) for way, here in node), object)

    if not len(tree.leaves):
        return
    outputs = tree.evaluate(np.fromiter([()], object), layer, np.concatenate)
    assert len(outputs) == len(tree.leaves)
    for leaf, nodes in zip(tree.leaves.tolist(), outputs.tolist(), strict=True):
        assert list(dict.fromkeys(nodes)) == list(path(tree, leaf))


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_counts_are_those_of_the_tensors(seed, shape):
    tree = random(seed, shape)
    assert tree.parameters == sum(t.weights + t.biases for t in tree.tensors)
    assert sorted(tree.leaves.tolist()) == np.flatnonzero(tree.levels[-1].classes != NO_NETWORK).tolist()
    assert tree.weights_begin[-1] == sum(t.nodes * t.rows * paired(t.columns) for t in tree.tensors)
    assert tree.biases_begin[-1] == sum(t.biases for t in tree.tensors)
    assert tree.products == sum(t.weights for t in tree.tensors) * np.prod(tree.partition.leaf_shape)
    assert sum(t.linear for t in tree.tensors) == len(tree.plan[-1])


def test_a_tree_without_networks_has_no_tensors():
    part = partition((16, 16), 2)
    nothing = tuple(Level(1, (3,), np.zeros(part.nodes(level), np.uint8)) for level in range(part.levels))
    tree = Tree(part, nothing)
    assert (tree.tensors, tree.parameters, tree.products, len(tree.leaves)) == ((), 0, 0, 0)


@pytest.mark.parametrize(("columns", "even"), [(0, 0), (1, 2), (2, 2), (7, 8)])
def test_rows_are_pairs(columns, even):
    assert paired(columns) == even


def test_numbers_of_a_tensor():
    tensor = Tensor(1, 3, 4, 5, False)
    assert (tensor.weights, tensor.biases) == (60, 12)
