"""The regions of an array that are written at once: its shards, or its chunks where it has none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

Index = tuple[int, ...]
Region = tuple[slice, ...]


@dataclass(frozen=True)
class Regions:
    """A regular grid of regions over an array.

    Parameters
    ----------
    shape
        Of the array, in voxels.
    unit
        Of a whole region, in voxels.
    """

    shape: tuple[int, ...]
    unit: tuple[int, ...]

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of regions along each axis."""
        return tuple(math.ceil(n / m) for n, m in zip(self.shape, self.unit, strict=True))

    def __len__(self) -> int:
        return math.prod(self.grid)

    def __iter__(self) -> Iterator[Index]:
        return itertools.product(*map(range, self.grid))

    def at(self, index: Index) -> Region:
        """Where a region is, cut off at the array's end."""
        return tuple(slice(i * m, min((i + 1) * m, n)) for i, m, n in zip(index, self.unit, self.shape, strict=True))

    def sample(self, number: int) -> list[Index]:
        """Up to `number` regions, spread evenly over the array."""
        total = len(self)
        number = min(number, total)
        places = [(2 * i + 1) * total // (2 * number) for i in range(number)]
        return [tuple(_unravel(place, self.grid)) for place in places]


def _unravel(place: int, grid: tuple[int, ...]) -> Iterator[int]:
    for axis in range(len(grid)):
        inner = math.prod(grid[axis + 1 :])
        yield place // inner % grid[axis]


def within(region: Region, unit: tuple[int, ...]) -> Iterator[Region]:
    """The chunks inside a region that starts on a chunk, as slices of the region's own samples."""
    shape = tuple(part.stop - part.start for part in region)
    chunks = Regions(shape, unit)
    return (chunks.at(index) for index in chunks)
