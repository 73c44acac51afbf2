"""Signed integers as tokens with extra bits, and tables of the tokens' frequencies in one byte each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BITS = 4
"""Leading bits of a number that a token says."""

DIRECT = 1 << _BITS
"""Zigzag numbers below this are tokens of their own; above, a token says the leading bits."""

LEADING = DIRECT // 2
"""Tokens of the numbers from one power of two to the next: the first of the leading bits is 1."""

MOST_TOKENS = 256

MOST_EXTRA = 1 + (MOST_TOKENS - 1 - DIRECT) // LEADING
"""Extra bits of a token, at most."""

LARGEST_COUNT = 2**18
"""Counts of a table are scaled down to this."""

_STEPS = 16
"""Counts that a byte tells apart from one power of two to the next."""

PIECE = 12
"""Extra bits are coded at most this many at a time, low ones first."""


def zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    return np.where(values < 0, -2 * values - 1, 2 * values)


def unzigzag(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The inverse of `zigzag`."""
    return np.where(numbers & 1, -(numbers + 1 >> 1), numbers >> 1)


class Split(NamedTuple):
    """Numbers as tokens, numbers of extra bits, and extra bits."""

    tokens: NDArray[np.uint8]
    sizes: NDArray[np.uint8]
    extra: NDArray[np.int64]


def split(numbers: NDArray[np.int64]) -> Split:
    """Split non-negative integers below 2^34."""
    if not numbers.size or numbers.max() < DIRECT:
        return Split(numbers.astype(np.uint8), np.zeros(numbers.shape, np.uint8), np.zeros(numbers.shape, np.int64))
    length = np.frexp(numbers.astype(np.float64))[1].astype(np.int64)
    size = np.where(numbers < DIRECT, 0, length - _BITS)
    token = np.where(numbers < DIRECT, numbers, DIRECT + (size - 1) * LEADING + (numbers >> size) % LEADING)
    return Split(token.astype(np.uint8), size.astype(np.uint8), numbers & ((np.int64(1) << size) - 1))


def extra_bits(tokens: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number of extra bits of each token."""
    return np.where(tokens < DIRECT, 0, 1 + (tokens.astype(np.int64) - DIRECT) // LEADING)


def join(tokens: NDArray[np.uint8], extra: NDArray[np.int64]) -> NDArray[np.int64]:
    """The inverse of `split`."""
    size = extra_bits(tokens)
    leading = LEADING + (tokens.astype(np.int64) - DIRECT) % LEADING
    return np.where(tokens < DIRECT, tokens.astype(np.int64), (leading << size) + extra)


def to_byte(count: int) -> int:
    """Round a count of at most `LARGEST_COUNT` to a byte: itself below 16, else an exponent and the next four bits."""
    if count < _STEPS:
        return count
    exponent = count.bit_length() - _STEPS.bit_length()
    mantissa = (count + (1 << exponent >> 1)) >> exponent
    if mantissa == 2 * _STEPS:
        mantissa, exponent = _STEPS, exponent + 1
    return exponent * _STEPS + mantissa


def from_byte(byte: int) -> int:
    """The count that a byte stands for."""
    return byte if byte < _STEPS else (_STEPS + byte % _STEPS) << (byte // _STEPS - 1)


def frequencies(counts: NDArray[np.int64]) -> bytes:
    """A table: one byte for each token up to the largest that was counted, 0 only for those that do not occur."""
    counts = np.trim_zeros(counts, "b").astype(np.float64)
    scale = min(1.0, LARGEST_COUNT / max(counts.max(initial=0), 1))
    return bytes(to_byte(max(1, round(count * scale))) if count else 0 for count in counts)
