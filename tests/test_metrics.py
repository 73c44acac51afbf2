import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import metrics


@pytest.mark.parametrize("shape", [(40,), (30, 31), (12, 20, 9)])
def test_ssim_is_that_of_scikit_image(shape):
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(0)
    a = rng.normal(1000, 50, shape)
    b = a + rng.normal(0, 20, shape)
    expected = structural_similarity(a, b, data_range=400.0, win_size=7)
    # scikit-image averages over the same windows: those that lie inside
    assert metrics.ssim(a, b, 400.0) == pytest.approx(expected, abs=1e-9)


def test_ssim_of_short_axes_and_equal_arrays():
    a = np.random.default_rng(0).normal(size=(3, 20, 20))
    assert metrics.ssim(a, a, 1.0) == pytest.approx(1)
    with pytest.raises(ValueError, match="data_range=0"):
        metrics.ssim(a, a, 0)


def test_psnr_by_hand():
    a = np.array([0, 100], np.uint8)
    b = np.array([10, 90], np.uint8)
    assert metrics.rmse(a, b) == 10
    assert metrics.max_error(a, b) == 10
    assert metrics.psnr(a, b, 100.0) == pytest.approx(20)
    assert metrics.psnr(a, a, 100.0) == math.inf
    assert metrics.psnr(a, b, 0.0) == -math.inf


@given(a=st.integers(0, 2**64 - 1), b=st.integers(0, 2**64 - 1))
def test_64_bit_differences_are_taken_as_integers(a, b):
    got = metrics.difference(np.array([a], np.uint64), np.array([b], np.uint64))[0]
    assert got == float(b - a)


def test_errors_do_not_overflow():
    a, b = np.array([-1e308, 0]), np.array([0, 0.0])
    assert metrics.rmse(a, b) == pytest.approx(1e308 / math.sqrt(2))


def test_opposite_ends_of_float64_differ_infinitely():
    assert metrics.rmse(np.array([-1.7e308]), np.array([1.7e308])) == math.inf


def test_threshold_accuracy():
    assert metrics.threshold_accuracy([1, 5, 9, 9], [1, 9, 9, 1], 4) == 0.75


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="differ in shape"):
        metrics.rmse(np.zeros(3), np.zeros(4))


@given(st.integers(1, 5), st.sampled_from([1, 1e-200, 1e200]))
def test_both_errors_are_those_of_all_differences(blocks, unit):
    rng = np.random.default_rng(blocks)
    a, b = rng.normal(size=(2, blocks, 20_011)) * unit
    largest, rmse = metrics.errors(a, b)
    delta = (b - a) / unit
    assert largest == pytest.approx(np.abs(delta).max() * unit)
    assert rmse == pytest.approx(np.sqrt(np.mean(delta**2)) * unit)
    assert metrics.errors(a, a) == (0, 0)
    assert metrics.errors(a[:, :0], a[:, :0]) == (0, 0)
