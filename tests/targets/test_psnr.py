import pytest

from tinc_codec.targets import Psnr


def test_a_psnr_is_over_the_chunks_range_or_the_one_that_is_given():
    assert Psnr(40).bound(100, 300).rmse == pytest.approx(2)
    assert Psnr(40).own_range
    assert Psnr(40).largest_error is None
    assert Psnr(40, 1000).bound(100, 300).rmse == pytest.approx(10)
    assert not Psnr(40, 1000).own_range
    assert Psnr(40, 1000).largest_error == pytest.approx(10)


def test_a_range_beyond_float64_has_a_bound_all_the_same():
    largest = 1.7976931348623157e308
    assert Psnr(40).bound(-largest, largest).rmse == pytest.approx(largest / 50)
    assert Psnr(40).bound(0, 1e-300).rmse == 0
