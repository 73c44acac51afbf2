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
from tinc_codec.stream.entropy import TABLES, laplace_frequencies

numba = pytest.importorskip("numba")

from tinc_codec.stream import weights_numba  # noqa: E402


def packed(model, shape, lanes=None):
    return Container(Header(shape, model.dtype, "C", ModelKind.SINE_TREE, False), weights.pack(model, lanes))


@given(seed=st.integers(0, 2**32 - 1), axes=st.integers(1, 3), lanes=st.booleans())
def test_both_decoders_take_the_same_parameters_and_give_what_was_packed(seed, axes, lanes):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(8, 40, axes))
    model = random_model(rng, shape, "u2")
    for decoder in ("numba", "numpy"):
        set_process(decoder=decoder)
        found = weights.unpack(packed(model, shape, lanes), shape).parameters
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
@pytest.mark.parametrize("lanes", [False, True])
def test_words_that_no_encoder_wrote_are_refused(decoder, lanes):
    set_process(decoder=decoder)
    model = random_model(np.random.default_rng(1), (32, 32), "u2", empty=0.0)
    container = packed(model, (32, 32), lanes)
    section = Section.WEIGHT_LANES if lanes else Section.WEIGHTS
    container.sections[section] = b"\x7f" * 3 * lanes + b"\xff" * 4096
    with pytest.raises(CorruptStreamError):
        weights.unpack(container, (32, 32))


@pytest.mark.parametrize(("widest", "section"), [(5, Section.WEIGHTS), (60, Section.WEIGHT_LANES)])
def test_lanes_are_for_models_that_pay_for_them(widest, section):
    model = random_model(np.random.default_rng(4), (64, 64), "u2", widest=widest, empty=0.0)
    assert (model.tree.parameters >= weights.WORTH_LANES) == (section == Section.WEIGHT_LANES)
    assert section in weights.pack(model)
    more, fewer = (sum(map(len, weights.pack(model, lanes).values())) for lanes in (True, False))
    assert fewer - 4 <= more <= fewer + 24


def test_weights_in_two_codes_are_refused():
    model = random_model(np.random.default_rng(1), (32, 32), "u2")
    container = packed(model, (32, 32), lanes=True)
    container.sections[Section.WEIGHTS] = b""
    with pytest.raises(CorruptStreamError, match="two sections with weights"):
        weights.unpack(container, (32, 32))
