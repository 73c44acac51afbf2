"""Between the axes of a chunk and those that the tree sees (FORMAT.md, "Folded shape")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.runtime.lazy import lazy
from tinc_codec.tree.partition import MOST_AXES, fold

Indices = tuple[NDArray[np.int64], ...]
"""Indices along each axis: of a product, or of points."""


@dataclass(frozen=True)
class Folding:
    """The kept shape, and what it folds to.

    Parameters
    ----------
    kept
        Shape of the part of a chunk that is stored.
    """

    kept: tuple[int, ...]

    @lazy
    def folded(self) -> tuple[int, ...]:
        """The shape that the tree sees."""
        return fold(self.kept)

    @lazy
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """For each folded axis, the axes that it is made of, the last one fastest; none where all have size 1."""
        axes = [axis for axis, size in enumerate(self.kept) if size != 1]
        merged = max(0, len(axes) - MOST_AXES) + 1
        return (tuple(axes[:merged]), *((axis,) for axis in axes[merged:]))

    def product(self, indices: Sequence[NDArray[Any]]) -> Indices:
        """Indices along each folded axis, from those of a product along each axis; each has one at least."""
        return tuple(self._merged([indices[axis] for axis in group], group) for group in self.groups)

    def points(self, indices: Sequence[NDArray[Any]]) -> Indices:
        """Indices of points along each folded axis, from those along each axis; those may have fractions."""
        folded = []
        for group in self.groups:
            total = np.zeros(len(indices[0]) if len(indices) else 1, np.int64)
            for axis in group:
                if axis != group[-1]:
                    total = (total + self._whole(indices[axis])) * self._below(axis, group)
                else:
                    total = total + indices[axis]
            folded.append(total)
        return tuple(folded)

    def unfolded(self, samples: NDArray[Any], indices: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Samples of a folded product in the shape of the product itself."""
        sizes = [len(index) for index in indices]
        once = [1 if self.kept[axis] == 1 else size for axis, size in enumerate(sizes)]
        shaped = samples.reshape(once)
        return shaped if once == sizes else np.broadcast_to(shaped, sizes)

    def _merged(self, parts: list[NDArray[Any]], group: tuple[int, ...]) -> NDArray[Any]:
        if len(parts) == 1:
            return parts[0]
        total = np.zeros(1, np.int64)
        for axis, part in zip(group, parts, strict=True):
            if axis == group[-1]:
                break
            total = ((total[:, None] + self._whole(part)) * self._below(axis, group)).ravel()
        last: NDArray[Any] = (total[:, None] + parts[-1]).ravel() if parts else total
        return last

    def _below(self, axis: int, group: tuple[int, ...]) -> int:
        """Size of the axis of a group that follows."""
        return self.kept[group[group.index(axis) + 1]]

    @staticmethod
    def _whole(positions: NDArray[Any]) -> NDArray[np.int64]:
        """Nearest whole positions: between the voxels of axes that are merged there is nothing."""
        return np.floor(positions + 0.5).astype(np.int64) if positions.dtype.kind == "f" else positions
