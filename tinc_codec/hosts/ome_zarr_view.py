"""An OME-Zarr image whose metadata and chunks are made when they are read: a read-only Zarr store."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype

from tinc_codec.errors import UnsupportedDataError
from tinc_codec.hosts.ome_zarr import kind_of


class View(Store):
    """Levels of a pyramid as the plain, uncompressed arrays of an OME-Zarr image, format 0.5.

    Parameters
    ----------
    arrays
        The levels, finest first.
    factors
        For each level, voxels of the finest along each axis to one sample.
    names
        Of the axes.
    scale
        See `tinc_codec.hosts.ome_zarr.scale_of`.
    """

    supports_writes = False
    supports_deletes = False
    supports_partial_writes = False
    supports_listing = True

    def __init__(
        self, arrays: Sequence[zarr.Array[Any]], factors: Sequence[tuple[int, ...]], names: Sequence[str], scale: Any
    ) -> None:
        super().__init__(read_only=True)
        self._arrays, self._factors, self._names, self._scale = list(arrays), list(factors), tuple(names), scale
        self._documents = {"zarr.json": _document(_group(self._factors, self._names, scale))}
        for level, array in enumerate(self._arrays):
            self._documents[f"{level}/zarr.json"] = _document(_array(array, self._names))

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, View) and other._documents == self._documents
        return same and [a.store_path for a in other._arrays] == [a.store_path for a in self._arrays]  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"View({len(self._arrays)} levels of {self._arrays[0].store_path})"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        return View, (self._arrays, self._factors, self._names, self._scale)

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Metadata, or the samples of a chunk."""
        data = self._documents.get(key)
        if data is None:
            chunk = self._place(key)
            if chunk is None:
                return None
            data = await _chunk(*chunk)
        return prototype.buffer.from_bytes(_part(data, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Several of them."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self._documents or self._place(key) is not None

    async def list(self) -> AsyncIterator[str]:
        """All keys."""
        for key in self._documents:
            yield key
        for level, array in enumerate(self._arrays):
            for at in np.ndindex(*_grid(array)):
                yield "/".join([str(level), "c", *map(str, at)])

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """All keys that begin so."""
        async for key in self.list():
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Names in a folder; not by going through all keys, of which an array may have millions."""
        for name in self._names_in([part for part in prefix.split("/") if part]):
            yield name

    def _names_in(self, folder: Sequence[str]) -> Iterable[str]:
        if not folder:
            return ["zarr.json", *map(str, range(len(self._arrays)))]
        level, *rest = folder
        if not _names_one_of(level, len(self._arrays)):
            return []
        if not rest:
            return ["zarr.json", "c"]
        grid = _grid(self._arrays[int(level)])
        inside = all(_names_one_of(i, g) for i, g in zip(rest[1:], grid, strict=False))
        known = rest[0] == "c" and inside and len(rest) - 1 < len(grid)
        return map(str, range(grid[len(rest) - 1])) if known else []

    async def set(self, key: str, value: Buffer) -> None:
        """Raise `UnsupportedDataError`."""
        raise UnsupportedDataError("a view of a pyramid cannot be written: nothing of it is stored")

    async def delete(self, key: str) -> None:
        """Raise `UnsupportedDataError`."""
        raise UnsupportedDataError("a view of a pyramid cannot be changed: nothing of it is stored")

    def _place(self, key: str) -> tuple[zarr.Array[Any], tuple[int, ...]] | None:
        """The array and the grid position of a chunk's key."""
        level, *rest = key.split("/")
        if not _names_one_of(level, len(self._arrays)) or rest[:1] != ["c"]:
            return None
        array, numbers = self._arrays[int(level)], rest[1:]
        if len(numbers) != array.ndim or not all(map(_names_one_of, numbers, _grid(array))):
            return None
        return array, tuple(map(int, numbers))


def _names_one_of(text: str, count: int) -> bool:
    """Whether a part of a key is the number of one of so many, written as Zarr does: no other key names it too."""
    return text.isascii() and text.isdecimal() and text == str(int(text)) and int(text) < count


def _grid(array: zarr.Array[Any]) -> tuple[int, ...]:
    return tuple(math.ceil(n / c) for n, c in zip(array.shape, array.chunks, strict=True))


async def _chunk(array: zarr.Array[Any], at: tuple[int, ...]) -> bytes:
    """One whole chunk, padded with the fill value, C order, little-endian."""
    place = tuple(slice(i * c, (i + 1) * c) for i, c in zip(at, array.chunks, strict=True))
    samples = np.asarray(await array.async_array.getitem(place))
    whole = np.full(array.chunks, _fill_value(array), array.dtype)
    whole[tuple(map(slice, samples.shape))] = samples
    return whole.astype(array.dtype.newbyteorder("<")).tobytes()


def _fill_value(array: zarr.Array[Any]) -> Any:
    """What missing samples are; format 2 may leave it open."""
    return 0 if array.fill_value is None else array.fill_value


def _part(data: bytes, byte_range: ByteRequest | None) -> bytes:
    if isinstance(byte_range, RangeByteRequest):
        return data[byte_range.start : byte_range.end]
    if isinstance(byte_range, OffsetByteRequest):
        return data[byte_range.offset :]
    if isinstance(byte_range, SuffixByteRequest):
        return data[max(0, len(data) - byte_range.suffix) :]
    return data


def _document(metadata: dict[str, Any]) -> bytes:
    return json.dumps(metadata, indent=2).encode()


def _array(array: zarr.Array[Any], names: Sequence[str]) -> dict[str, Any]:
    plain = zarr.create_array(
        zarr.storage.MemoryStore(),
        shape=array.shape,
        dtype=array.dtype.newbyteorder("<"),
        chunks=array.chunks,
        fill_value=_fill_value(array),
        compressors=None,
        filters=None,
        attributes=dict(array.attrs),
        dimension_names=[name or None for name in names],
        zarr_format=3,
    )
    document: dict[str, Any] = json.loads(json.dumps(plain.metadata.to_dict(), default=str))
    return document


def _group(factors: Sequence[tuple[int, ...]], names: Sequence[str], scale: Any) -> dict[str, Any]:
    described, sizes, origin = scale
    axes = described or [{"name": name or f"axis{axis}", "type": kind_of(name)} for axis, name in enumerate(names)]
    datasets = []
    for level, factor in enumerate(factors):
        # the centre of a cell lies (factor - 1) / 2 voxels beyond that of its first voxel
        shift = [o + s * (f - 1) / 2 for o, s, f in zip(origin, sizes, factor, strict=True)]
        transformations: list[dict[str, Any]] = [
            {"type": "scale", "scale": [s * f for s, f in zip(sizes, factor, strict=True)]},
            {"type": "translation", "translation": shift},
        ]
        datasets.append({"path": str(level), "coordinateTransformations": transformations})
    multiscale = {
        "name": "tinc",
        "axes": axes,
        "datasets": datasets,
        "type": "low bands of coefficients, samples of networks",
    }
    return {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"ome": {"version": "0.5", "multiscales": [multiscale]}},
    }
