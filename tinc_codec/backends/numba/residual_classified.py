"""Contexts and tokens of the voxels of a pass, compiled: see `tinc_codec.residual.classified`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.residual import tokens
from tinc_codec.residual.classified import Classified
from tinc_codec.residual.tokens import DIRECT, LEADING, MOST_TOKENS
from tinc_codec.runtime.threads import evenly

_BLOCK = 2**12
"""Voxels that threads share by."""

_WORTH = 2**14
"""Voxels that are worth a thread."""


def classified(expected: NDArray[np.float64], steps: NDArray[np.int64], thresholds: NDArray[np.int64]) -> Classified:
    """See `tinc_codec.residual.classified.classified`."""
    count, limits = len(steps), thresholds.astype(np.float64)
    context, token, size = (np.empty(count, np.uint8) for _ in range(3))
    extra, counts = np.zeros(count, np.int64), [np.zeros((len(limits) + 1, MOST_TOKENS), np.int64)]

    def some(begin: int, end: int) -> None:
        counts.append(np.zeros_like(counts[0]))
        first, last = begin * _BLOCK, min(end * _BLOCK, count)
        _classified(expected, steps, limits, context, token, size, extra, counts[-1], first, last)

    evenly(some, -(-count // _BLOCK), _BLOCK, _WORTH)
    return Classified(context, tokens.Split(token, size, extra), np.sum(counts, axis=0))


@jit
def _classified(
    expected: Any, steps: Any, thresholds: Any, contexts: Any, tokens: Any, sizes: Any, extra: Any, counts: Any,
    first: int, last: int,
) -> None:  # fmt: skip
    for k in range(first, last):
        low, high = 0, len(thresholds)
        while low < high:
            middle = (low + high) >> 1
            if thresholds[middle] <= expected[k]:
                low = middle + 1
            else:
                high = middle
        number, size = -2 * steps[k] - 1 if steps[k] < 0 else 2 * steps[k], 0
        token = number
        if number >= DIRECT:
            while number >> size >= DIRECT:
                size += 1
            token = DIRECT + (size - 1) * LEADING + (number >> size) % LEADING
            extra[k] = number & ((1 << size) - 1)
        contexts[k], tokens[k], sizes[k] = low, token, size
        counts[low, token] += 1
