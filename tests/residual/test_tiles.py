"""The residual's coder against the decoder that was written from FORMAT.md, and against damage."""

import contextlib
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import reference
from tests.models import random_residual
from tests.stream.test_container import sealed
from tinc_codec import decode
from tinc_codec.encoding.residual import encode as learning
from tinc_codec.encoding.residual import fit, volume
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import limits
from tinc_codec.stream.container import Section, unpack

DTYPES = ["u1", "<u2", ">u4", "u8", "i1", "i2", "i4", ">i8", "f2", "<f4", ">f8"]


@pytest.fixture
def small_parts(monkeypatch):
    """Tiles, weights and contexts as small volumes would never get."""
    monkeypatch.setattr(volume, "TILE_VOXELS", 150)
    monkeypatch.setattr(limits, "VOXELS_PER_TILE", 2)
    monkeypatch.setattr(fit, "VOXELS_PER_WEIGHT", 2)
    monkeypatch.setattr(learning, "VOXELS_PER_CONTEXT", 20)


@pytest.mark.usefixtures("small_parts")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    shape=st.lists(st.integers(1, 9), min_size=0, max_size=5).map(tuple).filter(lambda shape: math.prod(shape) < 1500),
    dtype=st.sampled_from(DTYPES),
    order=st.sampled_from("CF"),
    seed=st.integers(0, 2**32),
    width=st.sampled_from([1, 3, 40]),
    options=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_the_decoder_written_from_the_format_document_agrees(shape, dtype, order, seed, width, options):
    model, exact, crop = options
    stream, expected = random_residual(
        np.random.default_rng(seed), shape, dtype, order, width, model=model, exact=exact, crop=crop
    )
    got = decode(stream)
    assert got.tobytes(order="C") == expected.tobytes(order="C")
    told_shape, code, _, samples = reference.decode(stream)
    assert tuple(told_shape) == got.shape
    assert np.array(samples, code).reshape(shape).tobytes() == got.astype(code).tobytes(order="C")


@given(data=st.data())
def test_hostile_residuals_decode_or_are_refused(data):
    body = bytearray(_hostile())
    section = unpack(sealed(bytes(body))).sections[Section.RESIDUAL]
    first = bytes(body).index(section)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(first, first + len(section) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptStreamError, MemoryError):
        decode(sealed(bytes(body)))


def _hostile():
    stream, _ = random_residual(np.random.default_rng(3), (11, 13), "f4", "C", 3, model=True, exact=True, crop=False)
    return stream[:-4]
