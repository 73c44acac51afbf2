"""Expected magnitudes of a tile's coefficients, compiled: the integers of `tinc_codec.detail.contexts`.

The eight parities of a tile's frames lie in arrays of their own, all shaped like the cells of each frame with a border
of one, flattened: then a neighbour is a constant number of places away, and loops run over whole arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.contexts import CLASSES, FIRST_CLASS, MAPS, OWN, PASSES, WIDE_SHIFT
from tinc_codec.detail.contexts import neighbours as _neighbours

_ORDER = np.array(PASSES, np.int64)
_LISTS = [
    np.array([(kind, parity, *shift) for kind, parity, shift in sorted(_neighbours(number))], np.int64).reshape(-1, 5)
    for number in range(8)
]
NEIGHBOURS = np.concatenate(_LISTS)
"""By kind, of which there is one on either side at least."""

ENDS = np.cumsum([0, *(len(part) for part in _LISTS)]).astype(np.int64)

_EXACT = 24
"""Bits of an integer that a float32 holds."""


@jit
def fill_border(flat: Any, cells: Any, counts: Any) -> None:
    """Repeat the last values outwards, where the first `counts` of each frame of `cells` and its border are there.

    They are all, or all but one.
    """
    sy, nz, ny, nx = cells[2] + 2, counts[0], counts[1], counts[2]
    sz = sy * (cells[1] + 2)
    if nz == 0 or ny == 0 or nx == 0:
        flat[:] = 0
        return
    for frame in range(0, len(flat), sz * (cells[0] + 2)):
        for plane in range(frame + sz, frame + sz * (nz + 1), sz):
            for row in range(plane + sy, plane + sy * (ny + 1), sy):
                last = flat[row + nx]
                flat[row] = flat[row + 1]
                flat[row + nx + 1] = last
                flat[row + sy - 1] = last
            _repeat(flat, plane, plane + sy, sy)
            for row in range(plane + sy * (ny + 1), plane + sz, sy):
                _repeat(flat, row, plane + sy * ny, sy)
        _repeat(flat, frame, frame + sz, sz)
        for plane in range(frame + sz * (nz + 1), frame + sz * (cells[0] + 2), sz):
            _repeat(flat, plane, frame + sz * nz, sz)


@jit
def _repeat(flat: Any, to: int, source: int, count: int) -> None:
    target, given = flat[to : to + count], flat[source : source + count]
    for i in range(count):
        target[i] = given[i]


@jit
def parity_counts(shape: Any, p: int, counts: Any) -> None:
    """How many coefficients of a parity there are along each of three axes."""
    for axis in range(3):
        counts[axis] = (shape[axis] + 1 - ((p >> (2 - axis)) & 1)) // 2


@jit
def lattice(volume: Any, p: int, flat: Any, cells: Any, counts: Any) -> None:
    """One parity of the frames of a volume, with its border."""
    a = flat.reshape(len(volume), cells[0] + 2, cells[1] + 2, cells[2] + 2)
    parity_counts(volume.shape[1:], p, counts)
    for t in range(len(volume)):
        for z in range(counts[0]):
            for y in range(counts[1]):
                row, source = a[t, z + 1, y + 1], volume[t, 2 * z + ((p >> 2) & 1), 2 * y + ((p >> 1) & 1)]
                for x in range(counts[2]):
                    row[x + 1] = source[2 * x + (p & 1)]
    fill_border(flat, cells, counts)


@jit
def _three(source: Any, out: Any, step: int, begin: int, end: int) -> None:
    before, here, after = source[begin - step : end - step], source[begin:end], source[begin + step : end + step]
    target = out[begin:end]  # indices that cannot be negative, so that the loop is vectorised
    for i in range(len(target)):
        target[i] = before[i] + here[i] + after[i]


@jit
def box(source: Any, out: Any, spare: Any, cells: Any) -> None:
    """Sums over 3 x 3 x 3 cells; the border is not theirs."""
    n, sy = len(source), cells[2] + 2
    sz = sy * (cells[1] + 2)
    _three(source, out, 1, 1, n - 1)
    _three(out, spare, sy, sy + 1, n - sy - 1)
    _three(spare, out, sz, sz + sy + 1, n - sz - sy - 1)


@jit
def wide(sums: Any, near: Any, far: Any, spare: Any, cells: Any) -> None:
    """Sums over boxes of cells: once, with a border, and twice, without, the latter shifted right."""
    box(sums, near, spare, cells)
    fill_border(near, cells, cells)
    box(near, far, spare, cells)
    for i in range(len(far)):
        far[i] = (far[i] + (1 << (WIDE_SHIFT - 1))) >> WIDE_SHIFT


@jit
def _add(total: Any, source: Any, shift: int, factor: int, begin: int, end: int) -> None:
    target, there, by = total[begin:end], source[begin + shift : end + shift], np.int32(factor)
    for i in range(len(target)):
        target[i] += by * there[i]


@jit
def _add_two(total: Any, source: Any, one: int, other: int, factor: int, begin: int, end: int) -> None:
    target, by = total[begin:end], np.int32(factor)
    here, there = source[begin + one : end + one], source[begin + other : end + other]
    for i in range(len(target)):
        target[i] += by * (here[i] + there[i])


@jit
def expected(
    number: int,
    own: Any,
    own_wide: Any,
    maps: Any,
    maps_wide: Any,
    masks: Any,
    known: bool,
    live: Any,
    factors: Any,
    total: Any,
    cells: Any,
) -> None:
    """Expected magnitudes of a pass, over the cells, of `factors` of the sums and a constant, which is the last.

    `known`: whether anything of the tile itself but zeros is; `live`: the same of each map. `masks`: see `Space`.
    """
    sy = cells[2] + 2
    sz = sy * (cells[1] + 2)
    begin, end = sz + sy + 1, len(total) - sz - sy - 1
    p = _ORDER[number]
    total[begin:end] = factors[-1]
    for k in range(ENDS[number], ENDS[number + 1] if known else ENDS[number], 2):
        kind, parity, dz, dy, dx = NEIGHBOURS[k]
        _, _, other_z, other_y, other_x = NEIGHBOURS[k + 1]
        if factors[kind]:
            one, other = dz * sz + dy * sy + dx, other_z * sz + other_y * sy + other_x
            _add_two(total, own[parity], one, other, factors[kind], begin, end)
    for k in range(2):
        if known and factors[OWN + k]:
            _add(total, own_wide[k], 0, factors[OWN + k], begin, end)
    for m in range(3):
        if live[m]:
            if factors[MAPS + 3 * m]:
                _add(total, maps[m, p & masks[m]], 0, factors[MAPS + 3 * m], begin, end)
            for k in range(2):
                if factors[MAPS + 3 * m + 1 + k]:
                    _add(total, maps_wide[m, k], 0, factors[MAPS + 3 * m + 1 + k], begin, end)


@jit
def class_of(total: int) -> int:
    """Class of one expected magnitude."""
    octave, rest = 0, max(total, 1)
    while rest >= 8:
        rest >>= 1
        octave += 1
    while rest < 4:
        rest <<= 1
        octave -= 1
    return min(max(4 * (octave + 2) + rest - 4 - FIRST_CLASS, 0), CLASSES - 1)


@jit
def sums_of(
    number: int, own: Any, own_wide: Any, maps: Any, maps_wide: Any, masks: Any, live: Any, place: int, sy: int,
    sz: int, out: Any,
) -> None:  # fmt: skip
    """The sums that the expected magnitude of one coefficient is made of."""
    out[:] = 0
    for k in range(ENDS[number], ENDS[number + 1]):
        kind, parity, dz, dy, dx = NEIGHBOURS[k]
        out[kind] += own[parity, place + dz * sz + dy * sy + dx]
    for k in range(2):
        if number:
            out[OWN + k] = own_wide[k, place]
    for m in range(3):
        if live[m]:
            out[MAPS + 3 * m] = maps[m, _ORDER[number] & masks[m], place]
            for k in range(2):
                out[MAPS + 3 * m + 1 + k] = maps_wide[m, k, place]


@jit
def to_classes(total: Any, starts: Any, n: int, floats: Any, bits: Any, out: Any) -> None:
    """Classes of the coefficients of a pass, in order: four an octave, by the leading bits of a float.

    `starts`, `n`: where rows of so many begin among the cells; `bits` views `floats`, one for each coefficient.
    """
    at = 0
    for start in starts:
        row, target = total[start : start + n], floats[at : at + n]
        for x in range(n):
            here = max(row[x], np.int32(1))
            target[x] = here & ~((here >> _EXACT > 0) * np.int32(255))  # what would be rounded away is cut off
        at += n
    for i in range(at):
        out[i] = min(max((bits[i] >> 21) - 4 * 127 - FIRST_CLASS, 0), CLASSES - 1)
