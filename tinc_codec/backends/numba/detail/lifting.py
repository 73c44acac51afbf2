"""Lifting along one axis, compiled: what `tinc_codec.detail.lifting` does, in blocks that stay in cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.lifting import FACTORS, PLACES
from tinc_codec.runtime.threads import evenly

COLUMNS = 128
"""That are lifted together: so few that they stay in cache."""

_WORTH = 2**17
"""Samples that are worth a thread."""

_HALF = 1 << (PLACES - 1)


def forward(samples: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Low and high half of an axis."""
    n = samples.shape[axis]
    halves = []
    for count in ((n + 1) // 2, n // 2):
        halves.append(np.empty((*samples.shape[:axis], count, *samples.shape[axis + 1 :]), samples.dtype))
    _side_by_side(split_lines, split_rows, (samples, *halves), axis)
    return halves[0], halves[1]


def _side_by_side(lines: Any, rows: Any, parts: tuple[NDArray[Any], ...], axis: int) -> None:
    """Lift lines, where the axis is the last one that is longer than 1, or blocks of columns, in several threads."""
    outer, columns = (math.prod(some) for some in (parts[0].shape[:axis], parts[0].shape[axis + 1 :]))
    inner = (columns,) if columns != 1 else ()
    views = [np.ascontiguousarray(part).reshape(outer, part.shape[axis], *inner) for part in parts]
    blocks = outer * -(-columns // COLUMNS)
    size = sum(part.size for part in parts) / 2 / max(blocks, 1)
    function = rows if inner else lines
    evenly(lambda begin, end: function(*views, begin, end), blocks, size, _WORTH)


@jit
def copy(source: Any, target: Any) -> None:
    """Copy a row; the loop over one that is known to be contiguous is vectorised, that of a slice of a slice is not."""
    for k in range(len(source)):
        target[k] = source[k]


@jit
def _undo(target: Any, other: Any, factor: int, of_low: bool, width: int) -> None:
    """Take back one step: rows of `target` by rows of the other half, the first `width` columns."""
    count, last, times = len(target), len(other) - 1, np.int64(np.int32(factor))
    for row in range(count):
        before, after = (max(row - 1, 0), min(row, last)) if of_low else (row, min(row + 1, last))
        mine, left, right = target[row][:width], other[before], other[after]
        for k in range(len(mine)):
            total = np.int64(np.int32(left[k] + right[k]))
            mine[k] = np.int32(np.int64(mine[k]) - ((total * times + _HALF) >> PLACES))


@jit
def join_columns(flat: Any, base: int, stride: int, width: int, steps: Any, spare: Any) -> None:
    """Join the halves of `width` neighbouring columns in place, level after level.

    Parameters
    ----------
    flat, base, stride
        Where the first column begins, and how far apart its samples lie.
    steps
        See `tinc_codec.backends.numba.detail.joining`.
    spare
        To work in, shape ``(2, samples, columns)``, at least as many as there are.
    """
    here, there, known = spare[0], spare[1], 0
    for number in range(len(steps)):
        low, begin, high, first, length = steps[number, 1:6]
        for row in range(known, begin + high):
            if row < low or row >= begin:
                at = base + row * stride
                copy(flat[at : at + width], here[row])
        s, d = here[:low], here[begin : begin + high]
        if high:
            _undo(s, d, FACTORS[3], True, width)
            _undo(d, s, FACTORS[2], False, width)
            _undo(s, d, FACTORS[1], True, width)
            _undo(d, s, FACTORS[0], False, width)
        last = number == len(steps) - 1
        for row in range(length):
            place = first + row
            source = here[place] if high == 0 else (d[place >> 1] if place & 1 else s[place >> 1])
            if last:
                at = base + row * stride
                copy(source[:width], flat[at : at + width])
            else:
                copy(source[:width], there[row])
        here, there, known = there, here, length


@jit
def _ends(line: Any, count: int) -> None:
    line[0] = line[1]
    line[count + 1] = line[count]


@jit
def _undo_lines(target: Any, other: Any, factor: int) -> None:
    """Take back one step along lines: each number by that of the other half at the same place, and the next one."""
    times = np.int64(np.int32(factor))
    for k in range(len(target)):
        total = np.int64(np.int32(other[k] + other[k + 1]))
        target[k] = np.int32(np.int64(target[k]) - ((total * times + _HALF) >> PLACES))


@jit
def _extend(lines: Any, length: int, count: int) -> None:
    """Repeat the first and the last of `count` numbers of each line, which lie between room for that."""
    for begin in range(0, len(lines) - 1, length):
        lines[begin] = lines[begin + 1]
        lines[begin + count + 1] = lines[begin + count]


@jit
def join_rows(flat: Any, base: int, stride: int, rows: int, step: Any, s: Any, d: Any, pairs: Any) -> None:
    """Join the halves of some rows in place, all rows in one line.

    Parameters
    ----------
    flat, base, stride
        Where the first row begins, and how far apart they lie.
    step
        See `tinc_codec.backends.numba.detail.joining`.
    s, d, pairs
        To work in: of all rows the low half and two numbers more each, and one more; int64, at least as many as rows
        have pairs.
    """
    low, begin, high, first, length = step[1], step[2], step[3], step[4], step[5]
    size = low + 2
    for row in range(rows):
        at, to = base + row * stride, row * size + 1
        copy(flat[at : at + low], s[to : to + low])
        copy(flat[at + begin : at + begin + high], d[to : to + high])
    a, b, end = s[: rows * size + 1], d[: rows * size + 1], rows * size
    if high:
        _extend(b, size, high)
        _undo_lines(a[1:end], b, FACTORS[3])
        _extend(a, size, low)
        _undo_lines(b[1:end], a[1:], FACTORS[2])
        _extend(b, size, high)
        _undo_lines(a[1:end], b, FACTORS[1])
        _extend(a, size, low)
        _undo_lines(b[1:end], a[1:], FACTORS[0])
    single = pairs.view(np.int32)
    for row in range(rows):
        at, here = base + row * stride, row * size + 1
        if high:
            _pair(s[here : here + low], d[here : here + low], pairs)
            copy(single[first : first + length], flat[at : at + length])
        else:
            copy(s[here + first : here + first + length], flat[at : at + length])


@jit
def _pair(even: Any, odd: Any, pairs: Any) -> None:
    """Numbers of both halves in turn, two in one."""
    for k in range(len(even)):
        pairs[k] = np.int64(even[k]) & 4294967295 | np.int64(odd[k]) << 32


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
def split_rows(samples: Any, low: Any, high: Any, first: int, last: int) -> None:
    """Split the middle one of three axes, in blocks of columns from the first to before the last."""
    blocks = -(-low.shape[2] // COLUMNS)
    s = np.empty((low.shape[1], COLUMNS), samples.dtype)
    d = np.empty((high.shape[1], COLUMNS), samples.dtype)
    one = 1.0 / (1 << PLACES)
    for block in range(first, last):
        o, begin = block // blocks, block % blocks * COLUMNS
        end = min(begin + COLUMNS, samples.shape[2])
        width = end - begin
        for row in range(len(s)):
            copy(samples[o, 2 * row][begin:end], s[row])
        for row in range(len(d)):
            copy(samples[o, 2 * row + 1][begin:end], d[row])
        if len(d):
            _do(d, s, np.float32(FACTORS[0] * one), False, width)
            _do(s, d, np.float32(FACTORS[1] * one), True, width)
            _do(d, s, np.float32(FACTORS[2] * one), False, width)
            _do(s, d, np.float32(FACTORS[3] * one), True, width)
        for row in range(len(s)):
            copy(s[row][:width], low[o, row][begin:end])
        for row in range(len(d)):
            copy(d[row][:width], high[o, row][begin:end])


@jit
def _do_line(target: Any, other: Any, factor: float, shift: int) -> None:
    """Do one step along a line, see `_undo_line`."""
    for k in range(len(target)):
        target[k] += (other[k + shift] + other[k + shift + 1]) * factor


@jit
def split_lines(samples: Any, low: Any, high: Any, first: int, last: int) -> None:
    """Split lines from the first to before the last."""
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
