"""The decoder of FORMAT.md, "Lanes", compiled by numba: four lanes at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.stream.ans_lanes import LANES
from tinc_codec.stream.entropy import PRECISION, TOTAL, WORD


@jit
def begin(words: Any, ends: Any, state: Any) -> None:
    """Set the states: the number of each lane, then where the words end that each has left, then where they begin."""
    for lane in range(LANES):
        number, left, bottom = np.uint64(0), np.uint64(ends[lane + 1]), np.uint64(ends[lane])
        if left > bottom:
            left -= np.uint64(1)
            number = np.uint64(words[left])
        state[lane], state[LANES + lane] = _refilled(words, number, left, bottom)
        state[2 * LANES + lane] = bottom


@jit
def _refilled(words: Any, number: Any, left: Any, bottom: Any) -> Any:
    """The state with one more word, where it is small and there is one; no branch, which could not be foretold."""
    rest = left - np.uint64(left > bottom)
    word = np.uint64(words[rest])  # whether it is taken or not: it need not wait for the number
    small = (number < np.uint64(1 << WORD)) & (rest < left)
    return (number << np.uint64(WORD)) | word if small else number, rest if small else left


@jit
def _next(words: Any, number: Any, left: Any, bottom: Any, cumulated: Any, first: Any, shift: int) -> Any:
    """A symbol of one lane, and the state after it."""
    quantile = number & np.uint64(TOTAL - 1)
    symbol = np.int64(first[np.int64(quantile >> np.uint64(shift))])
    while cumulated[symbol + 1] <= quantile:
        symbol += 1
    low = cumulated[symbol]
    number = (number >> np.uint64(PRECISION)) * (cumulated[symbol + 1] - low) + (quantile - low)
    number, left = _refilled(words, number, left, bottom)
    return number, left, symbol


@jit
def take(words: Any, state: Any, cumulated: Any, first: Any, shift: int, symbols: Any) -> None:
    """Fill `symbols` from a table; there is one for any words."""
    a, b, c, d = state[0], state[1], state[2], state[3]
    at_a, at_b, at_c, at_d = state[4], state[5], state[6], state[7]
    end_a, end_b, end_c, end_d = state[8], state[9], state[10], state[11]
    together = len(symbols) - len(symbols) % LANES
    for k in range(0, together, LANES):
        a, at_a, symbol_a = _next(words, a, at_a, end_a, cumulated, first, shift)
        b, at_b, symbol_b = _next(words, b, at_b, end_b, cumulated, first, shift)
        c, at_c, symbol_c = _next(words, c, at_c, end_c, cumulated, first, shift)
        d, at_d, symbol_d = _next(words, d, at_d, end_d, cumulated, first, shift)
        symbols[k], symbols[k + 1], symbols[k + 2], symbols[k + 3] = symbol_a, symbol_b, symbol_c, symbol_d
    state[0], state[1], state[2], state[3] = a, b, c, d
    state[4], state[5], state[6], state[7] = at_a, at_b, at_c, at_d
    for lane in range(len(symbols) - together):
        state[lane], state[LANES + lane], symbols[together + lane] = _next(
            words, state[lane], state[LANES + lane], state[2 * LANES + lane], cumulated, first, shift
        )
