"""Samples from what the inverse transform gives: scaled, rounded, clipped to the range of the chunk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.scale import Scale, times_power

_BLOCK = 2**14
"""Samples that are made at a time, so that what is between stays in cache."""


def to_dtype(values: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Round and clip to a dtype; `values` have no NaN."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            cast: NDArray[Any] = values.astype(dtype)
        return cast
    info = np.iinfo(dtype)
    top = float(info.max) if dtype.itemsize < 8 else float(np.nextafter(float(info.max), 0.0))
    return np.clip(np.rint(values), float(info.min), top).astype(dtype)


def unrounded(integers: NDArray[np.int32], scale: Scale) -> NDArray[np.float64]:
    """Samples in floats; exact in every step but the last sum."""
    with np.errstate(over="ignore", invalid="ignore"):  # of what no encoder wrote
        return scale.origin + times_power(integers.astype(np.float64), scale.exponent)


def samples(
    integers: NDArray[np.int32], above: NDArray[Any] | None, scale: Scale, low: Any, high: Any, out: NDArray[Any]
) -> None:
    """Samples of one axis.

    Parameters
    ----------
    above
        What is added to them; None: nothing.
    low, high
        What they are clipped to: scalars of the dtype of `out`, `low` not above `high`.
    """
    for first in range(0, len(out), _BLOCK):
        here = slice(first, first + _BLOCK)
        values = unrounded(integers[here], scale)
        if above is not None:
            values += above[here]
        part = to_dtype(values, out.dtype)
        part[part < low] = low  # by comparison: a zero keeps its own sign, as FORMAT.md says
        part[part > high] = high
        out[here] = part
