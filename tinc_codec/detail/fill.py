"""Samples continued smoothly into a hole, so that no coefficient is spent on its edge: the encoder's side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 40


def fill(volume: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The volume with what lies in the hole replaced.

    Means of what is known fill the hole at the finest scale at which there are any; then samples diffuse into it.

    Parameters
    ----------
    volume
        What lies in the hole does not matter.
    hole
        Of the same shape; all of it: zeros come back.
    """
    if not hole.any():
        return volume
    filled = _pulled(np.where(hole, 0.0, volume), (~hole).astype(np.float64))
    for _ in range(_ROUNDS):
        filled = np.where(hole, _smooth(filled), volume)
    return filled


def _pulled(sums: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means where there are weights; elsewhere those of twice the scale."""
    known = weights > 0
    means = sums / np.where(known, weights, 1)
    if known.all() or max(sums.shape) <= 1:
        return means
    coarse = _pulled(_halved(sums), _halved(weights))
    for axis, n in enumerate(sums.shape):
        coarse = np.take(coarse, np.arange(n) // 2, axis)
    return np.where(known, means, _smooth(coarse))


def _halved(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    for axis in range(volume.ndim):
        volume = np.add.reduceat(volume, np.arange(0, volume.shape[axis], 2), axis)
    return volume


def _smooth(volume: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over three neighbours along each axis."""
    for axis, n in enumerate(volume.shape):
        if n > 1:
            along = np.moveaxis(volume, axis, 0)
            padded = np.concatenate([along[:1], along, along[-1:]])
            volume = np.moveaxis((padded[:-2] + along + padded[2:]) / 3, 0, axis)
    return volume
