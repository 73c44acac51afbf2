"""A chunk as it is given becomes one that can be encoded: what must be exact, what is left out, what the model sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import Config, UnsupportedDataError
from tinc_codec.encoding.prepared import check_dtype, prepare
from tinc_codec.stream.container import LARGEST_RANK, Section
from tinc_codec.tree.partition import fold

RATIO, BOUND = Config(ratio=8), Config(max_error=1, exact_values=(0,))


@given(
    shape=st.lists(st.integers(0, 5), max_size=5).map(tuple),
    dtype=st.sampled_from(["u1", ">u2", "<i8", "f2", ">f4"]),
    order=st.sampled_from("CF"),
)
def test_samples_are_native_folded_and_nothing_is_written_in_place(shape, dtype, order):
    given_ = np.array(np.arange(1, np.prod(shape) + 1).reshape(shape), dtype, order=order)
    given_.flags.writeable = False
    chunk = prepare(given_, RATIO)
    assert (chunk.header.shape, chunk.header.dtype) == (shape, given_.dtype)
    assert chunk.values.dtype == given_.dtype.newbyteorder("=")
    assert chunk.values.flags.c_contiguous
    if given_.size:
        assert chunk.values.shape == fold(chunk.kept)
        assert (chunk.values.ravel() == given_[tuple(map(slice, chunk.kept))].ravel()).all()
    else:
        assert chunk.nothing_to_model


def test_what_is_asked_to_be_exact_and_what_is_not_finite_does_not_count():
    values = np.array([[0, 3, np.nan], [np.inf, 0, 9]], "f4")
    chunk = prepare(values, BOUND)
    assert chunk.counted.tolist() == [[False, True, False], [False, False, True]]
    assert (chunk.low, chunk.high) == (3, 9)
    assert chunk.counting(values).tolist() == chunk.for_model(values).tolist() == [3, 9]
    assert set(chunk.filled[~chunk.modelled].tolist()) <= {3, 9}
    assert np.isfinite(chunk.smooth).all()
    assert (chunk.smooth[chunk.modelled] == [3, 9]).all()
    assert set(chunk.kept_exactly) <= {Section.EXACT, Section.EXACT_IN_CONTEXT}
    assert prepare(np.full((3, 3), np.nan), BOUND).nothing_to_model
    assert prepare(np.ones((3, 3)), RATIO).kept_exactly == {}


def test_a_hole_is_exact_beside_what_was_asked_for():
    chunk = prepare(np.arange(12.0).reshape(3, 4), BOUND)
    hole = chunk.values > 8
    without = chunk.without(hole)
    assert (without.modelled == (chunk.values > 0) & ~hole).all()
    assert (without.counted == chunk.counted).all()
    assert prepare(np.arange(1.0, 5), RATIO).without(np.array([True, False, False, False])).modelled.tolist() == [
        False, True, True, True,
    ]  # fmt: skip


def test_samples_that_must_not_be_an_exact_value_are_corrected():
    chunk = prepare(np.array([[5.0, 0.0], [1.0, 2.0]]), BOUND)
    assert chunk.corrections(np.array([[5.0, 0.0], [1.0, 2.0]])) == {}
    assert set(chunk.corrections(np.array([[0.0, 0.0], [1.0, 2.0]]))) == {Section.CORRECTIONS}


def test_planes_of_one_value_at_the_end_are_left_out():
    values = np.zeros((8, 40, 40), "u2")
    values[:, :20] = np.random.default_rng(0).integers(0, 99, (8, 20, 40))
    chunk = prepare(values, Config(psnr=40))
    assert chunk.kept == (8, 20, 40)
    assert set(chunk.cropped) == {Section.CROP}
    assert chunk.outside.tolist() == [0]


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_the_volume_is_scaled_so_that_no_square_overflows(scale):
    chunk = prepare(np.array([-3.0, 2.5, 1.0]) * scale, RATIO)
    assert 0.5 <= np.abs(chunk.volume).max() < 1
    assert np.allclose(np.ldexp(chunk.volume, chunk.exponent), chunk.values, rtol=1e-15)
    assert np.allclose(chunk.smooth_rest(chunk.values), 0)


@pytest.mark.parametrize(
    ("dtype", "advice"),
    [
        (bool, "view booleans as uint8"),
        ("c8", "store real and imaginary parts as an axis"),
        ("M8[s]", "view times as int64"),
        ("S3", "give integers of 8 to 64 bits or floats of 16 to 64 bits"),
        (object, "dtype object is not supported"),
    ],
)
def test_dtypes_that_cannot_be_stored_are_told_what_to_do(dtype, advice):
    with pytest.raises(UnsupportedDataError, match=advice):
        check_dtype(np.dtype(dtype))
    with pytest.raises(UnsupportedDataError, match=advice):
        prepare(np.zeros(3, dtype), RATIO)


def test_chunks_of_too_many_axes_are_refused():
    with pytest.raises(UnsupportedDataError, match=f"at most {LARGEST_RANK} axes"):
        prepare(np.zeros((1,) * (LARGEST_RANK + 1), "u1"), RATIO)
