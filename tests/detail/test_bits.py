import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.bits import LARGEST, Reader, Writer
from tinc_codec.detail.tables import ESCAPE
from tinc_codec.errors import CorruptStreamError

NUMBERS = st.lists(st.integers(-(2**31) + 1, 2**31 - 1) | st.integers(-40, 40), max_size=60)


@given(st.lists(st.tuples(NUMBERS, st.integers(0, 24)), max_size=4))
def test_numbers_come_back_from_tokens_and_bits(bands):
    writer = Writer()
    for numbers, shift in bands:
        writer.numbers(np.array(numbers, np.int64), shift)
    reader = Reader(writer.bytes())
    for numbers, shift in bands:
        values = np.array(numbers, np.int64)
        tokens = np.minimum(np.abs(values) >> shift, ESCAPE)
        assert (reader.numbers(tokens, shift) == values).all()
    reader.end()


def test_bits_beyond_the_end_are_zeros():
    assert Reader(b"\x05").take(3, 4).tolist() == [5, 0, 0]


def test_more_bits_than_belong_there_are_refused():
    reader = Reader(b"\x00\x01")
    reader.take(1, 8)
    with pytest.raises(CorruptStreamError, match="does not end where its bits do"):
        reader.end()


def test_numbers_stay_within_31_bits():
    with pytest.raises(CorruptStreamError, match="steps"):
        Reader(b"\xff" * 8).numbers(np.array([ESCAPE]), 3)
    assert Reader(b"").numbers(np.array([ESCAPE]), 0).tolist() == [ESCAPE]
    assert LARGEST == 2**31 - 1
