"""What numbers count as when others are expected from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detail.cases import plans, random_model
from tinc_codec.detail.contexts import MAGNITUDES, TOP
from tinc_codec.detail.model import all_magnitudes, magnitudes_of, tokens_of


@given(numbers=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20), shift=st.integers(0, 24))
def test_tokens_are_magnitudes_without_their_low_bits_and_end_at_the_top(numbers, shift):
    tokens = tokens_of(np.array(numbers, np.int32), shift)
    assert tokens.tolist() == [min(abs(number) >> shift, TOP) for number in numbers]
    assert magnitudes_of(np.array(numbers, np.int32), shift).tolist() == [MAGNITUDES[t] for t in tokens]


@settings(max_examples=20)
@given(plans(8), st.integers(0, 2**32))
def test_bands_count_by_their_own_shift_and_for_nothing_before_they_are_known(plan, seed):
    model, numbers = random_model(plan, seed)
    assert not all_magnitudes(model, numbers, known=False).any()
    known = all_magnitudes(model, numbers, known=True)
    for band, shift in enumerate(model.shifts.tolist()):
        mine = model.layout.view(known, band)
        assert (mine == magnitudes_of(model.layout.view(numbers, band), shift)).all()


@pytest.mark.parametrize("number", [0, 1, TOP, 10**6])
def test_a_sign_does_not_count(number):
    numbers = np.array([[number], [-number]], np.int32)
    assert magnitudes_of(numbers[0], 0) == magnitudes_of(numbers[1], 0)
