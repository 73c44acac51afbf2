"""One chunk of a TINC array: from stored bytes to bytes that any reader decodes, at any level."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore, StorePath

from tinc_codec.errors import CorruptStreamError, RequestError
from tinc_codec.hosts.shards import ShardIndex, place_in
from tinc_codec.hosts.stored import streams_of
from tinc_codec.hosts.zarr_levels import Level, LevelArray
from tinc_codec.runtime.lazy import lazy
from tinc_codec.serve.documents import Document, dtype_of, unsharded
from tinc_codec.serve.paths import Index, chunk_key, chunk_shape

ReadPart = Callable[[str, slice | None], bytes | None]
"""The bytes of an object of an array, or a part of them."""


@dataclass(frozen=True)
class TincArray:
    """What is needed to decode an array's chunks, by its document alone.

    Parameters
    ----------
    stored
        The document, as JSON text.
    level
        Along each axis; empty: 0.
    """

    stored: bytes
    level: Level = ()

    @lazy
    def document(self) -> Document:
        """As it is stored."""
        parsed: Document = json.loads(self.stored)
        return parsed

    @lazy
    def unsharded(self) -> Document:
        """As if each chunk of a shard had a key of its own."""
        return unsharded(self.document)

    @lazy
    def _one(self) -> Any:
        """Zarr's metadata of an array that is one chunk, at the level."""
        shape = list(chunk_shape(self.unsharded))
        place = StorePath(MemoryStore(), "")
        document: Any = {**self.unsharded, "shape": shape}
        array: zarr.Array[Any] = zarr.Array(zarr.AsyncArray(document, place))
        return (LevelArray(array, self.level) if any(self.level) else array).metadata

    @lazy
    def _shard_index(self) -> ShardIndex | None:
        """How chunks are found in shards; None: each has a key of its own."""
        if self.unsharded is self.document:
            return None
        return ShardIndex(chunk_shape(self.document), self.document["codecs"][0]["configuration"])

    @property
    def nbytes(self) -> int:
        """Of a chunk that is decoded."""
        return math.prod(chunk_shape(self.unsharded)) * dtype_of(self.document).itemsize

    def find(self, index: Index, read: ReadPart, size: Callable[[str], int]) -> bytes | None:
        """A chunk as it is stored; None: it is missing.

        Raises
        ------
        CorruptStreamError
            Its shard is cut off, or the shard's index is damaged.
        """
        outer, number = self._in_shards(index)
        key = chunk_key(self.document, outer)
        shards = self._shard_index
        if shards is None:
            return read(key, None)
        total = size(key)
        stored = read(key, slice(0, shards.nbytes) if shards.at_start else slice(max(0, total - shards.nbytes), total))
        if stored is None:
            return None
        place = place_in(shards.parse(stored), number)
        if place is None:
            return None
        if sum(place) > total:
            raise CorruptStreamError(f"the shard of {total} bytes has no chunk {number} at {place[0]}: it is cut off")
        return read(key, slice(place[0], sum(place)))

    def _in_shards(self, index: Index) -> tuple[Index, int]:
        """The index of an object, and the number of a chunk in it."""
        if self._shard_index is None:
            return index, 0
        grid = self._shard_index.grid
        number = 0
        for i, n in zip(index, grid, strict=True):
            number = number * n + i % n
        return tuple(i // n for i, n in zip(index, grid, strict=True)), number

    def decode(self, stored: bytes) -> NDArray[Any]:
        """All samples of a chunk, what lies beyond the array's end included."""
        first = (0,) * len(self._one.shape)
        buffer = default_buffer_prototype().buffer.from_bytes(stored)
        place = StorePath(MemoryStore({self._one.encode_chunk_key(first): buffer}), "")
        return np.asarray(zarr.Array(zarr.AsyncArray(self._one, place))[...])

    def streams(self, stored: bytes) -> Iterator[bytes]:
        """The TINC streams of a stored chunk: one, but where shards lie in shards."""
        return (stream for _, stream in streams_of(self.unsharded, stored))

    def check_size(self, largest: int) -> None:
        """Raise `RequestError` where chunks are too large to be decoded here."""
        if self.nbytes > largest:
            raise RequestError(
                f"a chunk of shape {chunk_shape(self.unsharded)} takes {self.nbytes} bytes, where at most {largest} "
                "are decoded at once: start the server with a larger --max-chunk, or compress in smaller chunks",
                507,
            )


@lru_cache(maxsize=256)
def tinc_array(stored: bytes, level: Level = ()) -> TincArray:
    """An array by its document, parsed now or earlier."""
    return TincArray(stored, level)
