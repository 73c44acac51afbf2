"""What a source holds: which arrays are compressed, which are copied, and the groups around them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.errors import GroupNotFoundError, NodeNotFoundError
from zarr.storage import MemoryStore

from tinc_codec.errors import ConfigurationError
from tinc_codec.stream.container import supported

SMALLEST = 4096
"""Voxels below which an array is copied as it is: coordinates and tables must stay exact, and cost little."""

Region = tuple[slice, ...]


@dataclass(frozen=True)
class Member:
    """One array of a source.

    Parameters
    ----------
    path
        Within the source; empty where the source is the array.
    array
        The array, open for reading.
    """

    path: str
    array: zarr.Array[Any]

    @property
    def compressible(self) -> bool:
        """Whether the array is for the codec: samples of a supported dtype, two axes or more, and not small."""
        array = self.array
        return bool(supported(np.dtype(array.dtype)) and array.ndim > 1 and array.size >= SMALLEST)


def open_node(source: Any, mode: str = "r") -> zarr.Array[Any] | zarr.Group:
    """Open what was given: an array, a group, a path, or a URL that fsspec knows.

    Raises
    ------
    ConfigurationError
        There is no Zarr array or group.
    """
    if isinstance(source, zarr.Array | zarr.Group):
        return source
    place = str(source) if isinstance(source, Path) else source
    try:
        return zarr.open(place, mode=mode)  # type: ignore[arg-type]
    except (FileNotFoundError, NodeNotFoundError, GroupNotFoundError) as error:
        raise ConfigurationError(f"source {str(source)!r} holds no Zarr array or group") from error


def members(node: zarr.Array[Any] | zarr.Group) -> list[Member]:
    """All arrays of a source, in the order of their paths."""
    array = node if isinstance(node, zarr.Array) else None
    if isinstance(node.store, MemoryStore):
        raise ConfigurationError("the source is in the memory of this process, which workers cannot see: save it first")
    if array is not None:
        return [Member("", array)]
    assert isinstance(node, zarr.Group)
    found = [(path, member) for path, member in node.members(max_depth=None) if isinstance(member, zarr.Array)]
    return [Member(path, member) for path, member in sorted(found, key=lambda pair: pair[0])]


def write_shape(array: zarr.Array[Any]) -> tuple[int, ...]:
    """Shape of what is written at once: a shard, or a chunk where there are none."""
    return tuple(array.shards or array.chunks)


def regions(array: zarr.Array[Any]) -> Iterator[tuple[tuple[int, ...], Region]]:
    """Index and place of everything that is written at once."""
    unit = write_shape(array)
    for index in itertools.product(*(range(math.ceil(n / m)) for n, m in zip(array.shape, unit, strict=True))):
        yield index, tuple(
            slice(i * m, min((i + 1) * m, n)) for i, m, n in zip(index, unit, array.shape, strict=True)
        )


def count(array: zarr.Array[Any]) -> int:
    """Number of regions of an array."""
    return math.prod(math.ceil(n / m) for n, m in zip(array.shape, write_shape(array), strict=True))
