"""Coefficients from numbers, compiled: the integers of `tinc_codec.detail.scale.coefficients`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.scale import CENTRE

_HALF = 1 << (2 * CENTRE - 1)


@jit
def enter_row(numbers: Any, step: int, one: int, more: int, out: Any) -> Any:
    """Coefficients of a row of numbers; whether any is not 0: else `out` stays as it is."""
    some = np.int32(0)
    for x in range(len(numbers)):
        some |= numbers[x]
    if some == 0:
        return False
    for x in range(len(numbers)):
        number = np.int64(numbers[x])
        magnitude = abs(number)
        centre = one if magnitude == 1 else more
        value = (((magnitude << CENTRE) + centre) * step + _HALF) >> (2 * CENTRE)
        out[x] = np.int32(0 if number == 0 else (-value if number < 0 else value))
    return True
