"""Power spectra: at which fineness of detail an error lies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 32
"""Of frequencies, from 0 to 0.5 cycles a voxel."""


def frequencies() -> NDArray[np.float64]:
    """Middles of the bins, in cycles a voxel."""
    return (np.arange(BINS) + 0.5) * 0.5 / BINS


def power_spectrum(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Power of samples at each fineness, averaged over all directions.

    Parameters
    ----------
    samples
        Any number of axes. Their mean is taken away, and their borders are faded out by Hann's window.

    Returns
    -------
    ndarray
        Mean power of a frequency in each bin, shape ``(BINS,)``: for white noise its variance. NaN where the
        axes are so short that a bin holds no frequency.
    """
    values = samples.astype(np.float64)
    values -= values.mean()
    weight = 1.0
    for axis, n in enumerate(values.shape):
        window = np.hanning(n + 2)[1:-1]
        values *= window.reshape([-1 if a == axis else 1 for a in range(values.ndim)])
        weight *= float((window**2).sum())
    power = np.abs(np.fft.rfftn(values)) ** 2 / weight
    squares = np.zeros(power.shape)
    for axis, n in enumerate(values.shape):
        steps = np.fft.rfftfreq(n) if axis == values.ndim - 1 else np.fft.fftfreq(n)
        squares += (steps**2).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    place = (np.sqrt(squares) * 2 * BINS).astype(int)
    inside = (place < BINS) & (squares > 0)
    total = np.bincount(place[inside], power[inside], BINS)
    count = np.bincount(place[inside], minlength=BINS)
    spectrum: NDArray[np.float64] = np.divide(total, count, out=np.full(BINS, math.nan), where=count > 0)
    return spectrum
