"""The transform of an axis in floats and back to gradients of samples: by the transposed matrix, not the inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.detail.lifting import COLUMNS, copy, split_lines, split_rows
from tinc_codec.detail.lifting import FACTORS, PLACES


@jit
def _spread_line(target: Any, other: Any, factor: float, to_high: bool) -> None:
    """Give each number of `target` those of the other half that it went into; both have a 0 before and after them."""
    count, others, shift = len(target) - 2, len(other) - 2, 1 if to_high else 0
    mine = target[1 : count + 1]
    for k in range(count):
        mine[k] += (other[k + shift] + other[k + shift + 1]) * factor
    if to_high:  # an end counted twice
        mine[0] += other[1] * factor
    if others == count + to_high:
        mine[count - 1] += other[others] * factor


@jit
def _unite_lines(low: Any, high: Any, out: Any, first: int, last: int) -> None:
    n, m = low.shape[1], high.shape[1]
    s, d = np.zeros(n + 2, low.dtype), np.zeros(m + 2, low.dtype)
    one = 1.0 / (1 << PLACES)
    for o in range(first, last):
        s[1 : n + 1] = low[o]
        d[1 : m + 1] = high[o]
        _spread_line(d, s, np.float32(FACTORS[3] * one), True)
        _spread_line(s, d, np.float32(FACTORS[2] * one), False)
        _spread_line(d, s, np.float32(FACTORS[1] * one), True)
        _spread_line(s, d, np.float32(FACTORS[0] * one), False)
        line = out[o]
        for k in range(m):
            line[2 * k] = s[k + 1]
            line[2 * k + 1] = d[k + 1]
        if n > m:
            line[n + m - 1] = s[n]


@jit
def _spread_rows(target: Any, other: Any, factor: float, to_high: bool, width: int) -> None:
    """The same of rows, the first `width` columns."""
    count, others, shift = len(target) - 2, len(other) - 2, 1 if to_high else 0
    for row in range(count):
        mine, left, right = target[row + 1][:width], other[row + shift], other[row + shift + 1]
        for k in range(len(mine)):
            mine[k] += (left[k] + right[k]) * factor
    if to_high:
        mine, left = target[1][:width], other[1]
        for k in range(len(mine)):
            mine[k] += left[k] * factor
    if others == count + to_high:
        mine, left = target[count][:width], other[others]
        for k in range(len(mine)):
            mine[k] += left[k] * factor


@jit
def _unite_rows(low: Any, high: Any, out: Any, first: int, last: int) -> None:
    n, m, blocks = low.shape[1], high.shape[1], -(-low.shape[2] // COLUMNS)
    s, d = np.zeros((n + 2, COLUMNS), low.dtype), np.zeros((m + 2, COLUMNS), low.dtype)
    one = 1.0 / (1 << PLACES)
    for block in range(first, last):
        o, begin = block // blocks, block % blocks * COLUMNS
        end = min(begin + COLUMNS, low.shape[2])
        width = end - begin
        for row in range(n):
            copy(low[o, row][begin:end], s[row + 1])
        for row in range(m):
            copy(high[o, row][begin:end], d[row + 1])
        _spread_rows(d, s, np.float32(FACTORS[3] * one), True, width)
        _spread_rows(s, d, np.float32(FACTORS[2] * one), False, width)
        _spread_rows(d, s, np.float32(FACTORS[1] * one), True, width)
        _spread_rows(s, d, np.float32(FACTORS[0] * one), False, width)
        for row in range(n):
            copy(s[row + 1][:width], out[o, 2 * row][begin:end])
        for row in range(m):
            copy(d[row + 1][:width], out[o, 2 * row + 1][begin:end])


@jit
def split(samples: Any, low: Any, high: Any) -> None:
    """Low and high half of the middle one of three axes."""
    if samples.shape[2] == 1:
        split_lines(samples[:, :, 0], low[:, :, 0], high[:, :, 0], 0, len(samples))
    else:
        split_rows(samples, low, high, 0, len(samples) * -(-samples.shape[2] // COLUMNS))


@jit
def unite(low: Any, high: Any, samples: Any) -> None:
    """What `split`, as a matrix, is when its rows become columns: gradients of samples from those of both halves."""
    if samples.shape[2] == 1:
        _unite_lines(low[:, :, 0], high[:, :, 0], samples[:, :, 0], 0, len(samples))
    else:
        _unite_rows(low, high, samples, 0, len(samples) * -(-samples.shape[2] // COLUMNS))
