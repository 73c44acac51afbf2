"""What numbers count as when others are expected from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.detail.contexts import MAGNITUDES, TOP
from tinc_codec.detail.model import magnitudes_of, tokens_of


@given(numbers=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20), shift=st.integers(0, 24))
def test_tokens_are_magnitudes_without_their_low_bits_and_end_at_the_top(numbers, shift):
    tokens = tokens_of(np.array(numbers, np.int32), shift)
    assert tokens.tolist() == [min(abs(number) >> shift, TOP) for number in numbers]
    assert magnitudes_of(np.array(numbers, np.int32), shift).tolist() == [MAGNITUDES[t] for t in tokens]


@pytest.mark.parametrize("number", [0, 1, TOP, 10**6])
def test_a_sign_does_not_count(number):
    numbers = np.array([[number], [-number]], np.int32)
    assert magnitudes_of(numbers[0], 0) == magnitudes_of(numbers[1], 0)
