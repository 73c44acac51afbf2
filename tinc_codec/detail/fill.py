"""Samples continued smoothly into a hole, so that no coefficient is spent on its edge: the encoder's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tinc_codec.detail.work import Work

_FINE, _COARSE = 12, 40
"""How often samples diffuse into the hole, at the finest scale and at each coarser one, where it takes an eighth."""

Volume = NDArray[np.float32]


def fill(volume: NDArray[np.float64], hole: NDArray[np.bool_], work: Work) -> NDArray[np.float64]:
    """The volume with what lies in the hole replaced.

    At each scale, from the coarsest to the finest, means of what is known stay, and diffuse into what is not.

    Parameters
    ----------
    volume
        What lies in the hole does not matter.
    hole
        Of the same shape; all of it: zeros come back.
    work
        Who lets samples diffuse.
    """
    if not hole.any():
        return volume
    largest = max(float(np.abs(volume).max(where=~hole, initial=0)), np.finfo(np.float64).tiny)
    sums, weights = (np.where(hole, 0.0, volume) / largest).astype(np.float32), (~hole).astype(np.float32)
    filled = _filled(sums, weights, _FINE, work)
    return np.where(hole, filled.astype(np.float64) * largest, volume)


def _filled(sums: Volume, weights: Volume, rounds: int, work: Work) -> Volume:
    """Means where there are weights; elsewhere what they, and those of twice the scale, diffuse into."""
    known = weights > 0
    means: Volume = np.divide(sums, np.where(known, weights, 1), dtype=np.float32)
    if known.all() or max(sums.shape) <= 1:
        return means
    coarse = _filled(_halved(sums), _halved(weights), _COARSE, work)
    for axis, n in enumerate(sums.shape):
        coarse = np.take(coarse, np.arange(n) // 2, axis)
    filled = np.where(known, means, coarse)
    work.diffuse(filled, known, 1 + rounds)
    return filled


def diffuse(volume: Volume, known: NDArray[np.bool_], rounds: int) -> None:
    """Let samples diffuse into those that are not known, in place: so often, each becomes the mean of its neighbours.

    Parameters
    ----------
    volume
        In C order.
    known
        Which samples stay, of the same shape.
    """
    smooth, spare = np.empty_like(volume), np.empty_like(volume)
    for _ in range(rounds):
        smooth, spare = _smooth(volume, smooth, spare)
        np.copyto(volume, smooth, where=~known)


def _halved(volume: Volume) -> Volume:
    """Sums over 2 voxels along each axis; the last one of an odd axis stays alone."""
    for axis in range(volume.ndim):
        even, odd = (volume[(slice(None),) * axis + (slice(first, None, 2),)] for first in (0, 1))
        volume = even.copy()
        volume[(slice(None),) * axis + (slice(odd.shape[axis]),)] += odd
    return volume


def _smooth(volume: Volume, out: Volume, spare: Volume) -> tuple[Volume, Volume]:
    """Means over three neighbours along each axis, in one of two arrays; and the other one."""
    source = volume
    for axis, n in enumerate(volume.shape):
        if n == 1:
            continue
        whole, sums = np.moveaxis(source, axis, 0), np.moveaxis(out, axis, 0)
        np.add(whole[:-1], whole[1:], out=sums[:-1])
        np.add(whole[-1:], whole[-1:], out=sums[-1:])
        sums[1:] += whole[:-1]
        sums[0] += whole[0]
        out /= np.float32(3)
        source, out, spare = out, spare, out
    return source, out
