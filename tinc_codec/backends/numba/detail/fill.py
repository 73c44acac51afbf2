"""Diffusion into a hole, compiled: the floats of `tinc_codec.detail.fill.diffuse`, sum by sum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.runtime.threads import evenly

_WORTH = 2**16
"""Samples that are worth a thread."""

_AXES = 3
"""The last axes, along which means are taken at once."""

_ROWS = 32
"""Rows of a plane that this is done for at a time: so few that what lies between stays in cache."""


def diffuse(volume: NDArray[np.float32], known: NDArray[np.bool_], rounds: int) -> None:
    """Let samples diffuse into those that are not known, in place."""
    lengths = [n for n in volume.shape if n > 1]
    if not lengths:
        return
    shape = (math.prod(lengths[:-_AXES]), *(1,) * (_AXES - len(lengths)), *lengths[-_AXES:])
    source, fixed = volume.reshape(shape), known.reshape(shape)
    rows = np.logical_not(fixed.all(3))  # that any sample is to be replaced in
    other = source.copy()  # what is read must not be written to meanwhile
    for _ in range(rounds):
        if shape[0] > 1:
            _along_first(source, other)
            _across(other, source, fixed, rows)
        else:
            _across(source, other, fixed, rows)
            source, other = other, source
    volume[...] = source.reshape(volume.shape)


def _along_first(source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
    """Means of three neighbours along the first axis."""
    views = [each.reshape(len(each), -1) for each in (source, target)]
    evenly(lambda begin, end: _first(*views, begin, end), len(source), source[0].size, _WORTH)


def _across(
    source: NDArray[np.float32], target: NDArray[np.float32], known: NDArray[np.bool_], some: NDArray[np.bool_]
) -> None:
    """Means of three neighbours along all other axes, of the samples that are not known, in `some` of the rows."""
    blocks = -(-source.shape[2] // _ROWS)
    parts = source.shape[0] * source.shape[1] * blocks
    evenly(lambda begin, end: _blocks(source, target, known, some, begin, end), parts, source.size / parts, _WORTH)


@jit
def _mean(before: Any, here: Any, after: Any, out: Any) -> None:
    third = np.float32(3)
    for x in range(len(out)):
        out[x] = ((here[x] + after[x]) + before[x]) / third


@jit
def _first(source: Any, target: Any, first: int, last: int) -> None:
    n = len(source)
    for k in range(first, last):
        _mean(source[max(k - 1, 0)], source[k], source[min(k + 1, n - 1)], target[k])


@jit
def _enter(line: Any, fixed: Any, out: Any) -> None:
    """Means along a line, of the samples that are not fixed."""
    n, third = len(line), np.float32(3)
    for x in (0, n - 1):
        if not fixed[x]:
            out[x] = ((line[x] + line[min(x + 1, n - 1)]) + line[max(x - 1, 0)]) / third
    before, after, middle, inner = line[: n - 2], line[2:], line[1 : n - 1], out[1 : n - 1]
    kept = fixed[1 : n - 1]
    for x in range(len(inner)):
        mean = ((middle[x] + after[x]) + before[x]) / third
        inner[x] = inner[x] if kept[x] else mean


@jit
def _block(
    source: Any, target: Any, known: Any, some: Any, z: int, first: int, last: int, spare: Any, line: Any
) -> None:
    """Some of the rows of a plane, from `first` to `last`."""
    planes, rows, _ = source.shape
    begin, end = max(first - 1, 0), min(last + 1, rows)
    for y in range(begin, end):
        if planes > 1:
            _mean(source[max(z - 1, 0), y], source[z, y], source[min(z + 1, planes - 1), y], spare[y - begin])
        else:
            spare[y - begin] = source[z, y]
    for y in range(first, last):
        if not some[z, y]:
            continue
        here = y - begin
        if rows > 1:
            _mean(spare[max(here - 1, 0)], spare[here], spare[min(y + 1, rows - 1) - begin], line)
        else:
            line[:] = spare[here]
        _enter(line, known[z, y], target[z, y])


@jit
def _blocks(source: Any, target: Any, known: Any, some: Any, first: int, last: int) -> None:
    """Blocks of rows from the `first` on."""
    planes, rows, n = source.shape[1:]
    blocks, spare, line = -(-rows // _ROWS), np.empty((_ROWS + 2, n), np.float32), np.empty(n, np.float32)
    for number in range(first, last):
        t, z, begin = number // blocks // planes, number // blocks % planes, number % blocks * _ROWS
        end = min(begin + _ROWS, rows)
        if some[t, z, begin:end].any():
            _block(source[t], target[t], known[t], some[t], z, begin, end, spare, line)
