"""Partition of a chunk into a 2^d-ary tree of blocks, for any shape of 1 to 4 axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.lazy import lazy

MINIMUM_BLOCK = 8
"""An axis is halved only while its blocks keep at least this many voxels (rounded up)."""


MOST_AXES = 4
"""Axes that the tree splits; further leading axes are merged."""


def fold(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape that the tree sees: without axes of length 1, leading axes merged until `MOST_AXES` are left."""
    folded = [size for size in shape if size != 1] or [1]
    while len(folded) > MOST_AXES:
        folded[:2] = [folded[0] * folded[1]]
    return tuple(folded)


@dataclass(frozen=True)
class Partition:
    """How a chunk is halved, level by level.

    Nodes of a level are numbered so that siblings are neighbours: the children of node ``p`` are
    ``p * f .. p * f + f - 1``, where ``f`` is 2 to the number of axes halved there.

    Parameters
    ----------
    shape
        Shape of the chunk in voxels, 1 to 4 axes.
    splits
        For every level below the root, which axes are halved on the way to it.
    """

    shape: tuple[int, ...]
    splits: tuple[tuple[bool, ...], ...]

    @property
    def nbytes(self) -> int:
        """Memory in bytes, with what is found at the first use."""
        return 2048 + 16 * math.prod(self.leaf_grid)

    @property
    def levels(self) -> int:
        """Number of levels, the root's included."""
        return len(self.splits) + 1

    def grid(self, level: int) -> tuple[int, ...]:
        """Number of blocks along each axis at `level`."""
        return tuple(2 ** sum(split[axis] for split in self.splits[:level]) for axis in range(len(self.shape)))

    def nodes(self, level: int) -> int:
        """Number of nodes at `level`."""
        return int(2 ** sum(map(sum, self.splits[:level])))

    def fanout(self, level: int) -> int:
        """Number of children that a node of `level - 1` has at `level`; 1 for the root."""
        return 1 if level == 0 else 2 ** sum(self.splits[level - 1])

    def coordinates(self, level: int) -> NDArray[np.int64]:
        """Position of every node in its level's grid, shape ``(nodes, axes)``."""
        position = np.zeros((1, len(self.shape)), np.int64)
        for split in self.splits[:level]:
            steps = [range(2) if halved else range(1) for halved in split]
            offset = np.array(np.meshgrid(*steps, indexing="ij")).reshape(len(split), -1).T
            scaled = position * (1 + np.array(split, np.int64))
            position = (scaled[:, None, :] + offset[None]).reshape(-1, len(split))
        return position

    @lazy
    def leaf_grid(self) -> tuple[int, ...]:
        """Number of leaves along each axis."""
        return self.grid(self.levels - 1)

    @lazy
    def leaf_shape(self) -> tuple[int, ...]:
        """Voxels of the largest leaf along each axis; the local grid all leaves share."""
        return tuple(-(-n // g) for n, g in zip(self.shape, self.leaf_grid, strict=True))

    @lazy
    def _leaf_order(self) -> NDArray[np.int64]:
        """Row-major grid index of every leaf, shape ``(leaves,)``."""
        coordinates = self.coordinates(self.levels - 1)
        return np.asarray(np.ravel_multi_index(tuple(coordinates.T), self.leaf_grid))

    @lazy
    def leaf_numbers(self) -> NDArray[np.int64]:
        """Number of the leaf at every row-major grid index, shape ``(leaves,)``."""
        numbers = np.empty_like(self._leaf_order)
        numbers[self._leaf_order] = np.arange(len(numbers))
        return numbers

    def borders(self, axis: int) -> NDArray[np.int64]:
        """Where each block of the leaves' grid begins along `axis`, and where the last one ends."""
        return np.arange(self.leaf_grid[axis] + 1, dtype=np.int64) * self.shape[axis] // self.leaf_grid[axis]

    def _axis_cells(self, axis: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Voxel index and validity of each leaf's cells along `axis`, both ``(grid, cells)``."""
        bounds = self.borders(axis)
        index = bounds[:-1, None] + np.arange(self.leaf_shape[axis])
        return np.minimum(index, self.shape[axis] - 1), index < bounds[1:, None]

    def valid_cells(self) -> NDArray[np.bool_] | None:
        """Which cells of the local grid each leaf really has, ``(leaves, cells)``; None: all."""
        if all(n % g == 0 for n, g in zip(self.shape, self.leaf_grid, strict=True)):
            return None
        place = self.coordinates(self.levels - 1)
        valid = np.ones((len(place), *self.leaf_shape), bool)
        for axis, cells in enumerate(self.leaf_shape):
            along = [1] * len(self.shape)
            along[axis] = cells
            valid &= self._axis_cells(axis)[1][place[:, axis]].reshape(len(place), *along)
        return valid.reshape(len(place), -1)

    def to_blocks(self, volume: NDArray[Any]) -> NDArray[Any]:
        """Cut a volume into its leaves, ``(leaves, cells)``; short leaves repeat a border voxel."""
        for axis in range(volume.ndim):
            if volume.shape[axis] % self.leaf_grid[axis]:
                volume = np.take(volume, self._axis_cells(axis)[0].ravel(), axis=axis)
        pairs = [n for gs in zip(self.leaf_grid, self.leaf_shape, strict=True) for n in gs]
        axes = len(self.shape)
        order = [*range(0, 2 * axes, 2), *range(1, 2 * axes, 2)]
        blocks = volume.reshape(pairs).transpose(order).reshape(math.prod(self.leaf_grid), -1)
        return blocks[self._leaf_order]

    def present_cells(self) -> list[NDArray[np.int64] | None]:
        """For each axis, which cells of all its blocks, one after the other, are voxels; None: all."""
        return [
            None if self.shape[axis] % self.leaf_grid[axis] == 0 else np.flatnonzero(self._axis_cells(axis)[1])
            for axis in range(len(self.shape))
        ]


def partition(shape: tuple[int, ...], levels: int) -> Partition:
    """Halve `shape` `levels - 1` times, each axis only as far as `MINIMUM_BLOCK` allows.

    Fewer levels result where no axis can be halved any more.
    """
    splits: list[tuple[bool, ...]] = []
    sizes = list(shape)
    while len(splits) < levels - 1:
        split = tuple(size >= 2 * MINIMUM_BLOCK - 1 for size in sizes)
        if not any(split):
            break
        splits.append(split)
        sizes = [-(-size // 2) if halved else size for size, halved in zip(sizes, split, strict=True)]
    return Partition(tuple(shape), tuple(splits))
