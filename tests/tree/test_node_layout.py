"""A model node by node: each leaf's path holds the layers that its tensors hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.models import SHAPES, random_model
from tinc_codec.tree.node_layout import lay_out
from tinc_codec.tree.structure import NO_NETWORK


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_every_node_has_the_layers_of_its_tensors(seed, shape):
    model = random_model(np.random.default_rng(seed), shape, "i4")
    layout, tree = lay_out(model), model.tree
    seen = 0
    for number, level in enumerate(tree.levels):
        tensors = [t for t in tree.tensors if t.level == number]
        for node, klass in enumerate(level.classes.tolist()):
            begin = layout.first[number] + node * layout.count[number]
            rows = layout.layers[begin : begin + layout.count[number]]
            if klass == NO_NETWORK:
                assert not rows.any()
                continue
            assert (rows[: level.layers, 2] == level.widths[klass - 1]).all()
            assert (rows[1:, 3] == level.widths[klass - 1]).all()
            seen += len(rows)
        assert sum(t.nodes for t in tensors) == np.count_nonzero(
            layout.layers[layout.first[number] :, 2][: len(level.classes) * layout.count[number]]
        )
    assert seen == sum(t.nodes for t in tree.tensors)


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_weights_and_biases_lie_where_the_layout_says(seed, shape):
    model = random_model(np.random.default_rng(seed), shape, "u1", empty=0.0, classes=1)
    layout = lay_out(model)
    for number, layer in enumerate(model.layers):
        tensor = model.tree.tensors[number]
        first = layout.layers[layout.layers[:, 0] == model.tree.weights_begin[number]]
        assert (first[:, 2:] == (tensor.rows, tensor.columns)).any(1).all()
        biases = layout.biases[model.tree.biases_begin[number] : model.tree.biases_begin[number + 1]]
        assert (biases.reshape(layer.biases.shape) == layer.biases * layer.multiplier).all()
    assert layout.weights is model.parameters.weights


def test_leaves_without_a_network_have_their_constants():
    model = random_model(np.random.default_rng(3), (40, 40), "f4", empty=0.4)
    layout = lay_out(model)
    assert not layout.network.all()
    assert np.flatnonzero(layout.network).tolist() == sorted(model.tree.leaves.tolist())
    assert (layout.constants[~layout.network] == model.constants).all()
    assert layout.below.tolist() == [len(layout.network) // model.tree.partition.nodes(n) for n in range(3)]
    assert layout.nbytes > model.nbytes
