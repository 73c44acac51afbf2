import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.residual import tokens


@given(values=st.lists(st.integers(-(2**33) + 1, 2**33 - 1)))
def test_round_trip(values):
    numbers = tokens.zigzag(np.array(values, np.int64))
    token, size, extra = tokens.split(numbers)
    assert (tokens.extra_bits(token) == size).all()
    assert tokens.unzigzag(tokens.join(token, extra)).tolist() == values


def test_tokens_ascend_with_the_numbers():
    token, size, _ = tokens.split(np.arange(5000))
    assert token[:16].tolist() == list(range(16))
    assert set(np.diff(token.astype(int))) == {0, 1}
    assert size.max() == 9


@given(count=st.integers(0, 2**18))
def test_frequencies_are_rounded_to_one_byte(count):
    byte = tokens.to_byte(count)
    assert 0 <= byte < 256
    assert abs(tokens.from_byte(byte) - count) <= count / 32
    assert tokens.to_byte(tokens.from_byte(byte)) == byte


def test_every_token_that_occurs_has_a_frequency():
    counts = np.bincount(np.repeat([0, 3, 200], [4_000_000, 1, 2]), minlength=256)
    table = tokens.frequencies(counts)
    assert len(table) == 201
    assert [n for n, byte in enumerate(table) if byte] == [0, 3, 200]
