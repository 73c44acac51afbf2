"""NumPy's selections as indices along each axis: they give what NumPy gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decoding.test_chunk import random_selection
from tinc_codec import TINCCodec, decode
from tinc_codec.decoding.selection import nothing, select
from tinc_codec.errors import SelectionError


@given(seed=st.integers(0, 2**32), shape=st.lists(st.integers(1, 7), max_size=4).map(tuple))
def test_indices_give_what_the_selection_gives(seed, shape):
    rng = np.random.default_rng(seed)
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    selection = random_selection(rng, shape)
    chosen = select(selection, shape)
    places = np.ix_(*chosen.indices) if chosen.product else chosen.indices
    assert all((index >= 0).all() for index in chosen.indices)
    expected = values[selection]
    assert chosen.shape == expected.shape
    if expected.size:
        assert np.array_equal(values[places].reshape(chosen.shape), expected)


@pytest.mark.parametrize("selection", [(slice(2), 3), ([0, 2], slice(None)), (Ellipsis, 1), np.ix_([1], [0, 2])])
def test_slices_and_one_array_are_products(selection):
    assert select(selection, (4, 5)).product


def test_of_nothing_there_is_nothing_in_the_right_shape():
    assert nothing((slice(None), 3), (0, 2**40), np.dtype("u2")).shape == (0,)
    with pytest.raises(SelectionError, match=r"does not fit shape \(0, 5\)"):
        nothing((0, 0), (0, 5), np.dtype("u2"))


def test_selections_outside_are_refused():
    stream = TINCCodec(max_error=0).encode(np.arange(30).reshape(5, 6))
    for selection in [5, (0, 0, 0), ([1, 7], [0, 0]), (slice(None), [6]), np.ones((4, 4), bool), "x", 1.5]:
        with pytest.raises(IndexError):
            decode(stream, selection)
