"""Weights as the compiled decoder takes them, and as constriction does."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import random_model, random_tree
from tinc_codec import set_process
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import model_section as weights
from tinc_codec.stream.container import Container, Header, ModelKind, Section
from tinc_codec.stream.entropy import TABLES, laplace_frequencies
from tinc_codec.tree.node_layout import lay_out

numba = pytest.importorskip("numba")

from tinc_codec.backends.choice import backend  # noqa: E402
from tinc_codec.backends.numba import model_section as model_numba  # noqa: E402
from tinc_codec.backends.numba import structure as structure_numba  # noqa: E402
from tinc_codec.backends.numba import weights as weights_numba  # noqa: E402


def packed(model, shape, lanes=None):
    return Container(Header(shape, model.dtype, "C", ModelKind.SINE_TREE, False), weights.pack(model, lanes))


def random_container(seed, axes, lanes, **tree):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(8, 40, axes))
    model = random_model(rng, shape, "u2", **tree)
    return model, packed(model, shape, lanes), shape


def unpacked(container, shape, decoder):
    set_process(decoder=decoder)
    return backend().unpack_model(container, shape)


def assert_same(one, other):
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one, other)


def assert_same_paths(one, other):
    for name in ("biases", "layers", "scales", "first", "count", "below", "network", "constants"):
        assert_same(getattr(one, name), getattr(other, name))
    for name in ("weights", "biases", "multipliers", "scales"):
        assert_same(getattr(one.model.parameters, name), getattr(other.model.parameters, name))
    assert_same(one.model.constants, other.model.constants)
    for name in ("dtype", "offset", "low", "high"):
        assert getattr(one.model, name) == getattr(other.model, name)
    assert one.model.tree.partition == other.model.tree.partition
    for level, same in zip(one.model.tree.levels, other.model.tree.levels, strict=True):
        assert (level.layers, level.widths) == (same.layers, same.widths)
        assert_same(level.classes, same.classes)


@given(
    seed=st.integers(0, 2**32 - 1),
    axes=st.integers(1, 3),
    lanes=st.booleans(),
    classes=st.integers(1, 4),
    empty=st.sampled_from([0.0, 0.2, 0.9, 1.0]),
)
def test_both_decoders_give_what_was_packed(seed, axes, lanes, classes, empty):
    model, container, shape = random_container(seed, axes, lanes, classes=classes, empty=empty)
    compiled = model_numba.unpack(container, shape)
    assert compiled is not None  # else the reference would do its work
    assert_same_paths(compiled, lay_out(model))
    assert_same_paths(unpacked(container, shape, "numpy"), lay_out(model))


@given(
    seed=st.integers(0, 2**16),
    lanes=st.booleans(),
    section=st.sampled_from([Section.TREE, Section.LAYERS, None]),
    at=st.floats(0, 1),
    byte=st.integers(0, 255),
    change=st.sampled_from(["alter", "insert", "remove", "end"]),
)
def test_damage_that_no_checksum_saw_is_refused_by_both_decoders_or_taken_alike(seed, lanes, section, at, byte, change):
    _, container, shape = random_container(seed, 2, lanes)
    section = section or (Section.WEIGHT_LANES if lanes else Section.WEIGHTS)
    data = bytearray(container.sections[section])
    place = min(int(at * len(data)), len(data) - 1)
    if change == "alter":
        data[place : place + 1] = [byte]
    elif change == "insert":
        data.insert(place, byte)
    else:
        del data[place : None if change == "end" else place + 1]
    container.sections[section] = bytes(data)
    try:
        expected = unpacked(container, shape, "numpy")
    except CorruptStreamError as error:
        with pytest.raises(CorruptStreamError, match=re.escape(str(error))):
            unpacked(container, shape, "numba")
        return
    assert_same_paths(unpacked(container, shape, "numba"), expected)


@given(seed=st.integers(0, 2**32 - 1), axes=st.integers(1, 4), classes=st.integers(1, 5), empty=st.floats(0, 1))
def test_the_compiled_plan_is_the_trees(seed, axes, classes, empty):
    rng = np.random.default_rng(seed)
    tree = random_tree(rng, tuple(int(n) for n in rng.integers(4, 40, axes)), 4, classes=classes, empty=empty)
    levels = [(v.layers, len(v.widths), tree.partition.nodes(n), 0) for n, v in enumerate(tree.levels)]
    widths = np.zeros((len(levels), classes + 1), np.int64)
    for number, level in enumerate(tree.levels):
        widths[number, 1 : len(level.widths) + 1] = level.widths
    joined = np.concatenate([level.classes for level in tree.levels])
    tensors, order = structure_numba.plan(axes, np.array(levels), widths, joined)
    planned = [(t[structure_numba.LEVEL], *t[structure_numba.MEMBERS :]) for t in tensors.tolist()]
    assert planned == [(t.level, t.nodes, t.rows, t.columns, t.linear) for t in tree.tensors]
    begin = len(joined) - len(tree.levels[-1].classes)
    assert order[begin : begin + len(tree.leaves)].tolist() == tree.leaves.tolist()


@given(table=st.integers(0, TABLES - 1), largest=st.integers(1, 2047), bits=st.integers(6, 12))
def test_compiled_tables_are_those_of_the_encoder(table, largest, bits):
    cumulated, first = np.zeros(2 * largest + 2, np.uint64), np.zeros(1 << bits, np.int32)
    weights_numba.laplace_table(table, largest, cumulated)
    weights_numba.look_up(cumulated, first)
    expected = np.concatenate([[0], np.cumsum(laplace_frequencies(table, largest))])
    np.testing.assert_array_equal(cumulated, expected)
    begins = np.arange(len(first)) << (24 - bits)
    np.testing.assert_array_equal(first, np.searchsorted(expected, begins, side="right") - 1)


def test_models_too_large_for_one_compiled_call_are_left_to_the_reference(monkeypatch):
    model, container, shape = random_container(3, 2, True)
    monkeypatch.setattr(model_numba, "unpack", lambda *_: None)
    assert_same_paths(unpacked(container, shape, "numba"), lay_out(model))


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
