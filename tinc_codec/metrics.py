"""Measures of quality. The data range is always explicit: no measure guesses it from one of the two arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WINDOW = 7
_BLOCK = 2**13
"""Samples that are compared at once: few enough that BLAS takes one thread, which waits for no other."""


def _pair(original: ArrayLike, decoded: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    a, b = np.asarray(original), np.asarray(decoded)
    if a.shape != b.shape:
        raise ValueError(f"the arrays differ in shape: {a.shape} and {b.shape}")
    return a, b


def difference(original: ArrayLike, decoded: ArrayLike) -> NDArray[np.float64]:
    """``decoded - original`` in float64; of 64-bit integers it is taken before the conversion."""
    a, b = _pair(original, decoded)
    if a.dtype.kind in "iu" and a.dtype == b.dtype and a.dtype.itemsize == 8:
        unsigned = np.where(b > a, b.astype("u8") - a.astype("u8"), a.astype("u8") - b.astype("u8"))
        signed: NDArray[np.float64] = np.where(b > a, 1.0, -1.0) * unsigned.astype(np.float64)
        return signed
    with np.errstate(over="ignore"):  # between opposite ends of float64 the difference is infinite
        delta: NDArray[np.float64] = b.astype(np.float64) - a.astype(np.float64)
    return delta


def errors(original: ArrayLike, decoded: ArrayLike) -> tuple[float, float]:
    """Largest absolute error and root mean square error, in the data's units."""
    a, b = (part.reshape(-1) for part in _pair(original, decoded))
    largest, squares = 0.0, 0.0  # of errors over the largest, so that none overflows
    for begin in range(0, a.size, _BLOCK):
        delta = difference(a[begin : begin + _BLOCK], b[begin : begin + _BLOCK])
        peak = max(float(delta.max()), -float(delta.min()))
        if peak == 0:
            continue
        if not math.isfinite(peak):
            return peak, peak
        delta /= peak
        most = max(peak, largest)
        squares = squares * (largest / most) ** 2 + float(delta @ delta) * (peak / most) ** 2
        largest = most
    return largest, largest * math.sqrt(squares / max(1, a.size))


def rmse(original: ArrayLike, decoded: ArrayLike) -> float:
    """Root mean square error, in the data's units."""
    return errors(original, decoded)[1]


def max_error(original: ArrayLike, decoded: ArrayLike) -> float:
    """Largest absolute error, in the data's units."""
    return errors(original, decoded)[0]


def psnr_of(rmse: float, data_range: float) -> float:
    """PSNR in dB of a root mean square error over a data range; infinite where there is no error."""
    if rmse == 0:
        return math.inf
    return 20 * (math.log10(data_range) - math.log10(rmse)) if data_range > 0 else -math.inf


def psnr(original: ArrayLike, decoded: ArrayLike, data_range: float) -> float:
    """Peak signal-to-noise ratio in dB: ``20 log10(data_range / rmse)``."""
    return psnr_of(rmse(original, decoded), data_range)


def threshold_accuracy(original: ArrayLike, decoded: ArrayLike, threshold: float) -> float:
    """Share of voxels on the same side of `threshold` in both (TINC, CVPR 2023, "Acc")."""
    a, b = _pair(original, decoded)
    return float(np.mean((a > threshold) == (b > threshold)))


def _box_mean(x: NDArray[np.float64], size: tuple[int, ...]) -> NDArray[np.float64]:
    for axis, n in enumerate(size):
        total = np.cumsum(np.insert(x, 0, 0, axis=axis), axis=axis)
        length = total.shape[axis]
        high = np.take(total, range(n, length), axis=axis)
        x = (high - np.take(total, range(length - n), axis=axis)) / n
    return x


def ssim(original: ArrayLike, decoded: ArrayLike, data_range: float) -> float:
    """Structural similarity (Wang et al. 2004) with a uniform window of 7 along every axis, or the axis if shorter.

    Constants 0.01 and 0.03; sample covariances; averaged over the windows that lie inside.
    """
    if data_range <= 0:
        raise ValueError(f"data_range={data_range!r} must be above 0")
    a, b = (x.astype(np.float64) / data_range for x in _pair(original, decoded))
    size = tuple(min(_WINDOW, n) for n in a.shape)
    centre = a.mean()  # covariances do not change, and cancel less
    count = math.prod(size)
    mean_a, mean_b = _box_mean(a - centre, size), _box_mean(b - centre, size)
    norm = count / max(count - 1, 1)
    var_a = norm * (_box_mean((a - centre) ** 2, size) - mean_a**2)
    var_b = norm * (_box_mean((b - centre) ** 2, size) - mean_b**2)
    cov = norm * (_box_mean((a - centre) * (b - centre), size) - mean_a * mean_b)
    mean_a, mean_b = mean_a + centre, mean_b + centre
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * mean_a * mean_b + c1) * (2 * cov + c2)
    return float(np.mean(value / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))))
