"""Each target parses its setting, and says what is kept, what it may take and whether anything may be lost."""

import math

import pytest

from tinc_codec import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.targets import TARGETS, Psnr, Ratio


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
