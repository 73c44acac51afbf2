"""Tables of weights and of classes, and the symbols that they code, compiled by numba."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba import ans_lanes as lanes_numba
from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.entropy import RANGE_STATE, take
from tinc_codec.stream import entropy
from tinc_codec.stream.entropy import PLACES, PRECISION, TOTAL
from tinc_codec.tree.model import AMPLITUDE

MOST_BITS, FEWEST_BITS = 12, 6
"""A symbol is looked for from the first one of its quantile's leading bits on; this many of them."""

_decay = jit(entropy.decay)


@jit
def enter(symbols: Any, largest: int, weights: Any, reach: Any) -> None:
    """Put a tensor's symbols into the rows of its weights, and into `reach` what each row may add to a sum."""
    rows, least = len(reach), np.int32(largest)
    columns, step = len(symbols) // rows, len(weights) // rows
    for row in range(rows):
        total = np.int32(0)
        taken, entered = symbols[row * columns : (row + 1) * columns], weights[row * step : (row + 1) * step]
        for column in range(columns):
            value = np.int32(taken[column] - least)
            entered[column] = value
            total += abs(value)
        for column in range(columns, step):
            entered[column] = 0
        reach[row] = np.int64(total) * AMPLITUDE


@jit
def laplace(words: Any, state: Any, table: int, largest: int, symbols: Any) -> Any:
    """Take symbols of a Laplace table; False: no encoder wrote these words."""
    bits = FEWEST_BITS  # as many as pay: to fill `first` takes time, too
    while bits < MOST_BITS and 1 << bits < len(symbols) // 2:
        bits += 1
    cumulated, first = np.empty(2 * largest + 2, np.uint64), np.empty(1 << bits, np.int32)
    laplace_table(table, largest, cumulated)
    look_up(cumulated, first)
    return _take(words, state, cumulated, first, PRECISION - bits, symbols)


@jit
def by_counts(words: Any, state: Any, counts: Any, symbols: Any) -> Any:
    """Take symbols that occur `counts` times, of sum ``len(symbols)``; False: no encoder wrote these words.

    The table is `tinc_codec.stream.entropy.Table.of`'s.
    """
    likeliest = 0
    for k in range(1, len(counts)):
        likeliest = k if counts[k] > counts[likeliest] else likeliest
    if counts[likeliest] == len(symbols):
        symbols[:] = likeliest
        return True
    cumulated, first = np.zeros(len(counts) + 1, np.uint64), np.empty(1 << FEWEST_BITS, np.int32)
    spare, rest = TOTAL - len(counts), TOTAL
    for k in range(len(counts)):
        rest -= 1 + counts[k] * spare // len(symbols)
    for k in range(len(counts)):
        frequency = 1 + counts[k] * spare // len(symbols) + (rest if k == likeliest else 0)
        cumulated[k + 1] = cumulated[k] + np.uint64(frequency)
    look_up(cumulated, first)
    return _take(words, state, cumulated, first, PRECISION - FEWEST_BITS, symbols)


@jit
def _take(words: Any, state: Any, cumulated: Any, first: Any, shift: int, symbols: Any) -> Any:
    good = True
    if len(state) == RANGE_STATE:  # the state says whose it is
        good = take(words, state, cumulated, first, shift, symbols)
    else:
        lanes_numba.take(words, state, cumulated, first, shift, symbols)
    return good


@jit
def laplace_table(table: int, largest: int, cumulated: Any) -> None:
    """`tinc_codec.stream.entropy.laplace_frequencies`, cumulated, into an array of ``2 * largest + 2``."""
    numerator, exponent = _decay(table)
    one, r = np.int64(1) << PLACES, numerator << (PLACES - exponent)
    square = _product(r, r)
    total, weight = one - r, _product(r, one - square) >> 1
    tail = np.empty(largest, np.int64)  # of 1 .. largest
    for k in range(largest):
        tail[k] = weight
        total += 2 * weight
        weight = _product(weight, square)
    spare, both = np.int64(TOTAL - (2 * largest + 1)), np.int64(0)
    for k in range(largest):
        tail[k] = 1 + _quotient(tail[k], spare, total)
        both += 2 * tail[k]
    cumulated[0] = np.uint64(0)
    for k in range(largest):
        cumulated[k + 1] = cumulated[k] + np.uint64(tail[largest - 1 - k])
    cumulated[largest + 1] = cumulated[largest] + np.uint64(TOTAL - both)
    for k in range(largest):
        cumulated[largest + 2 + k] = cumulated[largest + 1 + k] + np.uint64(tail[k])


@jit
def look_up(cumulated: Any, first: Any) -> None:
    """Where to begin to look for a quantile, by its leading bits; `first` has a power of 2 of entries."""
    symbol, step = 0, np.uint64(TOTAL // len(first))
    for cell in range(len(first)):
        while cumulated[symbol + 1] <= np.uint64(cell) * step:
            symbol += 1
        first[cell] = symbol


@jit
def _product(a: Any, b: Any) -> Any:
    """``a * b >> PLACES`` of numbers from 0 to 1, by halves of their places."""
    half, mask = np.uint64(PLACES // 2), np.uint64((1 << PLACES // 2) - 1)
    p, q = np.uint64(a), np.uint64(b)
    middle = (p >> half) * (q & mask) + (p & mask) * (q >> half) + ((p & mask) * (q & mask) >> half)
    return np.int64((p >> half) * (q >> half) + (middle >> half))


@jit
def _quotient(weight: Any, spare: Any, total: Any) -> Any:
    """``weight * spare // total`` where that is below `TOTAL` and `total` at most 1."""
    quotient = np.int64(np.float64(weight) * np.float64(spare) / np.float64(total))  # off by 1 at most
    rest = weight * spare - quotient * total  # modulo 2^64; what it stands for fits
    while rest < 0:
        quotient, rest = quotient - 1, rest + total
    while rest >= total:
        quotient, rest = quotient + 1, rest - total
    return quotient
