"""Expected magnitudes of many tiles at once on a torch device: the integers of `tinc_codec.detail.contexts`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor as Array

from tinc_codec.detail.contexts import (
    CLASSES,
    FIRST_CLASS,
    MAPS,
    MEAN,
    OWN,
    PASSES,
    SIDES,
    WIDE_SHIFT,
    divisors,
    factors,
    grid_of,
    known_before,
)
from tinc_codec.detail.model import Model

_AXES = (4, 2, 1)
"""Bits of the last three axes, in parities and kinds of neighbours."""

Cells = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Frame:
    """Tables of one shape of a frame, on a device; see `tinc_codec.detail.contexts.Grid`.

    Parameters
    ----------
    shape
        Coefficients along its three axes.
    cells
        Blocks of 2 x 2 x 2.
    borders
        For each parity which of its coefficients, flat, every cell has, and the border: the nearest one; of parities
        without any None. Then the same of the cells themselves.
    spread
        Along each axis the coefficient that each parity has in each cell and at the border, ``(2, cells + 2)``.
    """

    shape: Cells
    cells: Cells
    borders: tuple[Array | None, ...]
    spread: tuple[Array, ...]

    def counts(self, parity: int) -> Cells:
        """How many coefficients of a parity there are along each axis."""
        return tuple((n + 1 - bool(parity & bit)) // 2 for bit, n in zip(_AXES, self.shape, strict=True))

    def members(self, parity: int) -> tuple[slice, ...]:
        """Where they lie in frames, ``(frames, ...)``."""
        return (slice(None), *(slice(bool(parity & bit), n, 2) for bit, n in zip(_AXES, self.shape, strict=True)))

    @property
    def parities(self) -> tuple[int, ...]:
        """Those that have any coefficients, in the order of coding."""
        return tuple(parity for parity in PASSES if all(self.counts(parity)))

    def bordered(self, part: Array, parity: int = 8) -> Array:
        """What ``(frames, ...)`` holds of a parity, or of all cells, over the cells with their border."""
        border = self.borders[parity]
        assert border is not None
        return part.reshape(len(part), -1).index_select(1, border).view(len(part), *(n + 2 for n in self.cells))


@lru_cache(maxsize=64)
def frame(shape: Cells, device: torch.device) -> Frame:
    """Tables of a shape of frames."""
    cells = tuple((n + 1) // 2 for n in shape)

    def border(counts: Cells) -> Array | None:
        if not all(counts):
            return None
        places = [np.clip(np.arange(-1, c + 1), 0, n - 1) for c, n in zip(cells, counts, strict=True)]
        return torch.from_numpy(np.ravel_multi_index(np.ix_(*places), counts).ravel()).to(device)

    blank = Frame(shape, cells, (), ())
    borders = tuple(border(blank.counts(parity)) for parity in range(8))
    spread = tuple(torch.from_numpy(grid_of(1, shape).spread(axis)).to(device) for axis in range(3))
    return Frame(shape, cells, (*borders, border(cells)), spread)


def _box(padded: Array) -> Array:
    """Sums over 3 x 3 x 3 cells, without the border."""
    for axis in (1, 2, 3):
        n = padded.shape[axis] - 2
        padded = padded.narrow(axis, 0, n) + padded.narrow(axis, 1, n) + padded.narrow(axis, 2, n)
    return padded


def wide(frame: Frame, sums: Array) -> tuple[Array, Array]:
    """Sums over 3 x 3 x 3 cells: once, and twice, the latter shifted right; without borders."""
    near = _box(sums)
    return near, _box(frame.bordered(near)) + (1 << WIDE_SHIFT - 1) >> WIDE_SHIFT


Wide = Callable[[Frame, Array], tuple[Array, Array]]
"""Gives sums over 3 x 3 x 3 cells, see `wide`."""


@dataclass(frozen=True, eq=False)
class Map:
    """What is known of tiles from one kind of other bands; see `tinc_codec.detail.contexts.Map`.

    Parameters
    ----------
    lattices
        Magnitudes by parity, ``(2, 2, 2, frames, cells + 2, ...)``.
    near, far
        Wide sums of all parities, ``(frames, cells, ...)``.
    """

    lattices: Array
    near: Array
    far: Array

    @classmethod
    def of(cls, frame: Frame, lattices: Array, wide: Wide) -> Map:
        """Map of tiles."""
        there = lattices
        for axis, n in enumerate(frame.shape):
            there = there.narrow(axis, 0, min(n, 2))  # of length 1 there are no odd ones
        return cls(lattices, *wide(frame, there.sum((0, 1, 2), dtype=torch.int32)))

    def parts(self, parity: int, counts: Cells) -> tuple[Array, Array, Array]:
        """Own, wide and wider magnitudes at the coefficients of a parity."""
        odd = [int(bool(parity & bit)) for bit in _AXES]
        own = _inner(self.lattices[odd[0], odd[1], odd[2]], counts)
        return own, *(_first(wide, counts) for wide in (self.near, self.far))  # type: ignore[return-value]


def _inner(padded: Array, counts: Cells) -> Array:
    """Cells with a border cut to the first ones."""
    return padded[:, 1 : 1 + counts[0], 1 : 1 + counts[1], 1 : 1 + counts[2]]


def _first(cells: Array, counts: Cells) -> Array:
    return cells[:, : counts[0], : counts[1], : counts[2]]


class Tiles:
    """The magnitudes of tiles while they are coded, pass by pass; see `tinc_codec.detail.contexts.Tile`.

    Parameters
    ----------
    frame
        Of all of them.
    frames
        How many there are in all.
    maps
        What other bands say; None: nothing is known.
    many
        How many bands each map is a sum of.
    model, band
        What they are coded with.
    """

    def __init__(
        self, frame: Frame, frames: int, maps: Sequence[Map | None], many: tuple[int, ...], model: Model, band: int
    ) -> None:
        self.frame, self._frames, self._maps = frame, frames, maps
        mean = int(model.means[band])
        self.divisors, self.mean = divisors(many), mean / 4096
        self.factors = factors(model.weights, self.divisors, mean)
        self._own: dict[int, Array] = {}
        self._sums: Array | None = None

    @property
    def known(self) -> list[tuple[Array, Array, Array] | None]:
        """Lattices, near and far sums of each map."""
        return [None if each is None else (each.lattices, each.near, each.far) for each in self._maps]

    def passes(self) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
        """Number and parity of each pass, and where its coefficients lie in the frames."""
        for parity in self.frame.parities:
            yield PASSES.index(parity), parity, self.frame.members(parity)

    def _terms(self, number: int) -> Iterator[tuple[int, Array]]:
        """Sums that the weights of a pass stand before, with the weights' places, at its coefficients."""
        parity = PASSES[number]
        counts = self.frame.counts(parity)
        for place, kind in enumerate(SIDES):
            if parity ^ kind in known_before(number) and parity ^ kind in self._own:
                yield place, _around(self._own[parity ^ kind], kind, parity, counts)
        if self._sums is not None:
            for place, sums in enumerate(wide(self.frame, self._sums), start=OWN):
                yield place, _first(sums, counts)
        for group, known in enumerate(self._maps):
            if known is not None:
                yield from enumerate(known.parts(parity, counts), start=MAPS + 3 * group)

    def classes(self, number: int) -> Array:
        """Classes of the coefficients of a pass, int64 ``(frames, ...)``."""
        factors = self.factors[number].tolist()
        counts = self.frame.counts(PASSES[number])
        device = self.frame.spread[0].device
        total = torch.full((self._frames, *counts), factors[MEAN], dtype=torch.int32, device=device)
        for place, sums in self._terms(number):
            if factors[place]:
                total.add_(sums, alpha=factors[place])
        octaves = (total.clamp_(min=1).double().view(torch.int64) >> 50) - 4 * 1023
        return (octaves - FIRST_CLASS).clamp_(0, CLASSES - 1)

    def means(self, number: int) -> Array:
        """What weights stand before, in magnitudes of 1, ``(WEIGHTS, coefficients)``, float64; the encoder's."""
        size = self._frames * math.prod(self.frame.counts(PASSES[number]))
        mean, divisors = self.mean, self.divisors[number].tolist()
        start = [0.0 if divisor else mean for divisor in divisors]
        device = self.frame.spread[0].device
        rows = torch.tensor([*start, mean], dtype=torch.float64, device=device)[:, None].repeat(1, size)
        for place, sums in self._terms(number):
            rows[place] = sums.reshape(-1).double() * (4 / divisors[place])
        return rows

    def enter(self, parity: int, magnitudes: Array) -> None:
        """Make the magnitudes of a pass known, uint8 ``(frames, ...)``."""
        self._own[parity] = lattice = self.frame.bordered(magnitudes.int(), parity)
        self._sums = lattice if self._sums is None else self._sums + lattice


def _around(lattice: Array, kind: int, parity: int, counts: Cells) -> Array:
    """Sums of the neighbours of a kind: along each of its axes the one before and the one after."""
    for axis, (bit, n) in enumerate(zip(_AXES, counts, strict=True), start=1):
        if kind & bit:
            begin = int(bool(parity & bit))  # of even ones the one before lies in the cell before
            lattice = lattice.narrow(axis, begin, n) + lattice.narrow(axis, begin + 1, n)
        else:
            lattice = lattice.narrow(axis, 1, n)
    return lattice
