"""Signed integers as tokens with extra bits, and tables of the tokens' frequencies in one byte each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DIRECT = 16
"""Zigzag numbers below this are tokens of their own; above, a token says the leading four bits."""

MOST_TOKENS = 256
PIECE = 12
"""Extra bits are coded at most this many at a time, low ones first."""


def zigzag(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, -1, 1, -2, ... as 0, 1, 2, 3, ..."""
    return np.where(values < 0, -2 * values - 1, 2 * values)


def unzigzag(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The inverse of `zigzag`."""
    return np.where(numbers & 1, -(numbers + 1 >> 1), numbers >> 1)


def split(numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int64]]:
    """Tokens, numbers of extra bits, and the extra bits of non-negative integers below 2^34."""
    exponent = np.maximum(np.frexp(numbers.astype(np.float64))[1] - 1, 4)
    size = np.where(numbers < DIRECT, 0, exponent - 3)
    token = np.where(numbers < DIRECT, numbers, DIRECT + (exponent - 4) * 8 + ((numbers >> size) & 7))
    return token.astype(np.uint8), size.astype(np.uint8), numbers & ((np.int64(1) << size) - 1)


def extra_bits(tokens: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number of extra bits of each token."""
    return np.where(tokens < DIRECT, 0, 1 + (tokens.astype(np.int64) - DIRECT) // 8)


def join(tokens: NDArray[np.uint8], extra: NDArray[np.int64]) -> NDArray[np.int64]:
    """The inverse of `split`."""
    size = extra_bits(tokens)
    leading = 8 + (tokens.astype(np.int64) - DIRECT) % 8
    return np.where(tokens < DIRECT, tokens.astype(np.int64), (leading << size) + extra)


def to_byte(count: int) -> int:
    """Round a count up to 2^18 to a byte: itself below 16, else an exponent and the four bits after the leading one."""
    if count < 16:
        return count
    exponent = count.bit_length() - 5
    mantissa = (count + (1 << exponent >> 1)) >> exponent
    if mantissa == 32:
        mantissa, exponent = 16, exponent + 1
    return (exponent + 1) * 16 + mantissa - 16


def from_byte(byte: int) -> int:
    """The count that a byte stands for."""
    return byte if byte < 16 else (16 + byte % 16) << (byte // 16 - 1)


def frequencies(tokens: NDArray[np.uint8]) -> bytes:
    """A table: one byte for each token up to the largest that occurs, 0 only for those that do not."""
    counts = np.bincount(tokens).astype(np.float64)
    scale = min(1.0, 2**18 / max(counts.max(initial=0), 1))
    return bytes(to_byte(max(1, round(count * scale))) if count else 0 for count in counts)


def cost(tokens: NDArray[Any], extra: NDArray[Any]) -> float:
    """Bits that tokens with a table of their own take, extra bits included."""
    counts = np.bincount(tokens)
    counts = counts[counts > 0]
    return float(-(counts * np.log2(counts / counts.sum())).sum() + extra.sum()) + 8 * (1 + len(counts))
