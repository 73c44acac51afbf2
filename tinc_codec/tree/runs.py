"""Along one axis: where positions lie in the leaves, and the runs of local coordinates that blocks want alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.caching import keeping
from tinc_codec.tree.model import AMPLITUDE
from tinc_codec.tree.partition import Partition

Positions = NDArray[np.float64] | NDArray[np.int64]
"""Along an axis, in voxels: whole, or with fractions between them."""


@dataclass(frozen=True, eq=False)
class Run:
    """Along one axis: coordinates that several blocks want, in the same arrangement."""

    blocks: NDArray[np.int64]
    starts: NDArray[np.int64]
    coordinates: NDArray[np.int64]
    offsets: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return sum(array.nbytes for array in vars(self).values())


def local(positions: Positions, cells: int) -> Positions:
    """Local coordinates of positions in a leaf of so many cells; of the same kind of number, and whole.

    Halves, quarters, ... of voxels are exact in float64.
    """
    return (2 * AMPLITUDE * (2 * positions + (1 - cells)) + cells) // (2 * cells)


def locate(partition: Partition, axis: int, positions: Positions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Blocks of the leaves' grid, and local coordinates, of positions along an axis.

    Parameters
    ----------
    positions
        In voxels: voxel i has its centre at i, and reaches from i - 1/2 to i + 1/2. Fractions are allowed.

    Returns
    -------
    blocks, coordinates
        Both int64. For whole positions these are the coordinates of FORMAT.md, "Evaluation"; the local coordinate is
        linear in the position, rounded to the nearest integer.
    """
    n, begins = partition.shape[axis], partition.borders(axis)[:-1]
    voxel = np.clip(np.floor(positions + 0.5).astype(np.int64), 0, n - 1) if positions.dtype.kind == "f" else positions
    blocks = np.searchsorted(begins, voxel, side="right") - 1
    coordinates = np.clip(local(positions - begins[blocks], partition.leaf_shape[axis]), -AMPLITUDE, AMPLITUDE)
    return blocks.astype(np.int64), coordinates.astype(np.int64)


@keeping(lambda answer: sum(run.nbytes for run in answer[1]) + (0 if answer[2] is None else answer[2].nbytes))
def runs_of(
    partition: Partition, axis: int, dtype: str, data: bytes
) -> tuple[int, tuple[Run, ...], NDArray[np.intp] | None]:
    """Number of answers along an axis, the runs that give them, and which of them each position is.

    They are kept beside products: planes of a chunk differ along one axis.
    """
    positions = np.frombuffer(data, dtype)
    blocks, coordinates = locate(partition, axis, positions)
    key = blocks * (2 * AMPLITUDE + 1) + coordinates
    places = None
    if not (np.diff(key) > 0).all():
        key, chosen, places = np.unique(key, return_index=True, return_inverse=True)
        blocks, coordinates = blocks[chosen], coordinates[chosen]
    different, column = np.unique(coordinates, return_inverse=True)
    slots = np.full((partition.leaf_grid[axis], len(different)), -1, np.int64)
    slots[blocks, column] = np.arange(len(key))
    return len(key), tuple(_grouped(slots, different)), places


def _grouped(slots: NDArray[np.int64], coordinates: NDArray[np.int64]) -> Iterator[Run]:
    """Runs of a table of blocks by coordinates that holds where each answer goes, or -1 where there is none."""
    if not slots.size:
        return
    answered = slots >= 0
    for columns in _alike(answered.T):
        blocks = np.flatnonzero(answered[:, columns[0]])
        places = slots[np.ix_(blocks, columns)]
        offsets = places - places[:, :1]
        for rows in _alike(offsets):
            yield Run(blocks[rows], places[rows, 0], coordinates[columns], offsets[rows[0]])


def _alike(rows: NDArray[Any]) -> list[NDArray[np.intp]]:
    """Numbers of rows that are equal to each other, in groups."""
    if (rows == rows[0]).all():
        return [np.arange(len(rows))]
    _, group = np.unique(rows, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group.ravel()[order])) + 1)
