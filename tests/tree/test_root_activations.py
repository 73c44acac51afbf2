"""What the root gave is kept where that is worth it, and is what it would give again."""

import numpy as np
import pytest

from tests.models import random_model
from tinc_codec.tree.node_layout import lay_out
from tinc_codec.tree.pieces import product
from tinc_codec.tree.root_activations import FEWEST, RootActivations


def piece(model, shape):
    (only,) = product(model.tree.partition, [np.arange(n) for n in shape]).pieces()
    return only


@pytest.fixture
def model():
    return random_model(np.random.default_rng(1), (16, 16), "u2", levels=2, empty=0.0)


def counting(calls):
    def evaluate(coordinates):
        calls.append(coordinates.shape)
        return np.full((3, coordinates.shape[1]), 7.0)

    return evaluate


def test_the_same_coordinates_are_evaluated_once(model):
    root, calls = RootActivations(lay_out(model)), []
    one = piece(model, (16, 16))
    first = root.of(one, counting(calls))
    assert root.of(one, counting(calls)) is first
    assert len(calls) == 1
    assert first.dtype == np.int16
    assert root.nbytes >= first.nbytes


def test_few_coordinates_and_a_root_that_is_a_leaf_are_not_kept(model):
    few = piece(model, (1, 2))
    assert len(few.offsets) < FEWEST
    root = RootActivations(lay_out(model))
    assert root.of(few, counting([])) is None
    assert root.nbytes == 0
    alone = random_model(np.random.default_rng(1), (16, 16), "u2", levels=1, empty=0.0)
    assert RootActivations(lay_out(alone)).of(piece(alone, (16, 16)), counting([])) is None
