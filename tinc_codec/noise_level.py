"""How noisy samples are: a robust standard deviation of what neighbours do not share."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import UnsupportedDataError

_CELLS = 512
"""Differences in a block, about: so many that the deviation of one block is known to a few per cent."""

_MOST_BLOCKS = 2048
"""Blocks that are looked at; of larger arrays so many, evenly spread."""

_MEDIAN_OF_NORMAL = 0.6744897501960817
"""Median magnitude of a standard normal variable."""


def noise(array: Any) -> float:
    """Standard deviation of the noise of an array, in its own units; the unit in which to think of `max_error`.

    Differences of neighbours along the last three axes at once (the finest diagonal band of Haar's wavelet) hold noise
    and hardly any structure. Each small block gives a robust deviation of them, and the answer is the median of the
    blocks: where noise grows with the signal, as that of photons does, it is that of a typical place. The rounding of
    integers is a part of it, and noise that neighbours share (after resampling or smoothing) is not seen.

    Parameters
    ----------
    array
        Integers or floats of any shape, in memory or not: what is asked of it is ``shape``, ``dtype`` and slices. Only
        2,048 blocks of it, about 4,000 voxels each, are read. NaN and infinities are left out.

    Returns
    -------
    float
        0 where there is nothing but flat regions, as in labels, masks and backgrounds of one value.

    Raises
    ------
    UnsupportedDataError
        The samples are not real numbers, or there are none.

    Examples
    --------
    >>> TINCCodec(max_error=2 * noise(volume))  # doctest: +SKIP
    """
    array = array if hasattr(array, "shape") and hasattr(array, "dtype") else np.asarray(array)
    if np.dtype(array.dtype).kind not in "iuf" or 0 in array.shape:
        raise UnsupportedDataError(
            f"noise is measured of integers or floats, and an array of shape {tuple(array.shape)} and dtype "
            f"{array.dtype} was given"
        )
    deviations = [_deviation(np.asarray(array[block])) for block in _blocks(tuple(array.shape))]
    known = [deviation for deviation in deviations if deviation is not None]
    return float(np.median(known)) if known else 0.0


def _axes(shape: tuple[int, ...]) -> list[int]:
    """The axes along which neighbours are compared: the last three that have some."""
    return [axis for axis, n in enumerate(shape) if n > 1][-3:]


def _blocks(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Where to look: blocks that cover the array, of which at most `_MOST_BLOCKS` are taken."""
    axes = _axes(shape)
    edge = 2 * round(_CELLS ** (1 / max(len(axes), 1)))
    edges = [min(edge, n // 2 * 2) if axis in axes else 1 for axis, n in enumerate(shape)]
    counts = [-(-n // e) for n, e in zip(shape, edges, strict=True)]
    total = math.prod(counts)
    for number in range(min(total, _MOST_BLOCKS)):
        place = number if total <= _MOST_BLOCKS else (2 * number + 1) * total // (2 * _MOST_BLOCKS)
        starts = []
        for n, e, count in zip(reversed(shape), reversed(edges), reversed(counts), strict=True):
            place, along = divmod(place, count)
            starts.append(along * (n - e) // max(count - 1, 1))  # the last ends where the array does
        yield tuple(slice(start, start + e) for start, e in zip(reversed(starts), edges, strict=True))


def _deviation(block: NDArray[Any]) -> float | None:
    """Robust deviation of a block's noise; None where half of it or more is flat, or is no number."""
    cells = _corners(block.astype(np.float64))
    flat, band = np.ones(cells[0].shape, bool), np.zeros(cells[0].shape)
    with np.errstate(invalid="ignore"):  # of infinities
        for number, corner in enumerate(cells):
            flat &= corner == cells[0]
            band += corner if _even(number) else -corner
    known = np.isfinite(band)
    magnitudes, varied = (np.abs(band[which]) / math.sqrt(len(cells)) for which in (known, known & ~flat))
    if 2 * varied.size <= band.size:
        return None
    return _median_of_groups(magnitudes if _is_chance(varied) else varied) / _MEDIAN_OF_NORMAL


def _is_chance(varied: NDArray[np.float64]) -> bool:
    """Whether noise is so small beside the step of the samples that some cells are flat by chance."""
    return float(np.median(varied)) < 1.5 * float(np.min(varied, where=varied > 0, initial=math.inf))


def _even(number: int) -> bool:
    return number.bit_count() % 2 == 0


def _corners(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Every second sample along the axes of neighbours, by which of the two along each."""
    axes = _axes(values.shape)
    parts = itertools.product((0, 1), repeat=len(axes))
    corners = []
    for part in parts:
        along = dict(zip(axes, part, strict=True))
        corners.append(
            values[tuple(slice(along.get(axis), None, 2 if axis in along else None) for axis in range(values.ndim))]
        )
    return corners


def _median_of_groups(magnitudes: NDArray[np.float64]) -> float:
    """Median where values repeat, as those of integers do: each stands for all up to half way to the next."""
    values, counts = np.unique(magnitudes, return_counts=True)
    middles = (values[1:] + values[:-1]) / 2
    edges = np.concatenate(([0.0], middles, values[-1:]))
    return float(np.interp(magnitudes.size / 2, np.concatenate(([0], np.cumsum(counts))), edges))
