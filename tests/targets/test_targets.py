"""Each target parses its setting, and says what is kept, what it may take and whether anything may be lost."""

import math

import pytest

from tinc_codec import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.targets import TARGETS, Bound, MaxError, Psnr, Ratio


def test_every_target_is_a_setting_of_its_name():
    for kind in TARGETS:
        target = kind.parse(3, None)
        assert target.value == 3
        assert Config(**{kind.option: 3}).target == target
        assert kind.parse(None, None) is None
        assert kind.bytes_per_voxel > 0


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("value", ["64", True, math.nan, math.inf, -1, [3], 10**400])
def test_what_is_no_number_of_its_kind_is_refused_by_its_name(kind, value):
    with pytest.raises(ConfigurationError, match=kind.option):
        kind.parse(value, None)


@pytest.mark.parametrize(("kind", "value"), [(Ratio, 1), (Psnr, 0)])
def test_limits_are_refused(kind, value):
    with pytest.raises(ConfigurationError, match="above"):
        kind.parse(value, None)


def test_without_a_target_the_first_one_is_taken():
    assert Config().target == Ratio(64.0)


def test_one_target_is_asked_for():
    with pytest.raises(
        ConfigurationError, match=r"ratio=3\.0 and psnr=40\.0 are given: give one of ratio, psnr, max_error"
    ):
        Config(ratio=3, psnr=40)


def test_a_ratio_is_a_budget_and_bounds_nothing():
    target = Ratio(64)
    assert target.budget(1000) == 15
    assert target.bound(0, 9) == Bound()
    assert target.bound(0, 9).holds(1e9, 1e9)
    assert target.largest_error is None
    assert not target.lossless
    assert not target.own_range


def test_a_largest_error_is_a_bound_and_0_is_lossless():
    assert MaxError(3).bound(0, 9) == Bound(max_error=3)
    assert MaxError(3).budget(1000) is None
    assert MaxError(3).largest_error == 3
    assert not MaxError(3).lossless
    assert MaxError(0).lossless


def test_a_psnr_is_over_the_chunks_range_or_the_one_that_is_given():
    assert Psnr(40).bound(100, 300).rmse == pytest.approx(2)
    assert Psnr(40).own_range
    assert Psnr(40).largest_error is None
    assert Psnr(40, 1000).bound(100, 300).rmse == pytest.approx(10)
    assert not Psnr(40, 1000).own_range
    assert Psnr(40, 1000).largest_error == pytest.approx(10)


def test_bounds_of_both_kinds_say_what_is_wrong():
    assert Bound(max_error=2).complaint(2, 9) is None
    assert Bound(max_error=2).complaint(3, 1) == "has an error of 3, above 2"
    assert Bound(rmse=2, asked="40 dB").complaint(9, 3) == "has a root mean square error of 3, above the 2 of 40 dB"
    assert not Bound(rmse=2).holds(0, 3)


def test_a_range_beyond_float64_has_a_bound_all_the_same():
    largest = 1.7976931348623157e308
    assert Psnr(40).bound(-largest, largest).rmse == pytest.approx(largest / 50)
    assert Psnr(40).bound(0, 1e-300).rmse == 0


def test_settings_can_be_made_lossless():
    config = Config(psnr=40, data_range=9, exact_values=(0,), effort=7)
    assert config.losslessly() == Config(max_error=0, exact_values=(0,), effort=7)
