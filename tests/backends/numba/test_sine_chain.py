"""Chains of sine layers, compiled, are single layers; sums of gradients are the same however many threads there are."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("numba")

from tests.backends.torch.trees import (  # noqa: E402
    TREES,
    assert_as_single_layers,
    drawn,
    gradient_of,
    root,
    several,
)
from tinc_codec import set_process  # noqa: E402
from tinc_codec.backends.numba import sine_chain, training  # noqa: E402
from tinc_codec.backends.numba.sine_kernel import TILE  # noqa: E402
from tinc_codec.backends.torch.compiled import compiled_tree  # noqa: E402


@pytest.mark.parametrize("name", TREES)
def test_compiled_chains_are_single_layers(name):
    tree, points, chunks = TREES[name]
    assert sine_chain.refusal(tree) is None
    assert_as_single_layers(compiled_tree(tree, training), tree, points, chunks)


@pytest.mark.parametrize("points", [1, TILE - 1, TILE, TILE + 1, 20 * TILE + 5])
def test_any_number_of_points(points):
    tree = root(3, 3, 11)
    assert_as_single_layers(compiled_tree(tree, training), tree, points, 2)


@pytest.mark.parametrize("width", [24, 33, sine_chain.WIDEST])
def test_widths_that_are_a_few_rows_more_than_registers_hold(width):
    tree = root(3, 4, width)
    assert_as_single_layers(compiled_tree(tree, training), tree, 300, 1)


@pytest.mark.parametrize("tree", [root(3, 3, 12), several(3, levels=3, widest=9, classes=2, empty=0.3)])
def test_gradients_are_the_same_with_any_threads_and_beside_any_others(tree, monkeypatch):
    monkeypatch.setattr(sine_chain, "_WORTH", 1.0)  # all of it is shared
    theta, coordinates = drawn(tree, 3000, 2)
    pull = torch.rand((2, len(tree.leaves), 3000))
    evaluate = compiled_tree(tree, training)
    set_process(threads=3)
    together = gradient_of(evaluate, theta, coordinates, pull)
    set_process(threads=1)
    assert torch.equal(gradient_of(evaluate, theta, coordinates, pull), together)
    assert torch.equal(gradient_of(evaluate, theta[1:], coordinates[1:], pull[1:])[0], together[1])


def test_trees_that_are_wide_or_have_no_networks_are_refused():
    assert sine_chain.refusal(root(2, 2, 65)) == "a layer of 65 is wider than 64"
    assert sine_chain.refusal(several(0, empty=1.0)) == "it has no networks"
