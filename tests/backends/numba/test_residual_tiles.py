"""Tiles decoded by numba are those of the reference, down to any lattice, under any mask, and from damaged code."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models import random_residual
from tinc_codec.backends import reference
from tinc_codec.errors import CorruptStreamError
from tinc_codec.residual.section import unpack as unpack_residual
from tinc_codec.stream.container import Section, unpack
from tinc_codec.tree.partition import fold

pytest.importorskip("numba")

from tinc_codec.backends.numba import backend as compiled

SHAPES = [(40,), (9, 10), (1, 33), (5, 8, 9), (3, 4, 5, 6)]


def outcome(decoder, *arguments):
    try:
        return decoder.decode(*arguments).tolist()
    except CorruptStreamError:
        return None


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    shape=st.sampled_from(SHAPES),
    width=st.sampled_from([1, 5]),
    level=st.integers(0, 3),
    masked=st.booleans(),
    flip=st.none() | st.integers(0, 10**6),
)
def test_both_decode_the_same_or_refuse_the_same(seed, shape, width, level, masked, flip):
    rng = np.random.default_rng(seed)
    container = unpack(random_residual(rng, shape, "u2", "C", width, model=False)[0])
    parameters, (code, *_) = unpack_residual(container.section(Section.RESIDUAL), fold(shape), np.dtype("u2"))
    level = min(level, parameters.levels)
    if flip is not None and code:
        code = bytearray(code)
        code[flip % len(code)] ^= 1 << flip % 8
    base = np.full(fold(shape), float(parameters.start))
    mask = rng.random(base.shape) < 0.8 if masked else None
    decoders = [backend.tile_decoder(parameters) for backend in (reference, compiled)]
    one, other = (outcome(decoder, bytes(code), base, mask, level) for decoder in decoders)
    assert one == other
    assert one is not None or masked or flip is not None
