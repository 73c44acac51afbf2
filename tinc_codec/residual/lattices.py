"""All tiles of a chunk while they are coded, pass by pass: what is known of them, and what lies around some voxels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.residual.interlace import REACH, Offset, Pass
from tinc_codec.residual.lattice import Coded, Lattice, PassCoding, code_tile
from tinc_codec.residual.prediction import FAR, NEAR


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


@dataclass(frozen=True, eq=False)
class Members:
    """The voxels of a pass, tile after tile, each in C order.

    Parameters
    ----------
    step
        The pass.
    counts
        How many there are along each axis of each tile, shape ``(tiles, axes)``.
    target
        What they are, integers of the domain.
    base
        The model's prediction; one number where it is the same everywhere.
    inside
        Which are coded; None: all.
    """

    step: Pass
    counts: NDArray[np.int64]
    target: NDArray[np.float64]
    base: NDArray[np.float64]
    inside: NDArray[np.bool_] | None

    @property
    def ends(self) -> NDArray[np.int64]:
        """Where each tile's begin, and where the last one's end."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.counts.prod(1))])

    def base_of(self, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        """The model's prediction of some of them."""
        return self.base[chosen] if len(self.base) > 1 else np.full(len(chosen), self.base[0])


class Lattices:
    """The lattices of one level of all tiles, in arrays of equal shape: neighbours are as far away in each of them.

    Parameters
    ----------
    tiles
        All tiles of a chunk.
    step
        The level's first pass.

    Attributes
    ----------
    values, errors
        See `Lattice`, each with a border of `REACH` and as much as the largest tile takes: shape ``(tiles, ...)``.
    each
        Views of them, of every tile.
    level
        Theirs.
    """

    def __init__(self, tiles: list[Tile], step: Pass) -> None:
        bases = [step.lattice(tile.base) for tile in tiles]
        most = [max(base.shape[axis] for base in bases) + 2 * REACH for axis in range(bases[0].ndim)]
        self._tiles, self.level = tiles, step.level
        self.values, self.errors = np.empty((len(tiles), *most)), np.empty((len(tiles), *most))
        self.each: list[Lattice] = []
        for number, base in enumerate(bases):
            place = tuple(slice(n + 2 * REACH) for n in base.shape)
            self.each.append(Lattice(self.values[number][place], self.errors[number][place], base))

    @property
    def shapes(self) -> NDArray[np.int64]:
        """Of the lattices, without borders, shape ``(tiles, axes)``."""
        return np.array([lattice.base.shape for lattice in self.each], np.int64)

    @property
    def strides(self) -> tuple[int, ...]:
        """How far apart the neighbours along each axis of a tile lie."""
        return tuple(stride // self.values.itemsize for stride in self.values.strides[1:])

    def further(self, offset: Offset) -> int:
        """How far away the neighbours at an offset lie."""
        return sum(o * stride for o, stride in zip(offset, self.strides, strict=True))

    def members(self, step: Pass) -> Members:
        """The voxels of a pass of this level."""
        targets = [step.members(tile.target) for tile in self._tiles]
        masks = [step.members(tile.mask).ravel() for tile in self._tiles if tile.mask is not None]
        counts = np.array([target.shape for target in targets], np.int64)
        target = np.concatenate([target.ravel() for target in targets])
        inside = np.concatenate(masks) if masks else None
        return Members(step, counts, target, self._base(step), inside)

    def _base(self, step: Pass) -> NDArray[np.float64]:
        bases = [step.odd(lattice.base) for lattice in self.each]
        if any(self._tiles[0].base.strides):
            return np.concatenate([base.ravel() for base in bases])
        return self._tiles[0].base.reshape(-1)[:1]


def take(lattices: Lattices, coarser: Lattices) -> None:
    """Enter what is known of the level before."""
    for lattice, other in zip(lattices.each, coarser.each, strict=True):
        lattice.take(other)


def places(lattices: Lattices, members: Members, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where some voxels of a pass lie in the arrays, flattened.

    Parameters
    ----------
    chosen
        Their numbers among the members, ascending.
    """
    step, ends = members.step, members.ends
    number = np.searchsorted(ends, chosen, side="right") - 1
    rest, stride = chosen - ends[number], 2 if step.pairs else 1
    found = number * math.prod(lattices.values.shape[1:])
    for axis in reversed(range(len(step.parity))):
        count = members.counts[number, axis]
        found += (REACH + step.parity[axis] + stride * (rest % count)) * lattices.strides[axis]
        rest = rest // count
    return np.asarray(found, np.intp)


class Surroundings(NamedTuple):
    """What lies around some voxels of a pass: integers, each row as long as there are voxels."""

    pairs: NDArray[np.float64]
    """The sum of the first pair, and by how much the others' are more."""
    near: NDArray[np.float64]
    """Values of the nearest pairs, `FAR` at most, one neighbour after the other."""
    mistakes: NDArray[np.float64]
    """Sums of the errors of the `NEAR` nearest pairs, and of the `FAR` nearest."""


def surroundings(lattices: Lattices, places: NDArray[np.intp], pairs: tuple[Offset, ...]) -> Surroundings:
    """Gather what lies around voxels.

    Parameters
    ----------
    lattices
        What is known.
    places
        See `places`.
    pairs
        Of their pass, nearest first; one at least.
    """
    values, errors = lattices.values.ravel(), lattices.errors.ravel()
    sums, near = np.empty((len(pairs), len(places))), np.empty((2 * min(FAR, len(pairs)), len(places)))
    mistakes = np.zeros((2, len(places)))
    for number, offset in enumerate(pairs):
        further = lattices.further(offset)
        one, two = places + further, places - further
        np.add(values[one], values[two], out=sums[number])
        if number < FAR:
            near[2 * number], near[2 * number + 1] = values[one], values[two]
            mistakes[int(number >= NEAR) :] += errors[one] + errors[two]
    sums[1:] -= sums[0]
    return Surroundings(sums, near, mistakes)


def code_pass(coding: PassCoding, lattices: Lattices, members: Members) -> Coded:
    """Predict, quantise and enter the voxels of a pass, of all tiles.

    Parameters
    ----------
    coding
        How.
    lattices
        What is known of the tiles.
    members
        The voxels.
    """
    coded, ends = [], members.ends.tolist()
    for lattice, count, begin, end in zip(lattices.each, members.counts, ends, ends[1:], strict=False):
        target = members.target[begin:end].reshape(count)
        inside = None if members.inside is None else members.inside[begin:end].reshape(count)
        if target.size:
            coded.append(code_tile(coding, lattice, target, inside))
    return Coded(
        np.concatenate([each.expected for each in coded] or [np.zeros(0)]),
        np.concatenate([each.steps for each in coded] or [np.zeros(0, np.int64)]),
    )
