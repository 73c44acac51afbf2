"""A tree cut into chains: every node's layers are in one of them, and read what its parent wrote."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import SHAPES, random_tree
from tinc_codec.tree.chains import chains
from tinc_codec.tree.partition import fold


def by_chains(tree, theta, coordinates):
    """Evaluate a tree by its chains, node by node."""
    cut = chains(tree)
    slots = [coordinates[None], *(np.full((s.nodes, s.width, coordinates.shape[1]), np.nan) for s in cut.slots[1:])]
    for chain in cut.chains:
        for node in range(chain.nodes):
            x = slots[chain.source][chain.parents[node]]
            for layer in range(chain.layers + chain.linear):
                last = layer == chain.layers
                rows, columns = 1 if last else chain.width, chain.width if layer else chain.columns
                weights = chain.offsets[layer, 0] + node * rows * columns
                biases = chain.offsets[layer, 1] + node * rows
                sums = theta[weights : weights + rows * columns].reshape(rows, columns) @ x
                sums += theta[biases : biases + rows, None]
                x = sums if last else np.sin(sums)
            slots[chain.target][chain.first + node] = x
    return slots[-1]


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_chains_are_the_tree(seed, shape):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, fold(shape), levels=3)
    if not len(tree.leaves):
        return
    theta = rng.normal(size=tree.parameters)
    coordinates = rng.uniform(-1, 1, (len(tree.partition.shape), 3))
    begins = np.cumsum([0, *(t.weights + t.biases for t in tree.tensors)])

    def layer(number, x):
        t = tree.tensors[number]
        w = theta[begins[number] : begins[number] + t.weights].reshape(len(x), -1, t.columns)
        b = theta[begins[number] + t.weights : begins[number + 1]].reshape(len(x), -1, 1)
        sums = (w @ x + b).reshape(t.nodes, t.rows, -1)
        return sums if t.linear else np.sin(sums)

    expected = tree.evaluate(coordinates[None], layer, np.concatenate)
    np.testing.assert_allclose(by_chains(tree, theta, coordinates), expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_every_parameter_has_one_place_of_its_own(seed, shape):
    tree = random_tree(np.random.default_rng(seed), fold(shape), levels=3)
    if not len(tree.leaves):
        return
    cut = chains(tree).chains
    places = np.concatenate([chain.places for chain in cut])
    assert (np.sort(places) == np.arange(tree.parameters)).all()
    for chain in cut:
        for weights, biases, own_weights, own_biases in chain.offsets:
            assert (chain.places[own_weights], chain.places[own_biases]) == (weights, biases)
        assert (np.diff(chain.parents) >= 0).all()
