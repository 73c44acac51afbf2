"""The wavelet: CDF 9/7 by four lifting steps along an axis, without scaling; its inverse in integers is exact.

A sample after a step is what it was plus a factor times the sum of its two neighbours, which have the other parity; at
the ends the one neighbour counts twice. Even samples become the low half, odd ones the high one. An axis of length 1
stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PLACES = 16
"""Binary places of the factors."""

FACTORS = (-103949, -3472, 57862, 29066)
"""Of the steps, first that of the high half, then that of the low half, and both again."""


def _neighbours(axis: NDArray[Any], count: int, of_low: bool) -> NDArray[Any]:
    """Sums of both neighbours of each sample of the other half, along the first axis."""
    last = axis[-1:]
    if of_low:  # high half: before and at the same number
        before = np.concatenate([axis[:1], axis])[:count]
        after = np.concatenate([axis, last])[:count]
    else:  # low half: at the same number and after
        before = axis[:count]
        after = np.concatenate([axis[1:], last])[:count]
    return np.asarray(before + after)


def inverse(low: NDArray[np.int32], high: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    """Join both halves of an axis; int32 in and out, sums and products wrap as int32 and int64 do."""
    s, d = np.moveaxis(low, axis, 0), np.moveaxis(high, axis, 0)
    if not len(d):
        return low
    for number in (3, 2, 1, 0):
        if number % 2:
            s = s - _product(_neighbours(d, len(s), True), FACTORS[number])
        else:
            d = d - _product(_neighbours(s, len(d), False), FACTORS[number])
    out = np.empty((len(s) + len(d), *s.shape[1:]), np.int32)
    out[0::2], out[1::2] = s, d
    return np.moveaxis(out, 0, axis)


def _product(sums: NDArray[np.int32], factor: int) -> NDArray[np.int32]:
    return (sums * np.int64(factor) + (1 << (PLACES - 1)) >> PLACES).astype(np.int32)


def forward(samples: NDArray[np.floating[Any]], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Low and high half of an axis, in floats: the encoder's side."""
    x = np.moveaxis(samples, axis, 0)
    s, d = x[0::2].copy(), x[1::2].copy()
    if len(d):
        for number, factor in enumerate(FACTORS):
            if number % 2:
                s += _neighbours(d, len(s), True) * (factor / 2**PLACES)
            else:
                d += _neighbours(s, len(d), False) * (factor / 2**PLACES)
    return np.moveaxis(s, 0, axis), np.moveaxis(d, 0, axis)
