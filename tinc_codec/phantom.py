"""A seeded phantom that looks like a light-sheet stack: nuclei in tissue, haze, stripes, photon noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CAMERA_OFFSET = 100
READ_NOISE = 2.0
FULL_SCALE = 65535


def _blurred(volume: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian blur in the Fourier domain, periodic."""
    spectrum = np.fft.rfftn(volume)
    for axis, n in enumerate(volume.shape):
        k = np.fft.rfftfreq(n) if axis == volume.ndim - 1 else np.fft.fftfreq(n)
        gain = np.exp(-2 * (np.pi * sigma * k) ** 2)
        spectrum *= gain.reshape([-1 if a == axis else 1 for a in range(volume.ndim)])
    return np.fft.irfftn(spectrum, s=volume.shape, axes=range(volume.ndim))


def _add_nucleus(
    volume: NDArray[np.float64], centre: NDArray[np.float64], radii: NDArray[np.float64], level: float
) -> None:
    low = np.maximum(np.floor(centre - 1.6 * radii), 0).astype(int)
    high = np.minimum(np.ceil(centre + 1.6 * radii) + 1, volume.shape).astype(int)
    if (low >= high).any():
        return
    axes = [(np.arange(a, b) - c) / r for a, b, c, r in zip(low, high, centre, radii, strict=True)]
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    distance = np.sqrt(sum(axis**2 for axis in grid))
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    volume[box] += level / (1 + np.exp((distance - 1) * 8))  # a soft edge, as the point spread leaves it


def light_sheet(shape: tuple[int, int, int] = (64, 128, 128), seed: int = 0) -> NDArray[np.uint16]:
    """Make a phantom.

    Parameters
    ----------
    shape
        Z, Y, X in voxels.
    seed
        Seed of everything random in it.

    Returns
    -------
    ndarray
        uint16, camera offset 100, a few thousand counts at the brightest nuclei.
    """
    rng = np.random.default_rng(seed)
    size = np.array(shape, np.float64)
    unit = [np.linspace(-1, 1, n) for n in shape]
    z, y, x = np.meshgrid(*unit, indexing="ij", sparse=True)
    embryo = 1 / (1 + np.exp((np.sqrt(z**2 + (y / 0.9) ** 2 + (x / 0.95) ** 2) - 0.9) * 25))
    texture = _blurred(rng.standard_normal(shape), 6.0)
    tissue = embryo * (120 + 60 * texture / texture.std())
    nuclei = np.zeros(shape)
    for _ in range(int(np.prod(size) / 2600)):
        radii = rng.uniform(2.5, 5.0) * rng.uniform(0.8, 1.25, 3)
        _add_nucleus(nuclei, rng.uniform(0, 1, 3) * size, radii, float(rng.lognormal(6.3, 0.5)))
    signal = tissue + nuclei * embryo
    attenuation = np.exp(-0.5 * (x + 1)) * np.exp(-0.25 * (z + 1))  # light enters from the left, is seen from the top
    stripes = 1 + 0.06 * _blurred(rng.standard_normal((1, shape[1], 1)), 1.0) * np.ones((shape[0], 1, 1))
    haze = 0.25 * _blurred(signal, 12.0)
    photons = rng.poisson(np.clip((signal + haze) * attenuation * stripes, 0, None) / 2) * 2.0
    counts = CAMERA_OFFSET + photons + rng.normal(0, READ_NOISE, shape)
    return np.asarray(np.clip(np.rint(counts), 0, FULL_SCALE), np.uint16)
