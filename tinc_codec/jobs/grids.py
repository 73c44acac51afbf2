"""Chunks and shards of the arrays that a job makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts import ome_zarr as ome
from tinc_codec.jobs.source_tree import Member

Shape = tuple[int, ...]

_VOXELS = 2**21
"""Voxels of a chunk, at most, where the source has no chunks to keep: cubes or squares of the axes of space."""


@dataclass(frozen=True)
class Grid:
    """What is asked of the chunks of all arrays that are written.

    Parameters
    ----------
    chunks, shards
        Their edges in voxels; None: as in the source.
    zarr_format
        2 or 3; None: as the source, or else 3.

    Raises
    ------
    ConfigurationError
        They are something else.
    """

    chunks: Shape | None = None
    shards: Shape | None = None
    zarr_format: int | None = None

    def __post_init__(self) -> None:
        for name in ("chunks", "shards"):
            object.__setattr__(self, name, _parse_edges(name, getattr(self, name)))
        if self.zarr_format is not None and (self.zarr_format is True or self.zarr_format not in (2, 3)):
            raise ConfigurationError(f"zarr_format={self.zarr_format!r} must be 2 or 3")


def _parse_edges(name: str, value: Any) -> Shape | None:
    if value is None:
        return None
    if not isinstance(value, tuple | list) or not all(is_whole(edge) and edge >= 1 for edge in value):
        raise ConfigurationError(f"{name}={value!r} must be whole numbers of at least 1, as in (64, 64, 64)")
    return tuple(int(edge) for edge in value)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def own_grid(member: Member, zarr_format: int) -> tuple[Shape, Shape | None]:
    """Chunks and shards of an array as its source has them, or as suit it where that has none.

    Raises
    ------
    ConfigurationError
        It is a dask array whose blocks differ in size.
    """
    array, reader = member.array, member.reader
    if array is not None:
        shards = None if array.shards is None or zarr_format == 2 else tuple(array.shards)
        return tuple(array.chunks), shards
    blocks = getattr(getattr(reader, "array", None), "chunks", None)
    if blocks is None:
        return _cubes(reader.shape, member.names), None
    if any(len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0] for sizes in blocks):
        raise ConfigurationError("the dask array's blocks differ in size: give chunks=..., or rechunk it")
    return tuple(int(sizes[0]) for sizes in blocks), None


def _cubes(shape: Shape, names: tuple[str, ...]) -> Shape:
    """Chunks over the last three axes of space, or of all where none is known to be; one voxel along the others."""
    space = [axis for axis in range(len(shape)) if not names or ome.kind_of(names[axis]) == "space"][-3:]
    edge = round(_VOXELS ** (1 / max(1, len(space))))
    if not space:
        space, edge = list(range(len(shape)))[-3:], 128
    return tuple(max(1, min(edge, n)) if axis in space else 1 for axis, n in enumerate(shape))


def check_grid(member: Member, chunks: Shape, shards: Shape | None, zarr_format: int) -> None:
    """Raise `ConfigurationError` unless chunks and shards fit an array and a Zarr format."""
    shape = member.reader.shape
    for name, grid in (("chunks", chunks), ("shards", shards)):
        if grid is not None and (len(grid) != len(shape) or min(grid, default=1) < 1):
            raise ConfigurationError(f"{name}={grid} do not fit array {member.path!r} of shape {shape}")
    if shards is not None and zarr_format == 2:
        raise ConfigurationError(f"shards={shards}: Zarr format 2 has none; leave them out, or ask for zarr_format=3")
    if shards is not None and any(s % c for s, c in zip(shards, chunks, strict=True)):
        raise ConfigurationError(f"shards={shards} are not whole chunks of {chunks}")
