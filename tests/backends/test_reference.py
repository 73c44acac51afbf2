"""The reference in NumPy: with and without what the root gave before, and down to any lattice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.models import SHAPES, decoded, random_model
from tinc_codec.backends import reference
from tinc_codec.stream import model_section
from tinc_codec.stream.container import Container, Header, ModelKind
from tinc_codec.tree.node_layout import lay_out
from tinc_codec.tree.root_activations import RootActivations


@given(seed=st.integers(0, 2**32), shape=st.sampled_from(SHAPES))
def test_what_the_root_gave_before_changes_nothing(seed, shape):
    rng = np.random.default_rng(seed)
    model = random_model(rng, shape, "i4")
    layout, whole = lay_out(model), decoded(model)
    root = RootActivations(layout)
    indices = [rng.integers(0, n, int(rng.integers(1, 20))) for n in whole.shape]
    for _ in range(2):
        assert (reference.at_product(layout, indices, root) == whole[np.ix_(*indices)]).all()


def test_a_model_is_read_from_its_sections():
    model = random_model(np.random.default_rng(1), (17, 20), "u2")
    header = Header((17, 20), np.dtype("u2"), "C", ModelKind.SINE_TREE, False)
    layout = reference.unpack_model(Container(header, model_section.pack(model)), (17, 20))
    assert (decoded(layout.model) == decoded(model)).all()
