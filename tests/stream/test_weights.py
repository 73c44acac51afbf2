"""Weights as the compiled decoder takes them, and as constriction does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import random_model
from tinc_codec import set_process
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import weights
from tinc_codec.stream.container import Container, Header, ModelKind, Section
from tinc_codec.stream.entropy import TABLES, Encoder, laplace_frequencies
from tinc_codec.stream.fields import Writer

numba = pytest.importorskip("numba")

from tinc_codec.stream import weights_numba  # noqa: E402


def packed(model, shape, version=3):
    sections = weights.pack(model)
    if version < 3:
        sections = before_lanes(model, sections)
    return Container(Header(shape, model.dtype, "C", ModelKind.SINE_TREE, False), sections)


def before_lanes(model, sections):
    """The sections as format versions 1 and 2 have them, which nothing writes any more."""
    encoder = Encoder()
    weights._pack_tree(model.tree, Writer(), encoder)
    for tensor, layer in zip(model.tree.tensors, model.layers, strict=True):
        weights._pack_layer(tensor, layer, Writer(), encoder)
    rest = {kind: data for kind, data in sections.items() if kind != Section.WEIGHT_LANES}
    return {**rest, Section.WEIGHTS: encoder.bytes()}


@given(seed=st.integers(0, 2**32 - 1), axes=st.integers(1, 3), version=st.integers(2, 3))
def test_both_decoders_take_the_same_parameters_and_give_what_was_packed(seed, axes, version):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(8, 40, axes))
    model = random_model(rng, shape, "u2")
    for decoder in ("numba", "numpy"):
        set_process(decoder=decoder)
        found = weights.unpack(packed(model, shape, version), shape).parameters
        for name, values in vars(model.parameters).items():
            assert getattr(found, name).dtype == values.dtype
            np.testing.assert_array_equal(getattr(found, name), values)


@given(table=st.integers(0, TABLES - 1), largest=st.integers(1, 2047), bits=st.integers(6, 12))
def test_compiled_tables_are_those_of_the_encoder(table, largest, bits):
    cumulated, tail = np.zeros(4096, np.uint64), np.zeros(2047, np.int64)
    first = np.zeros(1 << bits, np.int32)
    weights_numba.laplace(table, largest, tail, cumulated, first)
    expected = np.concatenate([[0], np.cumsum(laplace_frequencies(table, largest))])
    np.testing.assert_array_equal(cumulated[: len(expected)], expected)
    begins = np.arange(len(first)) << (24 - bits)
    np.testing.assert_array_equal(first, np.searchsorted(expected, begins, side="right") - 1)


@pytest.mark.parametrize("decoder", ["numba", "numpy"])
def test_sums_beyond_exact_float32_are_refused_whoever_decodes(decoder):
    set_process(decoder=decoder)
    model = random_model(np.random.default_rng(0), (8, 8), "u2", empty=0.0)
    layer = model.layers[0]
    layer.weights[:] = 2047
    layer.biases[:] = 2047
    model.parameters.multipliers[0] = 2**23
    del vars(model)["layers"]
    with pytest.raises(CorruptStreamError, match="sums of tensor 0 reach"):
        weights.unpack(packed(model, (8, 8)), (8, 8))


@pytest.mark.parametrize("decoder", ["numba", "numpy"])
@pytest.mark.parametrize("version", [2, 3])
def test_words_that_no_encoder_wrote_are_refused(decoder, version):
    set_process(decoder=decoder)
    model = random_model(np.random.default_rng(1), (32, 32), "u2", empty=0.0)
    container = packed(model, (32, 32), version)
    section = Section.WEIGHTS if version < 3 else Section.WEIGHT_LANES
    container.sections[section] = b"\x7f" * 3 * (version > 2) + b"\xff" * 4096
    with pytest.raises(CorruptStreamError):
        weights.unpack(container, (32, 32))


def test_weights_in_two_codes_are_refused():
    model = random_model(np.random.default_rng(1), (32, 32), "u2")
    container = packed(model, (32, 32))
    container.sections[Section.WEIGHTS] = b""
    with pytest.raises(CorruptStreamError, match="two sections with weights"):
        weights.unpack(container, (32, 32))
