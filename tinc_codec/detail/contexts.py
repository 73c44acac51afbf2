"""What magnitude of a coefficient is expected, from what is known when its pass is coded.

A tile of a band is coded in eight passes, one a parity of its last three axes, over one or many frames (indices of the
first axis), which do not know each other. The expected magnitude is a sum of weighted means of known magnitudes: of
neighbours in the frame, of the parent, of the bands of the same rung that came before, and of the parents along the
other groups of axes; and of the band's mean.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

PASSES = (0, 4, 2, 1, 6, 5, 3, 7)
"""Parities in the order of coding; bits 2, 1, 0 say which of the last three coordinates are odd."""

SIDES = (4, 2, 1, 6, 5, 3, 7)
"""Kinds of neighbours: bits 2, 1, 0 say along which of the last three axes they are one further."""

OWN, MAPS, MEAN = 7, 9, 18
"""Places of weights: neighbours by kind; wide means of the tile; own, wide and wider of three maps; the band's mean."""

WEIGHTS = 19
UNIT = 128
"""A weight of 1."""

MAGNITUDES = np.array([0, 16, 29, 40, 50, 58, 66, 72, 78, 85, 91, 96, 101, 106, 110, 115], np.uint8)
"""What a token counts as, in sixteenths: large ones for less than they are."""

TOP = len(MAGNITUDES) - 1
WIDE_SHIFT = 6
PLACES = 12
FIRST_CLASS = 48
CLASSES = 60
"""Classes of an expected magnitude E, in units of 2^-23: 4 log2(E), by two bits of mantissa, from `FIRST_CLASS` on."""


def known_before(number: int) -> tuple[int, ...]:
    """Parities that are known when a pass is coded."""
    return PASSES[:number]


@lru_cache(maxsize=8)
def neighbours(number: int) -> tuple[tuple[int, int, tuple[int, int, int]], ...]:
    """Known neighbours of the coefficients of a pass: kind, parity, and shift in cells along each axis."""
    known = []
    for offset in itertools.product((-1, 0, 1), repeat=3):
        kind = sum(abs(o) << bit for o, bit in zip(offset, (2, 1, 0), strict=True))
        parity = PASSES[number] ^ kind
        if kind and parity in known_before(number):
            odd = [PASSES[number] >> bit & 1 for bit in (2, 1, 0)]
            known.append((SIDES.index(kind), parity, tuple((p + o) // 2 for p, o in zip(odd, offset, strict=True))))
    return tuple(known)  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def divisors(many: tuple[int, ...] = (1, 1, 1)) -> NDArray[np.int64]:
    """By what the sums that weights belong to are divided, in 1 / 64, shape ``(8, MEAN)``; 0: nothing is known.

    Parameters
    ----------
    many
        How many bands each map is a sum of.
    """
    totals = np.zeros((8, MEAN), np.int64)
    for number in range(8):
        for kind, _, _ in neighbours(number):
            totals[number, kind] += 64
        totals[number, OWN:MAPS] = 64 * 27 * number, 729 * number
        for place, count in enumerate(many):
            first = MAPS + 3 * place
            totals[number, first : first + 3] = 64 * count, 64 * 27 * 8 * count, 729 * 8 * count
    return totals


def factors(weights: NDArray[np.int64], divisor: NDArray[np.int64], mean: int) -> NDArray[np.int64]:
    """What the sums of a band are multiplied by in each pass, and a constant, shape ``(8, WEIGHTS)``.

    What is not known counts as the band's mean.

    Parameters
    ----------
    weights
        Shape ``(8, WEIGHTS)``.
    divisor
        See `divisors`.
    mean
        Of the band's magnitudes, in units of 1 / 256 of theirs.
    """
    known = divisor > 0
    part = (weights[:, :MEAN] * (2 * 64 << PLACES) + divisor) // np.where(known, 2 * divisor, 1)
    constant = weights[:, MEAN] + np.where(known, 0, weights[:, :MEAN]).sum(1)
    return np.concatenate([np.where(known, part, 0), (constant * mean << PLACES - 8)[:, None]], 1)


Cells = tuple[int, ...]
Shift = tuple[int, int, int]


class Grid:
    """The cells of the frames of a tile, 2 x 2 x 2 blocks of coefficients, with a border of one around each frame.

    What is known of each parity lies in an array of its own, shaped like these cells and flattened: then a neighbour
    is a constant number of places away, whatever the parity and the frame.

    Parameters
    ----------
    frames
        How many.
    shape
        Coefficients of a frame along its three axes, at least 1.
    """

    def __init__(self, frames: int, shape: Cells) -> None:
        self.shape = shape
        self.padded: Cells = (frames, *((n + 1) // 2 + 2 for n in shape))
        self.size = math.prod(self.padded)
        self._strides = self.padded[2] * self.padded[3], self.padded[3], 1
        self._border = sum(self._strides)
        self._inner: dict[Shift, slice] = {}
        self._spread = [_spread(n, cells) for n, cells in zip(shape, self.padded[1:], strict=True)]

    def members(self, number: int) -> tuple[slice, ...]:
        """Where the coefficients of a pass lie in a frame."""
        return tuple(slice(PASSES[number] >> bit & 1, n, 2) for bit, n in zip((2, 1, 0), self.shape, strict=True))

    def cut(self, number: int) -> tuple[slice, ...]:
        """The cells that have a coefficient of a pass."""
        where = zip(self.members(number), self.shape, strict=True)
        return (slice(None), *(slice(1, 1 + len(range(*members.indices(n)))) for members, n in where))

    def spread(self, axis: int) -> NDArray[np.intp]:
        """The coefficient along an axis that each parity has in each cell and at the border: the nearest that is there.

        Shape ``(2, cells + 2)``.
        """
        return self._spread[axis]

    def lattice(self, part: NDArray[Any]) -> NDArray[np.int32]:
        """The coefficients of one parity, shape ``(frames, ...)``, over all cells."""
        return _bordered(part, self.padded).ravel()

    def wide(self, sums: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Sums over 3 x 3 x 3 cells: once, and twice, the latter shifted right."""
        near = _box(sums.reshape(self.padded))
        far = _box(near) + (1 << WIDE_SHIFT - 1) >> WIDE_SHIFT
        return near.ravel(), far.ravel()

    def inner(self, shift: Shift = (0, 0, 0)) -> slice:
        """Everything but the very ends, so many cells further."""
        if shift not in self._inner:
            by = sum(s * stride for s, stride in zip(shift, self._strides, strict=True))
            self._inner[shift] = slice(self._border + by, self.size - self._border + by)
        return self._inner[shift]


def _spread(n: int, padded: int) -> NDArray[np.intp]:
    """See `Grid.spread`, of an axis of `n` coefficients."""
    cells = np.arange(-1, padded - 1)
    return np.array([2 * np.clip(cells, 0, max(0, (n + 1 - p) // 2 - 1)) + min(p, n - 1) for p in (0, 1)])


@lru_cache(maxsize=256)
def grid_of(frames: int, shape: Cells) -> Grid:
    """The cells of so many frames of a shape; many tiles have the same."""
    return Grid(frames, shape)


def _bordered(part: NDArray[Any], padded: Cells) -> NDArray[np.int32]:
    """An array in the corner of the cells and a border of one, its last values repeated outwards: a fast `np.pad`."""
    out = np.empty(padded, np.int32)
    z, y, x = (n + 1 for n in part.shape[1:])
    out[:, 1:z, 1:y, 1:x] = part
    out[:, 1:z, 1:y, 0], out[:, 1:z, 1:y, x:] = part[..., 0], part[..., -1:]
    out[:, 1:z, 0], out[:, 1:z, y:] = out[:, 1:z, 1], out[:, 1:z, y - 1 : y]
    out[:, 0], out[:, z:] = out[:, 1], out[:, z - 1 : z]
    return out


def _box(padded: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sums over 3 x 3 x 3 cells, with a border."""
    shape = padded.shape
    padded = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    padded = padded[:, :, :-2] + padded[:, :, 1:-1] + padded[:, :, 2:]
    return _bordered(padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:], shape)


@dataclass(frozen=True, eq=False)
class Map:
    """What is known of a tile from one kind of other bands: their magnitudes by parity, and wide sums of all."""

    lattices: NDArray[np.int32]
    near: NDArray[np.int32]
    far: NDArray[np.int32]

    @classmethod
    def of(cls, grid: Grid, spread: NDArray[np.int32]) -> Map:
        """Map of a tile.

        Parameters
        ----------
        grid
            Its cells.
        spread
            Magnitudes at `Grid.spread` of every axis, shape ``(frames, 2, cells, 2, cells, 2, cells)``.
        """
        lattices = spread.transpose(1, 3, 5, 0, 2, 4, 6).copy()
        for axis, n in enumerate(grid.shape):
            if n == 1:  # there are no odd ones
                lattices[(slice(None),) * axis + (1,)] = 0
        flat = lattices.reshape(8, grid.size)
        return cls(flat, *grid.wide(flat.sum(0, dtype=np.int32)))


Part = tuple[NDArray[np.int32], Shift]
"""An array over the cells, and how many cells further it is looked up."""


class Tile:
    """The magnitudes of some frames of a tile while they are coded, pass by pass.

    Parameters
    ----------
    grid
        Its cells.
    maps
        What other bands say of it; None: nothing but zeros.
    many
        How many bands each map is a sum of; 0: nothing is known.
    weights
        Shape ``(8, WEIGHTS)``.
    mean
        Of the band's magnitudes.
    """

    def __init__(
        self, grid: Grid, maps: list[Map | None], many: tuple[int, ...], weights: NDArray[np.int64], mean: int
    ) -> None:
        self.grid, self._maps, self._divisors, self._mean = grid, maps, divisors(many), mean
        self._factors = factors(weights, self._divisors, mean)
        self._own: dict[int, NDArray[np.int32]] = {}
        self._sums = np.zeros(grid.size, np.int32)

    def sums(self, number: int) -> list[list[Part]]:
        """What the weights of a pass multiply, each the sum of some parts; those that are 0 everywhere are left out."""
        terms: list[list[Part]] = [[] for _ in range(MEAN)]
        if self._own:
            for kind, parity, shift in neighbours(number):
                if parity in self._own:
                    terms[kind].append((self._own[parity], shift))
            terms[OWN], terms[OWN + 1] = ([(part, (0, 0, 0))] for part in self.grid.wide(self._sums))
        for place, part in enumerate(self._maps):
            if part is not None:
                for k, array in enumerate((part.lattices[PASSES[number]], part.near, part.far)):
                    terms[MAPS + 3 * place + k] = [(array, (0, 0, 0))]
        return terms

    def classes(self, number: int) -> NDArray[np.uint8]:
        """Classes of the coefficients of a pass, shape ``(frames, ...)``."""
        factors = self._factors[number].tolist()
        total = np.full(self.grid.size, factors[MEAN], np.int32)
        middle, inner = total[self.grid.inner()], self.grid.inner
        for factor, parts in zip(factors[:MEAN], self.sums(number), strict=True):
            if factor and parts:
                middle += reduce(add, (part[inner(shift)] for part, shift in parts)) * np.int32(factor)
        expected = np.maximum(total.reshape(self.grid.padded)[self.grid.cut(number)], 1).astype(np.float64)
        octaves = (expected.view(np.int64) >> 50) - 4 * 1023  # two bits of mantissa below the exponent
        return np.asarray(np.minimum(np.maximum(octaves - FIRST_CLASS, 0), CLASSES - 1), np.uint8)

    def means(self, number: int) -> list[NDArray[np.float64]]:
        """What weights stand before, in magnitudes of 1, for every coefficient of a pass; the encoder's."""
        cut, mean = self.grid.cut(number), self._mean / 4096
        size = np.empty(self.grid.padded, np.bool_)[cut].size
        columns = []
        for parts, divisor in zip(self.sums(number), self._divisors[number].tolist(), strict=True):
            total = np.full(self.grid.size, 0.0 if divisor else mean)
            for part, shift in parts:
                total[self.grid.inner()] += part[self.grid.inner(shift)] * (4 / divisor)
            columns.append(total.reshape(self.grid.padded)[cut].ravel())
        return [*columns, np.full(size, mean)]

    def enter(self, number: int, magnitudes: NDArray[np.uint8]) -> None:
        """Make the magnitudes of a pass known, shape ``(frames, ...)``."""
        if magnitudes.any():
            self._own[PASSES[number]] = self.grid.lattice(magnitudes)
            self._sums += self._own[PASSES[number]]
