"""The order in which a tile's voxels are coded, and the neighbours that are known by then (FORMAT.md, "Passes")."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

REACH = 3
"""Neighbours are looked for up to this many lattice steps along each axis."""

MOST_PAIRS = 32
"""Pairs of opposite neighbours of a pass, at most."""

Offset = tuple[int, ...]


@dataclass(frozen=True)
class Pass:
    """One class of voxels, coded at once.

    Parameters
    ----------
    level
        The lattice's stride is ``2 ** level``.
    parity
        Which coordinates on the lattice are odd.
    pairs
        Offsets o on the lattice, nearest first, such that the voxels at +o and -o are known before this pass.
    """

    level: int
    parity: tuple[int, ...]
    pairs: tuple[Offset, ...]

    def lattice(self, tile: NDArray[Any]) -> NDArray[Any]:
        """The part of a tile that lies on the lattice; a view."""
        view: NDArray[Any] = tile[tuple(slice(None, None, 2**self.level) for _ in self.parity)]
        return view

    def members(self, tile: NDArray[Any]) -> NDArray[Any]:
        """The voxels of a tile that this pass codes; a view."""
        return self.odd(self.lattice(tile))

    def odd(self, lattice: NDArray[Any]) -> NDArray[Any]:
        """The voxels of a lattice that this pass codes; a view."""
        if not self.pairs and not any(self.parity):
            return lattice
        view: NDArray[Any] = lattice[tuple(slice(odd, None, 2) for odd in self.parity)]
        return view


@lru_cache(maxsize=64)
def passes(axes: int, levels: int) -> tuple[Pass, ...]:
    """All passes over a tile of `axes` axes: its coarsest lattice, then each halving of the stride, class by class."""
    steps = [Pass(levels, (0,) * axes, ())]
    for level in reversed(range(levels)):
        known = {(0,) * axes}
        for parity in _classes(axes):
            steps.append(Pass(level, parity, _pairs(parity, frozenset(known))))
            known.add(parity)
    return tuple(steps)


def _classes(axes: int) -> list[tuple[int, ...]]:
    """Parities but all even: those with fewer odd coordinates first, then those that are odd earlier."""
    every = itertools.product((0, 1), repeat=axes)
    return sorted((parity for parity in every if any(parity)), key=lambda p: (sum(p), [-odd for odd in p]))


@lru_cache(maxsize=256)
def _pairs(parity: tuple[int, ...], known: frozenset[tuple[int, ...]]) -> tuple[Offset, ...]:
    """Offsets whose first number that is not 0 is positive, by distance, then as tuples."""
    offsets = []
    for offset in itertools.product(range(-REACH, REACH + 1), repeat=len(parity)):
        there = tuple((p + o) % 2 for p, o in zip(parity, offset, strict=True))
        if offset > (0,) * len(parity) and there in known:
            offsets.append((sum(o * o for o in offset), offset))
    return tuple(offset for _, offset in sorted(offsets)[:MOST_PAIRS])


class Neighbourhood:
    """Values of a lattice around the voxels of one pass, reflected at the tile's borders.

    Parameters
    ----------
    padded
        The lattice, with a border of `REACH`.
    parity
        Of the pass.
    """

    def __init__(self, padded: NDArray[np.float64], parity: tuple[int, ...]) -> None:
        self._padded, self._parity = padded, parity
        self._counts = [(n - 2 * REACH - odd + 1) // 2 for n, odd in zip(padded.shape, parity, strict=True)]

    def at(self, offset: Offset, sign: int) -> NDArray[np.float64]:
        """The neighbours at ``sign * offset``, shaped like the pass's voxels; a view."""
        where = []
        for odd, o, count in zip(self._parity, offset, self._counts, strict=True):
            start = REACH + odd + sign * o
            where.append(slice(start, start + 2 * count - 1, 2))
        return self._padded[tuple(where)]


def tile_borders(shape: tuple[int, ...], grid: tuple[int, ...]) -> list[NDArray[np.int64]]:
    """Where the tiles begin along each axis, and where the last one ends: tile i of g begins at floor(i n / g)."""
    return [np.arange(g + 1, dtype=np.int64) * n // g for n, g in zip(shape, grid, strict=True)]


def tile_bounds(shape: tuple[int, ...], grid: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Places of the tiles of a chunk, in C order of their grid."""
    axes = [list(map(slice, ends.tolist(), ends[1:].tolist())) for ends in tile_borders(shape, grid)]
    return list(itertools.product(*axes))
