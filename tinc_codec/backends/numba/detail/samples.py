"""Samples from integers in one pass, compiled: those of `tinc_codec.detail.samples`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail import samples as reference
from tinc_codec.detail.scale import USUAL_EXPONENT, Scale

_COMPILED = frozenset(np.dtype(name) for name in ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"))
"""What is between 64-bit integers is no float64, and float16 is nothing that numba computes with."""


def samples(
    integers: NDArray[np.int32], above: NDArray[Any] | None, scale: Scale, low: Any, high: Any, out: NDArray[Any]
) -> None:
    """Samples of one axis; on top of other ones, or of a dtype that is not compiled, as the reference makes them."""
    if above is not None or out.dtype not in _COMPILED or abs(scale.exponent) >= USUAL_EXPONENT:
        reference.samples(integers, above, scale, low, high, out)
    elif out.dtype.kind == "f":
        _real(integers, scale.origin, 2.0**scale.exponent, low, high, out)
    else:
        _whole(integers, scale.origin, 2.0**scale.exponent, float(low), float(high), out)


@jit
def _whole(integers: Any, origin: float, unit: float, low: float, high: float, out: Any) -> None:
    for k in range(len(out)):
        value = np.rint(origin + integers[k] * unit)
        out[k] = min(max(value, low), high)


@jit
def _real(integers: Any, origin: float, unit: float, low: Any, high: Any, out: Any) -> None:
    for k in range(len(out)):
        out[k] = origin + integers[k] * unit
        if out[k] < low:
            out[k] = low
        elif out[k] > high:
            out[k] = high
