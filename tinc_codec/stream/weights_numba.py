"""All weights of a stream in one compiled call, without the interpreter's lock, so that chunks are parsed together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinc_codec.errors import CorruptStreamError
from tinc_codec.jit import jit
from tinc_codec.stream import lanes_numba
from tinc_codec.stream.entropy_numba import RANGE_STATE, RangeDecoder, take
from tinc_codec.stream.lanes_numba import CompiledLanes
from tinc_codec.tree.model import AMPLITUDE, LARGEST_WEIGHT, Parameters

MOST_BITS, FEWEST_BITS = 12, 6
"""A symbol is looked for from the first one of its quantile's leading bits on; this many of them."""


def decode(
    decoder: RangeDecoder | CompiledLanes, tensors: Sequence[tuple[int, ...]], parameters: Parameters
) -> list[int]:
    """Take the weights and biases of all tensors.

    Parameters
    ----------
    decoder
        Where they are next.
    tensors
        Of each its rows (of all nodes), its columns, the biases' multiplier, and the largest magnitude and the table of
        the weights, then of the biases.
    parameters
        Whose weights and biases, all 0, are filled in.

    Returns
    -------
    list of int
        Of each tensor the bound on its sums, as `tinc_codec.tree.model.Layer.largest_sum`.

    Raises
    ------
    CorruptStreamError
        No encoder wrote these words.
    """
    sums = np.zeros(len(tensors), np.int64)
    table = np.array(tensors, np.int64).reshape(-1, 7)
    if not _take(decoder.words, decoder.state, table, parameters.weights, parameters.biases, sums):
        raise CorruptStreamError("entropy-coded data does not decode")
    return sums.tolist()


@jit
def _take(words: Any, state: Any, tensors: Any, weights: Any, biases: Any, sums: Any) -> bool:
    cumulated = np.zeros(2 * LARGEST_WEIGHT + 2, np.uint64)
    tail, first = np.zeros(LARGEST_WEIGHT, np.int64), np.zeros(1 << MOST_BITS, np.int32)
    weight = bias = 0
    for t in range(len(tensors)):
        rows, columns, multiplier = tensors[t, 0], tensors[t, 1], tensors[t, 2]
        reach, size = np.zeros(rows, np.int64), rows * (columns + columns % 2)
        largest = tensors[t, 3]
        if largest > 0:
            symbols = np.empty(rows * columns, np.int32)
            if not _laplace(words, state, tensors[t, 4], largest, tail, cumulated, first, symbols):
                return False
            _enter(symbols, largest, weights[weight : weight + size], reach)
        largest = tensors[t, 5]
        if largest > 0:
            symbols = biases[bias : bias + rows]
            if not _laplace(words, state, tensors[t, 6], largest, tail, cumulated, first, symbols):
                return False
            for row in range(rows):
                biases[bias + row] -= largest
                reach[row] += abs(np.int64(biases[bias + row])) * multiplier
        weight, bias = weight + size, bias + rows
        for row in range(rows):
            sums[t] = max(sums[t], reach[row])
    return True


@jit
def _enter(symbols: Any, largest: int, weights: Any, reach: Any) -> None:
    """Put a tensor's symbols into the rows of its weights, and into `reach` what each row may add to a sum."""
    rows = len(reach)
    columns, step = len(symbols) // rows, len(weights) // rows
    for row in range(rows):
        total = np.int64(0)
        for column in range(columns):
            value = symbols[row * columns + column] - largest
            weights[row * step + column] = value
            total += abs(value)
        reach[row] = total * AMPLITUDE


@jit
def _laplace(
    words: Any, state: Any, table: int, largest: int, tail: Any, cumulated: Any, first: Any, symbols: Any
) -> bool:
    """Take symbols of a Laplace table; False: no encoder wrote these words."""
    bits = FEWEST_BITS  # as many as pay: to fill `first` takes time, too
    while bits < MOST_BITS and 1 << bits < len(symbols) // 2:
        bits += 1
    laplace(table, largest, tail, cumulated, first[: 1 << bits])
    found = True
    if len(state) == RANGE_STATE:  # the state says whose it is
        found = take(words, state, cumulated, first, 24 - bits, symbols)
    else:
        lanes_numba.take(words, state, cumulated, first, 24 - bits, symbols)
    return found


@jit
def laplace(table: int, largest: int, tail: Any, cumulated: Any, first: Any) -> None:
    """`tinc_codec.stream.entropy.laplace_frequencies`, cumulated, and where to begin to look for a quantile.

    `tail` is for the frequencies of 1 .. largest; `first` has a number of entries that is a power of 2.
    """
    one, exponent = np.int64(1) << 62, 5 + table // 16
    r = ((np.int64(1) << exponent) - (31 - table % 16)) << (62 - exponent)
    square = _product(r, r)
    total, weight = one - r, _product(r, one - square) >> 1
    for k in range(largest):
        tail[k] = weight
        total += 2 * weight
        weight = _product(weight, square)
    spare, both = np.int64((1 << 24) - (2 * largest + 1)), np.int64(0)
    for k in range(largest):
        tail[k] = 1 + _quotient(tail[k], spare, total)
        both += 2 * tail[k]
    cumulated[0] = np.uint64(0)
    for k in range(largest):
        cumulated[k + 1] = cumulated[k] + np.uint64(tail[largest - 1 - k])
    cumulated[largest + 1] = cumulated[largest] + np.uint64((1 << 24) - both)
    for k in range(largest):
        cumulated[largest + 2 + k] = cumulated[largest + 1 + k] + np.uint64(tail[k])
    symbol, step = 0, np.uint64((1 << 24) // len(first))
    for cell in range(len(first)):
        while cumulated[symbol + 1] <= np.uint64(cell) * step:
            symbol += 1
        first[cell] = symbol


@jit
def _product(a: Any, b: Any) -> Any:
    """``a * b >> 62`` of numbers from 0 to 2^62, by halves of 31 bits."""
    half, mask = np.uint64(31), np.uint64((1 << 31) - 1)
    p, q = np.uint64(a), np.uint64(b)
    middle = (p >> half) * (q & mask) + (p & mask) * (q >> half) + ((p & mask) * (q & mask) >> half)
    return np.int64((p >> half) * (q >> half) + (middle >> half))


@jit
def _quotient(weight: Any, spare: Any, total: Any) -> Any:
    """``weight * spare // total`` where that is below 2^24 and `total` at most 2^62."""
    found = np.int64(np.float64(weight) * np.float64(spare) / np.float64(total))  # off by 1 at most
    rest = weight * spare - found * total  # modulo 2^64; what it stands for fits
    while rest < 0:
        found, rest = found - 1, rest + total
    while rest >= total:
        found, rest = found + 1, rest - total
    return found
