"""Exact values by a mask in context: what is packed comes back, and damage is an error."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinc_codec.detail import reference
from tinc_codec.detail.exact_in_context import pack, unpack
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import exact
from tinc_codec.stream.fields import FieldReader


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(1, 12), min_size=1, max_size=4).map(tuple),
    dtype=st.sampled_from(["u1", "i2", "f2", "f4", "u8", "f8"]),
    part=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    seed=st.integers(0, 999),
)
def test_places_and_values_come_back(shape, dtype, part, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < part
    volume = rng.choice(np.array([3, 7, 100]).astype(dtype), shape)
    places, values = unpack(FieldReader(pack(volume, mask, reference), "test"), shape, np.dtype(dtype), reference)
    assert (places == mask).all()
    assert values.tobytes() == volume[mask].tobytes()
    assert values.flags.writeable


def test_a_bumpy_ball_takes_half_of_what_its_bits_take():
    z, y, x = np.indices((48, 48, 48)) - 23.7
    bumps = 30 * np.sin(x / 2) * np.sin(y / 3) * np.sin(z / 2.5)
    ball = z * z + y * y + x * x + bumps < 19**2
    volume = np.zeros(ball.shape, "u2")
    assert len(pack(volume, ball, reference)) < 0.5 * len(exact.pack(volume, ball))


def test_every_cut_is_an_error_and_every_flip_is_one_or_another_mask():
    mask = ((np.indices((9, 16, 15)) - 7) ** 2).sum(0) < 30
    payload = pack(np.full(mask.shape, 7, "u2"), mask, reference)
    for end in range(len(payload)):
        with pytest.raises(CorruptStreamError):
            unpack(FieldReader(payload[:end], "test"), mask.shape, np.dtype("u2"), reference)
    for number in range(8 * len(payload)):
        changed = bytearray(payload)
        changed[number // 8] ^= 1 << number % 8
        with contextlib.suppress(CorruptStreamError):
            places, values = unpack(FieldReader(bytes(changed), "test"), mask.shape, np.dtype("u2"), reference)
            assert len(values) == np.count_nonzero(places)
