"""Coefficients from numbers, compiled: the integers of `tinc_codec.detail.scale.Scale.coefficients`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.scale import CENTRE

_HALF = 1 << (2 * CENTRE - 1)


def coefficients(numbers: NDArray[np.int32], step: int, one: int, more: int) -> NDArray[np.int32]:
    """Coefficients from numbers; any cut of four axes."""
    out = np.empty(numbers.shape, np.int32)
    _fill(numbers, step, one, more, out)
    return out


@jit
def _fill(numbers: Any, step: int, one: int, more: int, out: Any) -> None:
    for t in range(out.shape[0]):
        for z in range(out.shape[1]):
            for y in range(out.shape[2]):
                row, target = numbers[t, z, y], out[t, z, y]
                for x in range(len(row)):
                    number = np.int64(row[x])
                    magnitude = abs(number)
                    centre = one if magnitude == 1 else more
                    value = (((magnitude << CENTRE) + centre) * step + _HALF) >> (2 * CENTRE)
                    target[x] = np.int32(0 if number == 0 else (-value if number < 0 else value))
