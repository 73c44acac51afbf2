"""From the low band that is left where the inverse transform stops to means over cells: centred, averaged, scaled."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.lifting import FACTORS, PLACES

_GAIN_PLACES = 30


@lru_cache(maxsize=128)
def inverse_gain(splits: int) -> int:
    """2^30 over the gain of a constant after so many low halves, to the nearest integer."""
    low = high = Fraction(1)
    for number, factor in enumerate(Fraction(value, 1 << PLACES) for value in FACTORS):
        low, high = (low + 2 * factor * high, high) if number % 2 else (low, high + 2 * factor * low)
    return round((1 << _GAIN_PLACES) / low**splits)


def widened(ends: tuple[int, int], length: int, splits: int) -> tuple[int, int]:
    """What of a low band of `length` is needed to centre a part of it, as (begin, end)."""
    begin, end = ends
    if not splits:
        return ends
    return (min(begin, max(0, length - 2)) if end == length else begin), min(end + 1, length)


def centred(
    low: NDArray[np.int32], axis: int, ends: tuple[int, int], had: tuple[int, int], samples: int, splits: int
) -> NDArray[np.int32]:
    """A part of a low band, moved along an axis from the first sample of each cell to the cell's centre.

    The low band of `splits` splits has its samples at the multiples of ``2 ** splits``. Between two of them it is
    linear, and so it is beyond the last one, but not beyond the last sample.

    Parameters
    ----------
    low
        What `widened` says.
    ends, had
        Begin and end of the part, and of what `low` has.
    samples
        Length of the axis before all splits.
    """
    if not splits:
        return low
    wide = np.moveaxis(low, axis, 0).astype(np.int64)
    begin, end = ends[0] - had[0], ends[1] - had[0]
    here, after = wide[begin:end], wide[begin + 1 : end + 1]
    if len(after) < len(here):  # nothing is after the last one of the band
        last = 2 * wide[-1:] - wide[-2:-1] if len(wide) > 1 else wide[-1:]
        after = np.concatenate([after, last])
    ahead = np.full(len(here), (1 << splits) - 1, np.int64)  # halves of a sample
    ahead[-1] = min(ahead[-1], 2 * (samples - 1 - (ends[1] - 1 << splits)))
    ahead = ahead.reshape(-1, *(1,) * (wide.ndim - 1))
    moved = here + (ahead * (after - here) + (1 << splits) >> splits + 1)
    return np.moveaxis(moved.astype(np.int32), 0, axis)


def halved(volume: NDArray[np.int32], axis: int, times: int) -> NDArray[np.int32]:
    """Means of neighbours along an axis, again and again; the last of an odd number stays."""
    for _ in range(times):
        wide = np.moveaxis(volume, axis, 0).astype(np.int64)
        pairs = len(wide) // 2
        means = wide[0 : 2 * pairs : 2] + wide[1 : 2 * pairs : 2] + 1 >> 1
        volume = np.moveaxis(np.concatenate([means, wide[2 * pairs :]]).astype(np.int32), 0, axis)
    return volume


def scaled(low: NDArray[np.int32], splits: int) -> NDArray[np.int32]:
    """A low band over the gain that its splits have."""
    if not splits:
        return low
    half = 1 << (_GAIN_PLACES - 1)
    return (low * np.int64(inverse_gain(splits)) + half >> _GAIN_PLACES).astype(np.int32)


def cells(ends: tuple[int, int], length: int, times: int) -> tuple[int, int]:
    """What of a band of `length` a part of its means is made of."""
    return ends[0] << times, min(ends[1] << times, length)
