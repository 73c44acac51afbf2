"""Linear interpolation between samples, some of which do not count; one order of operations on every machine."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Volume = NDArray[np.float64]


def neighbours(known: NDArray[Any], positions: Volume) -> tuple[NDArray[np.intp], NDArray[np.intp], Volume]:
    """Along an axis: numbers of the known positions around each position, and the weight of the second.

    Parameters
    ----------
    known
        Ascending positions; beyond the first and the last, these are taken.
    positions
        Positions, in the same unit.
    """
    after = np.clip(np.searchsorted(known, positions, side="right"), 1, max(len(known) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(known) - 1)
    distance = np.maximum(known[after] - known[before], 1)
    return before, after, np.clip((positions - known[before]) / distance, 0.0, 1.0)


def on_grid(values: NDArray[Any], known: Sequence[Any], positions: Sequence[Volume]) -> Volume:
    """Values on a grid of known positions, at another grid of positions; NaN where no neighbour is a finite number."""
    around = [neighbours(*along) for along in zip(known, positions, strict=True)]
    needed = [np.unique(np.concatenate([before, after])) for before, after, _ in around]
    part = values[np.ix_(*needed)].astype(np.float64)
    counts = np.isfinite(part)
    totals = [np.where(counts, part, 0.0), counts.astype(np.float64)]
    for axis, ((before, after, weight), used) in enumerate(zip(around, needed, strict=True)):
        along = weight.reshape([-1 if axis == other else 1 for other in range(values.ndim)])
        one, two = np.searchsorted(used, before), np.searchsorted(used, after)
        totals = [np.take(total, one, axis) * (1 - along) + np.take(total, two, axis) * along for total in totals]
    return _mean(*totals)


def at_points(
    read: Callable[[tuple[NDArray[np.int64], ...]], tuple[Volume, NDArray[np.bool_]]],
    positions: Volume,
    shape: tuple[int, ...],
) -> Volume:
    """Values at points, ``(axes, points)``, from the voxels around them; NaN where none of them counts.

    Parameters
    ----------
    read
        Gives the values of voxels, and which of them count.
    """
    around = [neighbours(np.arange(n), position) for n, position in zip(shape, positions, strict=True)]
    total, weights = np.zeros(positions.shape[1]), np.zeros(positions.shape[1])
    for corner in itertools.product((0, 1), repeat=len(shape)):
        weight = np.ones(positions.shape[1])
        for side, (_, _, after) in zip(corner, around, strict=True):
            weight = weight * (after if side else 1 - after)
        used = weight > 0
        values, counts = read(tuple(a[side][used].astype(np.int64) for side, a in zip(corner, around, strict=True)))
        total[used] += np.where(counts, values, 0.0) * weight[used]  # NaN, multiplied, may be an error
        weights[used] += np.where(counts, weight[used], 0.0)
    return _mean(total, weights)


def _mean(total: Volume, weight: Volume) -> Volume:
    mean: Volume = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
    return mean
