"""A sine tree as a predictor: what it says of itself, and what its root gave is kept."""

import numpy as np

from tests.models import decoded, random_model
from tinc_codec import set_process
from tinc_codec.decoding.predictors.sine_tree import SineTree
from tinc_codec.tree.node_layout import lay_out

MODEL = random_model(np.random.default_rng(4), (40, 40), "u2", levels=3, classes=2, empty=0.2)


def test_it_describes_its_tree_level_by_level():
    described, tree = SineTree(lay_out(MODEL)).describe(), MODEL.tree
    assert (described.name, described.detail) == ("sine tree", None)
    assert described.leaf_shape == tree.partition.leaf_shape
    assert described.parameters == tree.parameters == sum(level.parameters for level in described.levels)
    for number, level in enumerate(described.levels):
        assert level.grid == tree.partition.grid(number)
        assert level.nodes == tree.partition.nodes(number) == sum(level.widths.values()) + level.constant
        assert level.layers == tree.levels[number].layers
    assert described.levels[-1].constant == len(MODEL.constants)


def test_whole_and_parts_are_the_models_and_the_root_is_evaluated_once():
    set_process(decoder="numpy")
    predictor, whole = SineTree(lay_out(MODEL)), decoded(MODEL)
    assert predictor.model is MODEL
    assert (predictor.whole() == whole).all()
    before = predictor.nbytes
    plane = [np.array([3]), np.arange(40)]
    assert (predictor.at_product(plane) == whole[3:4]).all()
    between = predictor.nbytes
    assert (predictor.at_product(plane) == whole[3:4]).all()
    assert before <= between == predictor.nbytes
    assert (predictor.at_points(np.array([[3, 39], [0, 1]])) == whole[[3, 39], [0, 1]]).all()
