"""A piece by itself: its symbols come back, it ends with its last byte, and another end is noticed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.ans import PieceDecoder, encode
from tinc_codec.stream.entropy import TOTAL, Table


def shares(table, symbols):
    begins = np.concatenate([[0], np.cumsum(table.shares)])
    return begins[symbols].astype(np.uint32), table.shares[symbols].astype(np.uint32)


@given(
    counts=st.lists(st.integers(0, 1000), min_size=2, max_size=9).filter(lambda counts: sum(map(bool, counts)) > 1),
    data=st.data(),
)
def test_symbols_come_back_in_order(counts, data):
    table = Table.of(counts)
    assert int(table.shares.sum()) == TOTAL
    symbols = np.array(data.draw(st.lists(st.integers(0, len(counts) - 1), max_size=60)), np.int32)
    code = encode(*shares(table, symbols))
    assert not code.endswith(b"\0")
    decoder = PieceDecoder(code)
    assert decoder.coded(len(symbols), table).tolist() == symbols.tolist()
    decoder.end()


def test_what_is_left_over_and_a_byte_of_0_are_refused():
    table = Table.of([3, 5, 1])
    code = encode(*shares(table, np.array([0, 2, 1, 1, 0, 2] * 9)))
    decoder = PieceDecoder(code)
    decoder.coded(53, table)
    with pytest.raises(CorruptStreamError, match="does not end"):
        decoder.end()
    with pytest.raises(CorruptStreamError, match="byte of 0"):
        PieceDecoder(code + b"\0")
