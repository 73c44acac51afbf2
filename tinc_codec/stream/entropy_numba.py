"""The range decoder of FORMAT.md, "Range decoder", compiled by numba: several times as fast as constriction's.

Encoding stays constriction's; so does decoding where numba is not installed. Both give the same symbols.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_BUCKETS = 12
"""A symbol is looked for from the first one of its quantile's leading bits on."""

_SHIFT = 24 - _BUCKETS


class Lookup:
    """A table of frequencies of sum 2^24, prepared for decoding."""

    def __init__(self, frequencies: NDArray[np.int64]) -> None:
        self.cumulated = np.concatenate([np.zeros(1, np.int64), np.cumsum(frequencies)]).astype(np.uint64)
        begins = np.arange(1 << _BUCKETS, dtype=np.uint64) << np.uint64(_SHIFT)
        self.first = (np.searchsorted(self.cumulated, begins, side="right") - 1).astype(np.int32)


class RangeDecoder:
    """Takes symbols off 32-bit words."""

    def __init__(self, words: NDArray[np.uint32]) -> None:
        self._words = np.ascontiguousarray(words)
        ahead = [int(word) for word in self._words[:2]] + [0, 0]
        # the point minus the range's lower end, the range, and the number of the next word
        self._state = np.array([ahead[0] << 32 | ahead[1], 2**64 - 1, 2], np.uint64)

    def decode(self, lookup: Lookup, count: int) -> NDArray[np.int32] | None:
        """Take `count` symbols; None: no encoder wrote these words."""
        symbols = np.empty(count, np.int32)
        return symbols if _take(self._words, self._state, lookup.cumulated, lookup.first, symbols) else None


def _compiled(function: Any) -> Any:
    try:
        return njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # there is no folder that compiled code could be kept in
        return njit(function, nogil=True, error_model="numpy")


@_compiled
def _take(words: Any, state: Any, cumulated: Any, first: Any, symbols: Any) -> bool:
    ahead, span, at = state[0], state[1], np.int64(state[2])
    for k in range(len(symbols)):
        scale = span >> np.uint64(24)
        quantile = ahead // scale
        if quantile >= np.uint64(16777216):
            return False
        symbol = np.int64(first[np.int64(quantile >> np.uint64(_SHIFT))])
        while cumulated[symbol + 1] <= quantile:
            symbol += 1
        ahead -= scale * cumulated[symbol]
        span = scale * (cumulated[symbol + 1] - cumulated[symbol])
        if span < np.uint64(4294967296):
            word = np.uint64(words[at]) if at < len(words) else np.uint64(0)
            ahead = (ahead << np.uint64(32)) | word
            span = span << np.uint64(32)
            at += 1
        symbols[k] = symbol
    state[0], state[1], state[2] = ahead, span, np.uint64(at)
    return True
