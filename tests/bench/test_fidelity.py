import json
import math

import numpy as np
import pytest

from tests.bench.test_objects import CENTRES, blobs
from tinc_codec.bench.fidelity import Reference

RNG = np.random.default_rng(6)


@pytest.fixture(scope="module")
def reference():
    return Reference.of(blobs(CENTRES), 5.0)


def test_the_same_volume_keeps_all(reference):
    fidelity = reference.compare(reference.volume)
    assert (fidelity.psnr, fidelity.ssim, fidelity.max_error) == (math.inf, pytest.approx(1), 0)
    assert (fidelity.threshold_accuracy, fidelity.blobs.f1, fidelity.segmented.dice) == (1, 1, 1)
    assert fidelity.brightness_bias == 0
    document = json.loads(json.dumps(fidelity.as_json(), allow_nan=False))
    assert document["psnr"] is None
    assert document["blobs"] == {"both": 12, "lost": 0, "added": 0, "recall": 1, "precision": 1, "f1": 1}
    assert document["segmented"]["dice"] == 1


def test_another_exposure_is_off_by_the_noise_and_always_the_same(reference):
    again = reference.exposed_again()
    assert np.std(again - reference.volume) == pytest.approx(reference.noise, rel=0.02)
    assert (again == reference.exposed_again()).all()


def worse(volume, gain, error):
    """Bright voxels dimmer, and noise on all."""
    return np.where(volume > 300, 300 + (volume - 300) * gain, volume) + RNG.normal(0, error, volume.shape)


def test_a_worse_volume_is_worse_in_every_measure(reference):
    slightly, badly = (reference.compare(worse(reference.volume, *how)) for how in ((0.98, 3), (0.3, 80)))
    for name in ("psnr", "ssim", "threshold_accuracy"):
        assert getattr(slightly, name) > getattr(badly, name), name
    assert slightly.max_error < badly.max_error
    assert slightly.blobs.f1 > badly.blobs.f1
    assert slightly.segmented.dice > badly.segmented.dice
    assert badly.brightness_bias < slightly.brightness_bias < 0
    assert np.nanmean(slightly.error_spectrum) < np.nanmean(badly.error_spectrum)


def test_psnr_is_over_the_originals_range(reference):
    fidelity = reference.compare(reference.volume + 2.5)
    assert fidelity.psnr == pytest.approx(20 * math.log10(reference.data_range / 2.5), abs=1e-4)
    assert fidelity.segmented.dice == 1  # each at its own threshold


@pytest.mark.parametrize("shape", [(300,), (40, 50), (6, 30, 30)])
def test_any_number_of_axes_and_flat_volumes(shape):
    for volume in (RNG.integers(0, 200, shape).astype("u1"), np.full(shape, 3, "u2")):
        reference = Reference.of(volume, 1.0)
        json.dumps(reference.compare(volume).as_json(), allow_nan=False)
        assert reference.compare(volume).max_error == 0
