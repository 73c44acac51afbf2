"""Plain bits under the symbols of a piece, compiled: those of `tinc_codec.detail.bits` in the same order."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.bits import LARGEST, LENGTH
from tinc_codec.detail.contexts import MAGNITUDES
from tinc_codec.detail.tables import ESCAPE

_TOGETHER = 16
"""Magnitudes that are passed over together where all are 0."""

TOKENS_OF = np.searchsorted(MAGNITUDES, np.arange(256)).astype(np.int64)
"""Tokens by what they count as."""


@jit
def _take(words: Any, at: int, bits: int) -> Any:
    """A number of `bits` bits, at most 31; those beyond the end are 0."""
    place, wide = at >> 5, np.uint64(0)
    if place < len(words):
        wide = np.uint64(words[place])
    if place + 1 < len(words):
        wide |= np.uint64(words[place + 1]) << np.uint64(32)
    return np.int64((wide >> np.uint64(at & 31)) & np.uint64((1 << bits) - 1))


@jit
def put_bits(words: Any, at: int, value: int, bits: int) -> Any:
    """Append a number of `bits` bits, at most 31; where the next one goes."""
    wide = np.uint64(value) << np.uint64(at & 31)
    words[at >> 5] |= np.uint32(wide & np.uint64(4294967295))
    words[(at >> 5) + 1] |= np.uint32(wide >> np.uint64(32))
    return at + bits


@jit
def bit_length(value: int) -> Any:
    """Bits up to the leading one; 0 has none."""
    length = 0
    while value:
        value >>= 1
        length += 1
    return length


@jit
def rows_of(band: Any, box: Any) -> Any:
    """Where the rows of a box of a band begin among all numbers."""
    sizes = box[:, 1] - box[:, 0]
    out, count = np.zeros(sizes[0] * sizes[1] * sizes[2], np.int64), 0
    for t in range(box[0, 0], box[0, 1]):
        for z in range(box[1, 0], box[1, 1]):
            for y in range(box[2, 0], box[2, 1]):
                out[count] = band[0] + ((t * band[2] + z) * band[3] + y) * band[4] + box[3, 0]
                count += 1
    return out


@jit
def _any(row: Any) -> Any:
    """Whether any is not 0."""
    total = np.uint8(0)
    for x in range(len(row)):
        total |= row[x]
    return total != 0


@jit
def _take_escapes(
    words: Any, at: int, rows: Any, n: int, every: bool, magnitudes: Any, places: Any, values: Any
) -> Any:
    """Places and tokens, those that are not 0 or `every` one; where the next bits are, and how many there are."""
    count = 0
    for begin in rows:
        for first in range(begin, begin + n, _TOGETHER):
            mine = magnitudes[first : min(first + _TOGETHER, begin + n)]
            if not (every or _any(mine)):
                continue
            for x in range(len(mine)):  # without a branch, which could not be foretold
                value = TOKENS_OF[mine[x]]
                places[count], values[count] = first + x, value
                if value == ESCAPE:
                    bits = _take(words, at, LENGTH)
                    values[count] += (np.int64(1) << bits) - 1 + _take(words, at + LENGTH, bits)
                    at += LENGTH + bits
                count += every | (value > 0)
    return at, count


@jit
def take_band(words: Any, at: int, rows: Any, n: int, shift: int, magnitudes: Any, numbers: Any) -> Any:
    """Numbers of one band in a box, whose magnitudes are there; where the next bits are, -1: one is too large.

    Each number is written once, as it is in the end, since threads may read the same piece at the same time.

    Parameters
    ----------
    rows, n
        Where the box has rows of so many numbers, all of them 0.
    """
    places, values = np.empty(len(rows) * n + 1, np.int64), np.empty(len(rows) * n + 1, np.int64)
    at, count = _take_escapes(words, at, rows, n, shift > 0, magnitudes, places, values)
    if shift:
        for k in range(count):
            values[k] = (values[k] << shift) + _take(words, at, shift)
            at += shift
    for k in range(count):
        value = values[k]
        if value > LARGEST:
            return -1
        if value:
            numbers[places[k]] = value * (1 - 2 * _take(words, at, 1))
            at += 1
    return at


@jit
def put_band(words: Any, at: int, rows: Any, n: int, shift: int, numbers: Any) -> Any:
    """Append what `take_band` takes."""
    for begin in rows:
        for number in numbers[begin : begin + n]:
            beyond = (abs(np.int64(number)) >> shift) - ESCAPE + 1
            if beyond > 0:
                bits = bit_length(beyond) - 1
                at = put_bits(words, put_bits(words, at, bits, LENGTH), beyond - (np.int64(1) << bits), bits)
    if shift:
        for begin in rows:
            for number in numbers[begin : begin + n]:
                at = put_bits(words, at, abs(np.int64(number)) & ((1 << shift) - 1), shift)
    for begin in rows:
        for number in numbers[begin : begin + n]:
            if number:
                at = put_bits(words, at, 1 if number < 0 else 0, 1)
    return at


@jit
def nothing_from(words: Any, at: int) -> Any:
    """Whether all bits from here on are 0."""
    while at < 32 * len(words):
        bits = min(31, 32 * len(words) - at)
        if _take(words, at, bits):
            return False
        at += bits
    return True
