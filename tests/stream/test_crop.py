"""Trailing planes of one value are left out, and come back bit for bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import crop
from tinc_codec.stream.container import Container, Header, ModelKind, Section


def container(array, kept):
    header = Header(array.shape, array.dtype, "C", ModelKind.NONE, False)
    fill = np.array([array.ravel()[-1]], array.dtype.newbyteorder("="))
    return Container(header, {Section.CROP: crop.pack(kept, fill)})


@given(
    inner=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    outer=st.lists(st.integers(0, 4), min_size=3, max_size=3),
    fill=st.sampled_from([0, 7, 200]),
    dtype=st.sampled_from(["u1", ">i4", "f4"]),
)
def test_what_is_left_out_comes_back(inner, outer, fill, dtype):
    padding = [(0, n) for n in outer[: len(inner)]]
    values = np.random.default_rng(0).integers(1, 100, inner).astype(dtype)
    values.flat[-1] = 101  # at the corner, so that each axis ends there
    array = np.pad(values, padding, constant_values=fill).astype(dtype)
    kept = crop.find(array, worth=1)
    if all(outer[: len(inner)]):
        assert kept == values.shape
    assert all(a <= b for a, b in zip(kept, array.shape, strict=True))
    stored = container(array, kept)
    assert crop.kept_shape(stored) == kept
    inside = array[tuple(map(slice, kept))].astype(array.dtype.newbyteorder("="))
    assert np.array_equal(crop.restore(stored, inside), array)
    assert crop.fill_value(stored) == array.ravel()[-1]


def test_bits_are_compared_and_little_is_not_worth_it():
    array = np.zeros((4, 100), "f4")
    array[0, 0] = -0.0
    assert crop.find(array) == (1, 1)
    array[3, 98] = -0.0
    assert crop.find(array) == array.shape  # only the last column, of 4 voxels, is left out
    assert crop.find(array, worth=4) == (4, 99)


def test_a_shape_of_nothing_is_refused():
    with pytest.raises(CorruptStreamError, match="nothing is left"):
        crop.kept_shape(container(np.zeros((4, 5)), (0, 5)))
