"""Trees that kernels do not hold are refused, with the reason."""

import numpy as np
import pytest

from tests.models import random_tree
from tinc_codec.backends.triton.limits import LONGEST, WIDEST, refusal
from tinc_codec.tree.partition import partition
from tinc_codec.tree.structure import Level, Tree


def root(layers, width):
    return Tree(partition((8, 8, 8), 1), (Level(layers, (width,), np.ones(1, np.uint8)),))


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        (root(3, WIDEST + 1), "a layer of 33 is wider than 32"),
        (root(LONGEST + 1, 4), "a node has more than 6 layers"),
        (random_tree(np.random.default_rng(0), (16,), empty=1.0), "it has no networks"),
        (root(LONGEST, WIDEST), None),
    ],
)
def test_trees_that_kernels_do_not_hold_are_named(tree, why):
    assert refusal(tree) == why
