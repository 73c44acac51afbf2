"""The rule: a root mean square error of one noise, and nothing lost where there is none, or where values are names."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinc_codec import TINCCodec
from tinc_codec.cli.demo_setting import measured_setting, setting_for
from tinc_codec.phantom import light_sheet

LOSSLESS = {"max_error": 0.0}


@given(st.floats(1e-12, 1e12), st.floats(-1e12, 1e12), st.floats(4.01, 1e9))
def test_no_more_than_the_noise_is_lost_and_hardly_less(noise, low, times):
    high = low + times * noise
    setting = setting_for(noise, low, high, None)
    if setting.arguments == LOSSLESS:  # rounding took the range
        assert high - low < 4 * noise
        return
    target = TINCCodec(**setting.arguments).config.target
    rmse = target.bound(low, high).rmse
    assert 0.98 * noise < rmse <= noise * (1 + 1e-12)


@pytest.mark.parametrize(
    ("noise", "low", "high", "exact", "words"),
    [
        (0.0, 0, 100, None, "no noise was measured"),
        (5.0, 0, 100, "a label image", "should stay exact: a label image"),
        (5.0, 0, 19, None, "beside which nothing can be seen"),
        (5.0, -1.7e308, 1.7e308, None, "in a range of inf"),
    ],
)
def test_nothing_is_lost_where_that_is_not_known_to_be_noise(noise, low, high, exact, words):
    setting = setting_for(noise, low, high, exact)
    assert setting.arguments == LOSSLESS
    assert words in setting.reason


def test_a_setting_is_one_line():
    setting = setting_for(4.8381, 100, 1501, None)
    assert setting.line == (
        "chosen: psnr=49.3, data_range=1401; noise was measured as 4.84, and no chunk's error (root mean square) is "
        "above it"
    )


@pytest.mark.parametrize("dtype", ["u2", "f4", ">i4"])
def test_volumes_are_looked_at(dtype):
    volume = light_sheet((16, 40, 48)).astype(dtype)
    if dtype == "f4":
        volume[0, 0, :3] = np.nan, np.inf, -np.inf
    setting = measured_setting(volume)
    assert setting.arguments["data_range"] == np.ptp(light_sheet((16, 40, 48))[:, 1:].astype(float))
    assert 35 < setting.arguments["psnr"] < 40


@pytest.mark.parametrize(
    "volume",
    [
        np.zeros((8, 8)),
        np.full((8, 8), np.nan),
        np.arange(2, dtype="u1").repeat(32).reshape(8, 8),
        np.indices((64, 64)).sum(0) % 2 * 50.0,
        np.hypot(*np.indices((60, 60), float)),
    ],
)
def test_flat_flags_checkerboards_and_renderings_stay_exact(volume):
    setting = measured_setting(volume)
    assert setting.arguments == LOSSLESS or setting.arguments["psnr"] > 80
    assert math.isfinite(sum(setting.arguments.values()))
