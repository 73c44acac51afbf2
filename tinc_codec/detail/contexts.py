"""What magnitude of a coefficient is expected, from what is known when its pass is coded.

A tile of a band is coded in eight passes, one a parity of its last three axes. The expected magnitude is a sum of
terms means of known magnitudes: of neighbours in the tile, of the parent, of the bands of the same rung that came
before, and of the parents along the other groups of axes; and of the band's mean.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
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


def lattice(volume: NDArray[Any], parity: int, cells: Cells) -> NDArray[np.int32]:
    """The coefficients of a parity over the tile's cells and a border of one; the last values are repeated outwards."""
    odd = [parity >> bit & 1 for bit in (2, 1, 0)]
    part = volume[tuple(slice(o, None, 2) for o in odd)]
    if not part.size:
        return np.zeros([n + 2 for n in cells], np.int32)
    return _bordered(part, cells)


def _bordered(part: NDArray[Any], cells: tuple[int, ...]) -> NDArray[np.int32]:
    """An array in the corner of `cells` and a border of one, its last values repeated outwards: a fast `np.pad`."""
    out = np.empty([n + 2 for n in cells], np.int32)
    z, y, x = (n + 1 for n in part.shape)
    out[1:z, 1:y, 1:x] = part
    out[1:z, 1:y, 0], out[1:z, 1:y, x:] = part[:, :, 0], part[:, :, -1:]
    out[1:z, 0], out[1:z, y:] = out[1:z, 1], out[1:z, y - 1 : y]
    out[0], out[z:] = out[1], out[z - 1 : z]
    return out


def _box(padded: NDArray[np.int32]) -> NDArray[np.int32]:
    """Sums over 3 x 3 x 3 cells, with a border."""
    padded = padded[:-2] + padded[1:-1] + padded[2:]
    padded = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    inner = padded[:, :, :-2] + padded[:, :, 1:-1] + padded[:, :, 2:]
    return _bordered(inner, inner.shape)


def wide(sums: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Sums over boxes of cells: once, and twice, the latter shifted right."""
    near = _box(sums)
    return near, _box(near) + (1 << WIDE_SHIFT - 1) >> WIDE_SHIFT


@dataclass(frozen=True, eq=False)
class Map:
    """What is known of a tile from one kind of other bands: their magnitudes by parity, and wide sums of all."""

    lattices: tuple[NDArray[np.int32], ...]
    near: NDArray[np.int32]
    far: NDArray[np.int32]

    @classmethod
    def of(cls, volume: NDArray[np.int32], cells: Cells) -> Map:
        """Map of a tile."""
        lattices = tuple(lattice(volume, parity, cells) for parity in range(8))
        return cls(lattices, *wide(sum(lattices[1:], lattices[0])))


class Tile:
    """The magnitudes of one tile while it is coded, pass by pass."""

    def __init__(
        self, shape: Cells, maps: list[Map | None], many: tuple[int, ...], weights: NDArray[np.int64], mean: int
    ) -> None:
        self.cells: Cells = tuple((n + 1) // 2 for n in shape)
        self._shape, self._maps, self._divisors = shape, maps, divisors(many)
        self._factors = factors(weights, self._divisors, mean)
        self._own = [np.zeros([n + 2 for n in self.cells], np.int32)] * 8
        self._sums = self._own[0]

    def members(self, number: int) -> tuple[slice, ...]:
        """Where the coefficients of a pass lie in the tile."""
        return tuple(slice(PASSES[number] >> bit & 1, n, 2) for bit, n in zip((2, 1, 0), self._shape, strict=True))

    def sums(self, number: int) -> list[NDArray[np.int32] | None]:
        """What the weights of a pass multiply, over the cells and a border; None: nothing is known."""
        terms: list[NDArray[np.int32] | None] = [None] * MEAN
        for kind, parity, shift in neighbours(number):
            there = _shifted(self._own[parity], shift)
            before = terms[kind]
            terms[kind] = there if before is None else before + there
        if number:
            terms[OWN : OWN + 2] = [_shifted(part, (0, 0, 0)) for part in wide(self._sums)]
        for place, part in enumerate(self._maps):
            if part is not None:
                arrays = (part.lattices[PASSES[number]], part.near, part.far)
                terms[MAPS + 3 * place : MAPS + 3 * place + 3] = [_shifted(array, (0, 0, 0)) for array in arrays]
        return terms

    def classes(self, number: int) -> NDArray[np.uint8]:
        """Classes of the coefficients of a pass."""
        factors = self._factors[number].tolist()
        total = np.full(self.cells, factors[MEAN], np.int32)
        for factor, part in zip(factors[:MEAN], self.sums(number), strict=True):
            if factor and part is not None:
                total += part * np.int32(factor)
        octave = np.frexp(np.maximum(total, 1).astype(np.float64))
        mantissa = (octave[0] * 8).astype(np.int32) - 4
        clipped = np.clip(4 * (octave[1] - 1) + mantissa - FIRST_CLASS, 0, CLASSES - 1).astype(np.uint8)
        return clipped[self.cut(number)]

    def means(self, number: int, mean: int) -> list[NDArray[np.float64]]:
        """What weights stand before, in magnitudes of 1, for every coefficient of a pass; the encoder's."""
        columns = []
        for part, divisor in zip(self.sums(number), self._divisors[number].tolist(), strict=True):
            known = np.full(self.cells, mean / 4096) if part is None else part * (4 / divisor)
            columns.append(known[self.cut(number)].ravel())
        return [*columns, np.full(columns[0].shape, mean / 4096)]

    def cut(self, number: int) -> tuple[slice, ...]:
        """The cells that have a coefficient of a pass."""
        where = zip(self.members(number), self._shape, strict=True)
        return tuple(slice(len(range(*members.indices(n)))) for members, n in where)

    def enter(self, number: int, magnitudes: NDArray[np.uint8]) -> None:
        """Make the magnitudes of a pass known; `magnitudes` are the whole tile's."""
        self._own[PASSES[number]] = lattice(magnitudes, PASSES[number], self.cells)
        self._sums = self._sums + self._own[PASSES[number]]


def _shifted(padded: NDArray[np.int32], shift: tuple[int, int, int]) -> NDArray[np.int32]:
    return padded[tuple(slice(1 + s, n - 1 + s) for s, n in zip(shift, padded.shape, strict=True))]
