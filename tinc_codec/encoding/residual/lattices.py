"""All tiles of a chunk while they are coded, pass by pass, and samples of their voxels to fit predictors to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual.interlace import REACH, Offset, Pass
from tinc_codec.residual.lattice import Lattice
from tinc_codec.residual.prediction import Around


@dataclass(frozen=True, eq=False)
class Tile:
    """What a tile is to be.

    Parameters
    ----------
    place
        Where it lies in the chunk.
    base
        The model's prediction.
    target
        What it is.
    mask
        Which voxels are coded; None: all.
    """

    place: tuple[slice, ...]
    base: NDArray[np.float64]
    target: NDArray[np.float64]
    mask: NDArray[np.bool_] | None

    def target_of(self, step: Pass) -> NDArray[np.float64]:
        """The voxels of a pass."""
        return step.members(self.target)

    def inside(self, step: Pass) -> NDArray[np.bool_] | None:
        """Which voxels of a pass are coded; None: all."""
        return None if self.mask is None else step.members(self.mask)


class Lattices:
    """The lattices of one level of all tiles, in arrays of equal shape: neighbours are as far away in each of them.

    Parameters
    ----------
    tiles
        All tiles of a chunk.
    step
        The level's first pass.
    coarser
        Those of the level before; None: there is none.
    """

    def __init__(self, tiles: list[Tile], step: Pass, coarser: Lattices | None) -> None:
        bases = [step.lattice(tile.base) for tile in tiles]
        most = [max(base.shape[axis] for base in bases) + 2 * REACH for axis in range(bases[0].ndim)]
        self._tiles = tiles
        self._values, self._errors = np.zeros((len(tiles), *most)), np.zeros((len(tiles), *most))
        self._strides = tuple(math.prod(most[axis + 1 :]) for axis in range(len(most)))
        self.each: list[Lattice] = []
        for number, base in enumerate(bases):
            place = tuple(slice(n + 2 * REACH) for n in base.shape)
            before = None if coarser is None else coarser.each[number]
            self.each.append(Lattice.begun(base, before, (self._values[number][place], self._errors[number][place])))

    def sample(self, step: Pass, most: int) -> Sample | None:
        """Voxels of a pass that are coded, at most so many, evenly; None: none is coded."""
        coded = []
        for tile in self._tiles:
            inside, members = tile.inside(step), tile.target_of(step)
            coded.append(np.arange(members.size) if inside is None else np.flatnonzero(inside))
        count = sum(map(len, coded))
        if not count:
            return None
        every, begin = -(-count // most), 0
        centres, targets, bases = [], [], []
        for number, (tile, lattice, places) in enumerate(zip(self._tiles, self.each, coded, strict=True)):
            chosen = places[begin::every]
            begin = (begin - len(places)) % every
            members = tile.target_of(step)
            where = np.unravel_index(chosen, members.shape)
            centres.append(self._flat(number, step, where))
            targets.append(members[where])
            bases.append(step.odd(lattice.base)[where])
        places = np.concatenate(centres)
        values, errors = (Gathered(padded.ravel(), self._strides, places) for padded in (self._values, self._errors))
        return Sample(Around(values, errors, np.concatenate(bases)), np.concatenate(targets), count)

    def _flat(self, number: int, step: Pass, where: tuple[NDArray[np.intp], ...]) -> NDArray[np.intp]:
        """Where voxels of a pass lie in the arrays, flattened."""
        stride = 2 if step.pairs else 1
        places = (REACH + odd + stride * index for odd, index in zip(step.parity, where, strict=True))
        return np.ravel_multi_index((np.full(len(where[0]), number), *places), self._values.shape)


class Gathered:
    """What lies around some voxels of a pass, gathered when it is asked for, and kept.

    Parameters
    ----------
    flat
        The lattices of all tiles, flattened.
    strides
        Of each axis of a tile.
    places
        Where the voxels lie.
    """

    def __init__(self, flat: NDArray[np.float64], strides: tuple[int, ...], places: NDArray[np.intp]) -> None:
        self._flat, self._strides, self._places = flat, strides, places
        self._kept: dict[int, NDArray[np.float64]] = {}

    def at(self, offset: Offset, sign: int) -> NDArray[np.float64]:
        """The neighbours at ``sign * offset``; not to be changed."""
        further = sign * sum(o * stride for o, stride in zip(offset, self._strides, strict=True))
        if further not in self._kept:
            self._kept[further] = self._flat.take(self._places + further)
        return self._kept[further]


@dataclass(frozen=True, eq=False)
class Sample:
    """Some voxels of a pass.

    Parameters
    ----------
    around
        What they are predicted from.
    target
        What they are.
    count
        How many voxels the pass codes.
    """

    around: Around
    target: NDArray[np.float64]
    count: int
