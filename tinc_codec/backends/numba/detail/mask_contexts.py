"""What is around the voxels of a mask, compiled: the contexts of `tinc_codec.detail.mask`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.detail.mask import BORDER, NEAREST, Pass

AXES = 4


class Known:
    """The voxels of a lattice that are known, those of each parity with a border, one after the other in `flat`.

    Everything has four axes; the first ones, of length 1, have no border and one parity. All parities have the same
    shape, so that a neighbour is a constant number of places away.
    """

    def __init__(self, volume: NDArray[np.uint8], axes: int) -> None:
        self._volume, self._missing, self._level = volume, AXES - axes, -1
        self.flat, self.strides = np.zeros(0, np.uint8), np.zeros(AXES, np.int64)
        self._shape: tuple[int, ...] = ()

    def members(self, step: Pass) -> NDArray[np.uint8]:
        """The voxels of a pass, a view."""
        lattice = self._lattice(step.level)
        if not step.neighbours:
            return lattice
        if step.level != self._level:
            self._begin(step.level)
        return lattice[tuple(slice(odd, None, 2) for odd in self._wide(step.parity))]

    def around(self, step: Pass) -> NDArray[np.int64]:
        """Where each neighbour of the first voxel lies in `flat`."""
        if not step.neighbours:
            return np.zeros(0, np.int64)
        sums = np.add(np.array(step.neighbours, np.int64), np.array(step.parity, np.int64))
        lengths = np.array(self._lattice(step.level).shape[self._missing :])
        odd = np.where(lengths > 1, sums % 2, 0)  # along an axis of one voxel that has no odd one, it is that voxel
        numbers = odd @ (1 << np.arange(len(lengths))[::-1])
        places = (BORDER + (sums >> 1)) @ self.strides[self._missing :]
        return np.asarray(numbers * math.prod(self._shape) + places, np.int64)

    def enter(self, step: Pass) -> None:
        """Make the voxels of a pass known."""
        if step.neighbours:
            self._enter(step.parity)

    def _begin(self, level: int) -> None:
        """Turn to a finer lattice, whose even voxels are known."""
        self._level, lattice = level, self._lattice(level)
        borders = [0] * self._missing + [2 * BORDER] * (AXES - self._missing)
        self._shape = tuple((n + 1) // 2 + more for n, more in zip(lattice.shape, borders, strict=True))
        self.flat = np.empty(math.prod(self._shape) << (AXES - self._missing), np.uint8)
        self.strides = np.array([math.prod(self._shape[axis + 1 :]) for axis in range(AXES)])
        self._enter((0,) * (AXES - self._missing))

    def _enter(self, parity: tuple[int, ...]) -> None:
        number = sum(odd << axis for axis, odd in enumerate(reversed(parity)))
        bordered = self.flat.reshape(-1, *self._shape)[number]
        borders = [0] * self._missing + [BORDER] * (AXES - self._missing)
        _fill(
            self._lattice(self._level)[tuple(slice(odd, None, 2) for odd in self._wide(parity))],
            np.array(borders),
            bordered,
        )

    def _wide(self, parity: tuple[int, ...]) -> tuple[int, ...]:
        return (0,) * self._missing + parity

    def _lattice(self, level: int) -> NDArray[np.uint8]:
        return self._volume[(slice(None, None, 2**level),) * AXES]


@jit
def _fill(members: Any, borders: Any, out: Any) -> None:
    """Members and a border of the outermost ones, repeated."""
    n0, n1, n2, n3 = members.shape
    for t in range(out.shape[0]):
        for z in range(out.shape[1]):
            for y in range(out.shape[2]):
                source = members[
                    min(max(t - borders[0], 0), n0 - 1),
                    min(max(z - borders[1], 0), n1 - 1),
                    min(max(y - borders[2], 0), n2 - 1),
                ]
                target, first = out[t, z, y], borders[3]
                for x in range(n3):
                    target[first + x] = source[x]
                target[:first] = source[0]
                target[first + n3 :] = source[n3 - 1]


@jit
def contexts(flat: Any, starts: Any, strides: Any, shares: Any, kinds: Any, shape: Any, out: Any) -> None:
    """Of the voxels of a pass: how much around them is set, and below that which of the nearest are.

    Plane by plane, of which the ends of rows are passed over afterwards.
    """
    rows, n, at = shape[2], shape[3], 0
    size = (rows - 1) * strides[2] + n
    total, near, alike = np.empty(size, np.int16), np.empty(size, np.uint8), np.empty(size, np.uint8)
    for t in range(shape[0]):
        for z in range(shape[1]):
            total[:] = 0
            near[:] = 0
            for k in range(len(starts)):
                begin = starts[k] + t * strides[0] + z * strides[1]
                there = flat[begin : begin + size]
                if k < NEAREST:
                    _mark(there, np.uint8(1 << k), near)
                _append(there, k == 0 or shares[k] != shares[k - 1], alike)
                if k + 1 == len(starts) or shares[k] != shares[k + 1]:
                    _count(alike, np.int16(shares[k]), total)
            for y in range(rows):
                row = y * strides[2]
                _to_contexts(total[row : row + n], near[row : row + n], kinds, out[at : at + n])
                at += n


@jit
def _to_contexts(total: Any, near: Any, kinds: Any, out: Any) -> None:
    for x in range(len(total)):
        out[x] = kinds[np.uint16(total[x])] | near[x]  # an index without a sign needs no look at it


@jit
def _append(there: Any, first: bool, alike: Any) -> None:
    """How many of those are set that count the same."""
    if first:
        alike[:] = there
    else:
        for x in range(len(alike)):
            alike[x] += there[x]


@jit
def _count(alike: Any, share: Any, total: Any) -> None:
    for x in range(len(total)):
        total[x] += np.int16(alike[x]) * share


@jit
def _mark(there: Any, bit: Any, near: Any) -> None:
    for x in range(len(near)):
        near[x] |= (np.uint8(0) - there[x]) & bit  # all bits of what is set, without a shift of 64
