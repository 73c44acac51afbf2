"""Lifting along one axis, compiled: the integers of `tinc_codec.detail.lifting`, in chunks that stay in cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.lifting import FACTORS, PLACES
from tinc_codec.runtime.threads import evenly

_COLUMNS = 128
_WORTH = 2**17
"""Samples that are worth a thread."""

_HALF = 1 << (PLACES - 1)


def inverse(low: NDArray[np.int32], high: NDArray[np.int32], axis: int) -> NDArray[np.int32]:
    """Join both halves of an axis."""
    if not high.shape[axis]:
        return low
    shape = list(low.shape)
    shape[axis] += high.shape[axis]
    out = np.empty(shape, np.int32)
    _side_by_side(_join_lines, _join_rows, (low, high, out), axis)
    return out


def forward(samples: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Low and high half of an axis."""
    n = samples.shape[axis]
    halves = []
    for count in ((n + 1) // 2, n // 2):
        halves.append(np.empty((*samples.shape[:axis], count, *samples.shape[axis + 1 :]), samples.dtype))
    _side_by_side(_split_lines, _split_rows, (samples, *halves), axis)
    return halves[0], halves[1]


def _side_by_side(lines: Any, rows: Any, parts: tuple[NDArray[Any], ...], axis: int) -> None:
    """Lift lines, where the axis is the last one that is longer than 1, or blocks of columns, in several threads."""
    outer, columns = (math.prod(some) for some in (parts[0].shape[:axis], parts[0].shape[axis + 1 :]))
    inner = (columns,) if columns != 1 else ()
    views = [np.ascontiguousarray(part).reshape(outer, part.shape[axis], *inner) for part in parts]
    blocks = outer * -(-columns // _COLUMNS)
    size = sum(part.size for part in parts) / 2 / max(blocks, 1)
    function = rows if inner else lines
    evenly(lambda begin, end: function(*views, begin, end), blocks, size, _WORTH)


@jit
def _copy(source: Any, target: Any) -> None:
    """Copy a row; the loop over one that is known to be contiguous is vectorised, that of a slice of a slice is not."""
    for k in range(len(source)):
        target[k] = source[k]


@jit
def _undo(target: Any, other: Any, factor: int, of_low: bool, width: int) -> None:
    """Take back one step: rows of `target` by rows of the other half, the first `width` columns."""
    count, last = len(target), len(other) - 1
    for row in range(count):
        before, after = (max(row - 1, 0), min(row, last)) if of_low else (row, min(row + 1, last))
        mine, left, right = target[row][:width], other[before], other[after]
        for k in range(len(mine)):
            total = np.int64(np.int32(left[k] + right[k]))
            mine[k] = np.int32(np.int64(mine[k]) - ((total * factor + _HALF) >> PLACES))


@jit
def _join_rows(low: Any, high: Any, out: Any, first: int, last: int) -> None:
    blocks = -(-low.shape[2] // _COLUMNS)
    s = np.empty((low.shape[1], _COLUMNS), np.int32)
    d = np.empty((high.shape[1], _COLUMNS), np.int32)
    for block in range(first, last):
        o, begin = block // blocks, block % blocks * _COLUMNS
        end = min(begin + _COLUMNS, low.shape[2])
        width = end - begin
        for row in range(len(s)):
            _copy(low[o, row][begin:end], s[row])
        for row in range(len(d)):
            _copy(high[o, row][begin:end], d[row])
        _undo(s, d, FACTORS[3], True, width)
        _undo(d, s, FACTORS[2], False, width)
        _undo(s, d, FACTORS[1], True, width)
        _undo(d, s, FACTORS[0], False, width)
        for row in range(len(s)):
            _copy(s[row][:width], out[o, 2 * row][begin:end])
        for row in range(len(d)):
            _copy(d[row][:width], out[o, 2 * row + 1][begin:end])


@jit
def _undo_line(target: Any, other: Any, factor: int, of_low: bool) -> None:
    """Take back one step along a line; `other` has one number more at each end, and begins with the first of these."""
    shift = 0 if of_low else 1
    for k in range(len(target)):
        total = np.int64(np.int32(other[k + shift] + other[k + shift + 1]))
        target[k] = np.int32(np.int64(target[k]) - ((total * factor + _HALF) >> PLACES))


@jit
def _ends(line: Any, count: int) -> None:
    line[0] = line[1]
    line[count + 1] = line[count]


@jit
def _join_lines(low: Any, high: Any, out: Any, first: int, last: int) -> None:
    n, m = low.shape[1], high.shape[1]
    s, d = np.empty(n + 2, np.int32), np.empty(m + 2, np.int32)
    for o in range(first, last):
        s[1 : n + 1] = low[o]
        d[1 : m + 1] = high[o]
        a, b = s[1 : n + 1], d[1 : m + 1]
        _ends(d, m)
        _undo_line(a, d, FACTORS[3], True)
        _ends(s, n)
        _undo_line(b, s, FACTORS[2], False)
        _ends(d, m)
        _undo_line(a, d, FACTORS[1], True)
        _ends(s, n)
        _undo_line(b, s, FACTORS[0], False)
        line = out[o]
        for k in range(m):
            line[2 * k] = a[k]
            line[2 * k + 1] = b[k]
        if n > m:
            line[n + m - 1] = a[n - 1]


@jit
def _do(target: Any, other: Any, factor: float, of_low: bool, width: int) -> None:
    """Do one step, see `_undo`."""
    count, last = len(target), len(other) - 1
    for row in range(count):
        before, after = (max(row - 1, 0), min(row, last)) if of_low else (row, min(row + 1, last))
        mine, left, right = target[row][:width], other[before], other[after]
        for k in range(len(mine)):
            mine[k] += (left[k] + right[k]) * factor


@jit
def _split_rows(samples: Any, low: Any, high: Any, first: int, last: int) -> None:
    blocks = -(-low.shape[2] // _COLUMNS)
    s = np.empty((low.shape[1], _COLUMNS), samples.dtype)
    d = np.empty((high.shape[1], _COLUMNS), samples.dtype)
    one = 1.0 / (1 << PLACES)
    for block in range(first, last):
        o, begin = block // blocks, block % blocks * _COLUMNS
        end = min(begin + _COLUMNS, samples.shape[2])
        width = end - begin
        for row in range(len(s)):
            _copy(samples[o, 2 * row][begin:end], s[row])
        for row in range(len(d)):
            _copy(samples[o, 2 * row + 1][begin:end], d[row])
        if len(d):
            _do(d, s, np.float32(FACTORS[0] * one), False, width)
            _do(s, d, np.float32(FACTORS[1] * one), True, width)
            _do(d, s, np.float32(FACTORS[2] * one), False, width)
            _do(s, d, np.float32(FACTORS[3] * one), True, width)
        for row in range(len(s)):
            _copy(s[row][:width], low[o, row][begin:end])
        for row in range(len(d)):
            _copy(d[row][:width], high[o, row][begin:end])


@jit
def _do_line(target: Any, other: Any, factor: float, shift: int) -> None:
    """Do one step along a line, see `_undo_line`."""
    for k in range(len(target)):
        target[k] += (other[k + shift] + other[k + shift + 1]) * factor


@jit
def _split_lines(samples: Any, low: Any, high: Any, first: int, last: int) -> None:
    n, m = low.shape[1], high.shape[1]
    s, d = np.empty(n + 2, samples.dtype), np.empty(m + 2, samples.dtype)
    one = 1.0 / (1 << PLACES)
    for o in range(first, last):
        line = samples[o]
        a, b = s[1 : n + 1], d[1 : m + 1]
        for k in range(m):
            a[k] = line[2 * k]
            b[k] = line[2 * k + 1]
        if n > m:
            a[n - 1] = line[2 * n - 2]
        if m:
            _ends(s, n)
            _do_line(b, s, np.float32(FACTORS[0] * one), 1)
            _ends(d, m)
            _do_line(a, d, np.float32(FACTORS[1] * one), 0)
            _ends(s, n)
            _do_line(b, s, np.float32(FACTORS[2] * one), 1)
            _ends(d, m)
            _do_line(a, d, np.float32(FACTORS[3] * one), 0)
        low[o] = a
        high[o] = b


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
    n, m, blocks = low.shape[1], high.shape[1], -(-low.shape[2] // _COLUMNS)
    s, d = np.zeros((n + 2, _COLUMNS), low.dtype), np.zeros((m + 2, _COLUMNS), low.dtype)
    one = 1.0 / (1 << PLACES)
    for block in range(first, last):
        o, begin = block // blocks, block % blocks * _COLUMNS
        end = min(begin + _COLUMNS, low.shape[2])
        width = end - begin
        for row in range(n):
            _copy(low[o, row][begin:end], s[row + 1])
        for row in range(m):
            _copy(high[o, row][begin:end], d[row + 1])
        _spread_rows(d, s, np.float32(FACTORS[3] * one), True, width)
        _spread_rows(s, d, np.float32(FACTORS[2] * one), False, width)
        _spread_rows(d, s, np.float32(FACTORS[1] * one), True, width)
        _spread_rows(s, d, np.float32(FACTORS[0] * one), False, width)
        for row in range(n):
            _copy(s[row + 1][:width], out[o, 2 * row][begin:end])
        for row in range(m):
            _copy(d[row + 1][:width], out[o, 2 * row + 1][begin:end])


@jit
def split(samples: Any, low: Any, high: Any) -> None:
    """Low and high half of the middle one of three axes."""
    if samples.shape[2] == 1:
        _split_lines(samples[:, :, 0], low[:, :, 0], high[:, :, 0], 0, len(samples))
    else:
        _split_rows(samples, low, high, 0, len(samples) * -(-samples.shape[2] // _COLUMNS))


@jit
def unite(low: Any, high: Any, samples: Any) -> None:
    """What `split`, as a matrix, is when its rows become columns: gradients of samples from those of both halves."""
    if samples.shape[2] == 1:
        _unite_lines(low[:, :, 0], high[:, :, 0], samples[:, :, 0], 0, len(samples))
    else:
        _unite_rows(low, high, samples, 0, len(samples) * -(-samples.shape[2] // _COLUMNS))
