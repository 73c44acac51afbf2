"""The range decoder of FORMAT.md, "Range decoder", compiled by numba: several times as fast as constriction's.

Encoding stays constriction's; so does decoding where numba is not installed. Both give the same symbols.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.stream.entropy import PRECISION, TOTAL, WORD

RANGE_STATE = 3
"""Numbers in the range decoder's state."""


class Lookup:
    """A table of frequencies of sum `TOTAL`, prepared for decoding.

    A symbol is looked for from the first one of its quantile's leading `bits` on.
    """

    def __init__(self, frequencies: NDArray[np.int64], bits: int = 6) -> None:
        self.shift = PRECISION - bits
        self.cumulated = np.concatenate([np.zeros(1, np.int64), np.cumsum(frequencies)]).astype(np.uint64)
        begins = np.arange(1 << bits, dtype=np.uint64) << np.uint64(self.shift)
        self.first = (np.searchsorted(self.cumulated, begins, side="right") - 1).astype(np.int32)


@jit
def begin(words: Any, state: Any) -> None:
    """Set the state: the point minus the range's lower end, the range, and the number of the next word."""
    state[0] = np.uint64(0)
    for place in range(2):
        word = np.uint64(words[place]) if place < len(words) else np.uint64(0)
        state[0] = (state[0] << np.uint64(WORD)) | word
    state[1] = ~np.uint64(0)
    state[2] = np.uint64(2)


@jit
def ended(words: Any, state: Any) -> Any:
    """Whether nothing is there beyond what the symbols that were taken need."""
    untouched = state[1] == np.uint64(18446744073709551615)
    return state[2] >= np.uint64(len(words)) and (untouched or state[0] < np.uint64(8589934591))


@jit
def _advanced(words: Any, ahead: Any, span: Any, at: int) -> Any:
    """The state after a symbol, with the next word taken where the range has become small."""
    if span < np.uint64(1 << WORD):
        word = np.uint64(words[at]) if at < len(words) else np.uint64(0)
        return (ahead << np.uint64(WORD)) | word, span << np.uint64(WORD), at + 1
    return ahead, span, at


@jit
def take(words: Any, state: Any, cumulated: Any, first: Any, shift: int, symbols: Any) -> bool:
    """Fill `symbols` from a table; False: no encoder wrote these words."""
    ahead, span, at = state[0], state[1], np.int64(state[2])
    for k in range(len(symbols)):
        scale = span >> np.uint64(PRECISION)
        quantile = ahead // scale
        if quantile >= np.uint64(TOTAL):
            return False
        symbol = np.int64(first[np.int64(quantile >> np.uint64(shift))])
        while cumulated[symbol + 1] <= quantile:
            symbol += 1
        ahead, span, at = _advanced(
            words, ahead - scale * cumulated[symbol], scale * (cumulated[symbol + 1] - cumulated[symbol]), at
        )
        symbols[k] = symbol
    state[0], state[1], state[2] = ahead, span, np.uint64(at)
    return True


@jit
def take_bits(words: Any, state: Any, bits: int, symbols: Any) -> bool:
    """Fill `symbols` from the table of ``2 ** bits`` that are all as likely."""
    ahead, span, at = state[0], state[1], np.int64(state[2])
    shift = np.uint64(PRECISION - bits)
    for k in range(len(symbols)):
        scale = span >> np.uint64(PRECISION)
        quantile = ahead // scale
        if quantile >= np.uint64(TOTAL):
            return False
        symbol = quantile >> shift
        ahead, span, at = _advanced(words, ahead - scale * (symbol << shift), scale << shift, at)
        symbols[k] = symbol
    state[0], state[1], state[2] = ahead, span, np.uint64(at)
    return True
