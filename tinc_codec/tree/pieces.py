"""What is to be evaluated: local coordinates, the leaves at which each is wanted, and where the answers go.

All leaves see the same local coordinates, so that their ancestors are evaluated once for all of them. A selection is
therefore cut into pieces, each a set of coordinates that a set of leaves wants whole: nothing else is evaluated.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.caching import keeping
from tinc_codec.runtime.lazy import lazy
from tinc_codec.tree.partition import Partition
from tinc_codec.tree.runs import Positions, Run, locate, runs_of

MOST_POINTS = 2**16
"""Local coordinates of a piece, and of a batch, about, so that memory does not grow with the leaves."""

FEW_POINTS = 2**15
"""Pieces of so many coordinates are kept with the selection."""

MOST_KEPT = 2**16
"""Bytes of positions whose arrangement is kept for further reads."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Local coordinates that several leaves want.

    Parameters
    ----------
    leaves
        Their numbers, ascending; int64, ``(leaves,)``.
    starts
        Where each leaf's answers begin in the flat output; int64, ``(leaves,)``.
    coordinates
        Integer local coordinates, float32, ``(axes, points)``.
    offsets
        Where the answer at each coordinate goes, from the leaf's start; int64, ``(points,)``.
    """

    leaves: NDArray[np.int64]
    starts: NDArray[np.int64]
    coordinates: NDArray[np.float32]
    offsets: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Several pieces, one after the other, to be evaluated in one call.

    Parameters
    ----------
    leaves, starts, coordinates, offsets
        Those of the pieces, see `Piece`, joined.
    sizes
        The number of leaves and of local coordinates of each piece; int64, ``(pieces, 2)``.
    """

    leaves: NDArray[np.int64]
    starts: NDArray[np.int64]
    coordinates: NDArray[np.float32]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Batch:
        """Join pieces, of which there is at least one."""
        sizes = np.array([(len(piece.leaves), len(piece.offsets)) for piece in pieces], np.int64)
        if len(pieces) == 1:
            return cls(**vars(pieces[0]), sizes=sizes)
        return cls(
            np.concatenate([piece.leaves for piece in pieces]),
            np.concatenate([piece.starts for piece in pieces]),
            np.concatenate([piece.coordinates for piece in pieces], axis=1),
            np.concatenate([piece.offsets for piece in pieces]),
            sizes,
        )


def in_batches(pieces: Iterable[Piece]) -> Iterator[Batch]:
    """Pieces joined, until they have `MOST_POINTS` coordinates, about."""
    waiting: list[Piece] = []
    points = 0
    for piece in pieces:
        waiting.append(piece)
        points += len(piece.offsets)
        if points >= MOST_POINTS:
            yield Batch.of(waiting)
            waiting, points = [], 0
    if waiting:
        yield Batch.of(waiting)


@dataclass(frozen=True, eq=False)
class Product:
    """A selection that is a product of positions along each axis.

    Parameters
    ----------
    partition
        Of the chunk.
    shape
        Of the output: along each axis, the number of positions that differ in the decoder's eyes.
    runs
        For each axis.
    places
        For each axis, which of the output's positions each wanted one is; None: they are the same.
    """

    partition: Partition
    shape: tuple[int, ...]
    runs: tuple[tuple[Run, ...], ...]
    places: tuple[NDArray[np.intp] | None, ...]

    @property
    def size(self) -> int:
        """Number of answers."""
        return math.prod(self.shape)

    @lazy
    def points(self) -> int:
        """Number of local coordinates of all pieces."""
        return math.prod(sum(len(run.coordinates) for run in runs) for runs in self.runs)

    @property
    def nbytes(self) -> int:
        """Memory in bytes, with the pieces that are found at the first use where they are few."""
        runs = sum(run.nbytes for along in self.runs for run in along)
        places = sum(0 if along is None else along.nbytes for along in self.places)
        leaves = math.prod(sum(len(run.blocks) for run in along) for along in self.runs)
        few = self.points * (4 * len(self.shape) + 8) + 16 * leaves if self.points <= FEW_POINTS else 0
        return self.partition.nbytes + runs + places + 2 * few

    @lazy
    def _few(self) -> tuple[Piece, ...]:
        return tuple(self._each_piece())

    @lazy
    def _few_batches(self) -> tuple[Batch, ...]:
        return tuple(in_batches(self._each_piece()))

    def pieces(self) -> Iterable[Piece]:
        """What is to be evaluated, with answers in a flat array of `shape`."""
        return self._few if self.points <= FEW_POINTS else self._each_piece()

    def batches(self) -> Iterable[Batch]:
        """The same, joined."""
        return self._few_batches if self.points <= FEW_POINTS else in_batches(self._each_piece())

    def _each_piece(self) -> Iterator[Piece]:
        strides = [math.prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))]
        for runs in itertools.product(*self.runs):
            yield from _pieces(self.partition, runs, strides)

    def arranged(self, output: NDArray[Any]) -> NDArray[Any]:
        """The output, of `shape` or flat, at all the positions that were wanted."""
        output = output.reshape(self.shape)
        for axis, places in enumerate(self.places):
            if places is not None:
                output = np.take(output, places, axis)
        return output


def product(partition: Partition, positions: Sequence[Positions]) -> Product:
    """The product of positions along each axis.

    Small ones are kept: what is wanted of one chunk is often wanted of its neighbours.
    """
    stored = tuple((along.dtype.str, along.tobytes()) for along in positions)
    product: Product = _where_small(_product, sum(len(data) for _, data in stored))(partition, stored)
    return product


def _where_small(kept: Any, size: int) -> Any:
    """A function that keeps its answers, or the function in it that does not, where they are large."""
    return kept if size <= MOST_KEPT else kept.__wrapped__


@keeping(lambda product: product.nbytes)
def _product(partition: Partition, stored: tuple[tuple[str, bytes], ...]) -> Product:
    axes = [_where_small(runs_of, len(along[1]))(partition, axis, *along) for axis, along in enumerate(stored)]
    sizes, runs, places = zip(*axes, strict=True)
    return Product(partition, sizes, runs, places)


def points(partition: Partition, positions: Positions) -> Iterator[Piece]:
    """Single positions, ``(axes, points)``, with answers in a flat array of ``points``."""
    located = [locate(partition, axis, positions[axis]) for axis in range(len(partition.shape))]
    grid = tuple(blocks for blocks, _ in located)
    leaves = partition.leaf_numbers[np.ravel_multi_index(grid, partition.leaf_grid)]
    coordinates = np.stack([along for _, along in located]).astype(np.float32)
    order = np.argsort(leaves, kind="stable")
    borders = np.flatnonzero(np.diff(leaves[order])) + 1
    for places in np.split(order, borders):
        for start in range(0, len(places), MOST_POINTS):
            part = places[start : start + MOST_POINTS]
            yield Piece(leaves[part[:1]], np.zeros(1, np.int64), coordinates[:, part], part.astype(np.int64))


def _pieces(partition: Partition, runs: Sequence[Run], strides: Sequence[int]) -> Iterator[Piece]:
    below = [math.prod(partition.leaf_grid[axis + 1 :]) for axis in range(len(runs))]
    grid = _sums([run.blocks * size for run, size in zip(runs, below, strict=True)])
    leaves = partition.leaf_numbers[grid]
    starts = _sums([run.starts * stride for run, stride in zip(runs, strides, strict=True)])
    order = np.argsort(leaves)
    # a slab of the first axis at a time
    slab = max(1, MOST_POINTS // math.prod(len(run.coordinates) for run in runs[1:]))
    for start in range(0, len(runs[0].coordinates), slab):
        part = slice(start, start + slab)
        along = [runs[0].coordinates[part], *(run.coordinates for run in runs[1:])]
        offsets = [runs[0].offsets[part], *(run.offsets for run in runs[1:])]
        coordinates = np.empty((len(along), *map(len, along)), np.float32)
        for axis, values in enumerate(along):
            coordinates[axis] = values.reshape([-1 if axis == other else 1 for other in range(len(along))])
        flat = _sums([offset * stride for offset, stride in zip(offsets, strides, strict=True)])
        yield Piece(leaves[order], starts[order], coordinates.reshape(len(along), -1), flat)


def _sums(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Sums of one number of each part, all combinations in C order."""
    total = parts[0]
    for part in parts[1:]:
        total = (total[:, None] + part).ravel()
    return total
