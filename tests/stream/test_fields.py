import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.fields import FieldReader, FieldWriter


@given(values=st.lists(st.integers(0, 2**64 - 1)))
def test_counts_round_trip(values):
    out = FieldWriter()
    for value in values:
        out.count(value)
    reader = FieldReader(out.bytes(), "test")
    assert [reader.count(2**64) for _ in values] == values
    reader.end()


def test_counts_are_bounded():
    with pytest.raises(CorruptStreamError, match="at most 5"):
        FieldReader(bytes([6]), "test").count(5)
    with pytest.raises(CorruptStreamError, match="longer than 10"):
        FieldReader(bytes([255] * 11), "test").count(2**80)
    with pytest.raises(CorruptStreamError, match="ends early"):
        FieldReader(bytes([128]), "test").count(5)
    with pytest.raises(CorruptStreamError, match="too many"):
        FieldReader(b"12", "test").end()
    with pytest.raises(ValueError, match="negative"):
        FieldWriter().count(-1)


@given(value=st.floats(width=32), bits=st.integers(0, 255))
def test_numbers_are_little_endian_and_come_back_bit_for_bit(value, bits):
    out = FieldWriter()
    out.number("f", value)
    out.number("d", value)
    out.number("B", bits)
    assert out.bytes() == struct.pack("<fdB", value, value, bits)
    reader = FieldReader(out.bytes(), "test")
    for code in "fd":
        read = reader.real(code)
        assert read == value or (math.isnan(read) and math.isnan(value))
    assert (reader.byte(), reader.remaining) == (bits, 0)


def test_what_ends_early_is_named():
    reader = FieldReader(np.arange(3, dtype="u1").tobytes(), "the section of names")
    assert reader.raw(2) == b"\0\1"
    with pytest.raises(CorruptStreamError, match="the section of names ends early: 8 bytes wanted, 1 left"):
        reader.real("d")
    with pytest.raises(CorruptStreamError, match="the section of names: no"):
        reader.fail("no")
