import numpy as np
import pytest

from tinc_codec.bench.spectrum import BINS, frequencies, power_spectrum

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("shape", [(4096,), (64, 70), (24, 32, 40), (1, 64, 64)])
def test_white_noise_has_its_variance_everywhere(shape):
    spectrum = power_spectrum(RNG.normal(0, 3, shape))
    known = spectrum[np.isfinite(spectrum)]
    assert known.size > BINS // 2
    assert np.median(known) == pytest.approx(9, rel=0.25)


def test_a_wave_is_at_its_frequency():
    x = np.arange(64)
    wave = 10 * np.sin(2 * np.pi * 0.2 * x)[:, None, None] * np.ones((64, 32, 32))
    spectrum = power_spectrum(wave)
    assert abs(frequencies()[np.nanargmax(spectrum)] - 0.2) < 0.02


def test_nothing_has_no_power_and_short_axes_no_number():
    assert np.nanmax(power_spectrum(np.full((16, 16), 8))) == 0
    assert np.isnan(power_spectrum(RNG.normal(0, 1, 5))).any()
    assert frequencies()[0] < frequencies()[-1] < 0.5
