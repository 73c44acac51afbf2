"""A model that would not evaluate exactly is refused."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import SHAPES, random_model
from tinc_codec.errors import CorruptStreamError
from tinc_codec.tree.model import AMPLITUDE, Layer, Parameters


def test_sums_beyond_exact_float32_are_refused():
    model = random_model(np.random.default_rng(0), (8, 8), "u2", empty=0.0)
    model.layers[0].weights[:] = 2047
    model.layers[0].biases[:] = 2047
    object.__setattr__(model.layers[0], "multiplier", 2**22)
    with pytest.raises(CorruptStreamError, match="beyond exact float32"):
        model.check()


def test_an_offset_outside_the_range_is_refused():
    model = random_model(np.random.default_rng(0), (8, 8), "u2")
    for field in ("offset", "low"):
        with pytest.raises(CorruptStreamError, match="is not in the range"):
            dataclasses.replace(model, **{field: np.uint16(65535)}).check()


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_layers_come_back_from_the_parameters_that_they_were_joined_in(seed, shape):
    model = random_model(np.random.default_rng(seed), shape, "u2")
    again = Parameters.of(model.layers).split(model.tree)
    assert len(again) == len(model.tree.tensors)
    for layer, same, tensor in zip(model.layers, again, model.tree.tensors, strict=True):
        assert layer.weights.shape == same.weights.shape == (tensor.nodes, tensor.rows, tensor.columns)
        assert (layer.weights == same.weights).all()
        assert (layer.biases == same.biases).all()
        assert (layer.multiplier, layer.scale) == (same.multiplier, same.scale)
    assert model.nbytes >= model.parameters.weights.nbytes


def test_the_largest_sum_is_that_of_the_worst_activations():
    layer = Layer(np.array([[[3, -5]], [[0, 1]]]), np.array([[7], [-2]]), 10, 1.0)
    assert layer.largest_sum == 8 * AMPLITUDE + 70
    assert Layer(np.zeros((0, 1, 2)), np.zeros((0, 1)), 1, 1.0).largest_sum == 0


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf, 65.0])
def test_scales_that_make_no_sense_are_refused(scale):
    model = random_model(np.random.default_rng(0), (8, 8), "u2", empty=0.0)
    object.__setattr__(model.layers[0], "scale", scale)
    with pytest.raises(CorruptStreamError, match="tensor 0 has scale"):
        model.check()
