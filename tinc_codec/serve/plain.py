"""A store as plain Zarr: what each key is answered with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numcodecs
import numpy as np

from tinc_codec import __version__
from tinc_codec.errors import RequestError, TincError
from tinc_codec.hosts.stored import is_compressed, parse_document
from tinc_codec.hosts.zarr_levels import Level
from tinc_codec.runtime.caching import Kept
from tinc_codec.serve import answers
from tinc_codec.serve.answers import Answer
from tinc_codec.serve.chunks import TincArray, tinc_array
from tinc_codec.serve.codecs import ServedCodec
from tinc_codec.serve.documents import dtype_of, rewritten, unsharded
from tinc_codec.serve.limits import Limits
from tinc_codec.serve.objects import StoredObjects, quoted
from tinc_codec.serve.paths import METADATA, Index, chunk_index, chunk_key, chunk_places, grid_of, joined, split
from tinc_codec.serve.ranges import Conditions, Unsatisfiable

_TRIES = 3
"""How often a chunk is read whose array changes meanwhile."""


@dataclass(frozen=True)
class ChunkPlace:
    """A chunk of a TINC array: the array's path and document, and the chunk's index."""

    path: str
    array: TincArray
    index: Index


class PlainStore:
    """Answers for the keys of a store, for threads.

    Parameters
    ----------
    objects
        What is stored.
    codec
        What chunks of TINC arrays are served with.
    limits
        On memory.
    """

    def __init__(self, objects: StoredObjects, codec: ServedCodec, limits: Limits) -> None:
        self.objects, self.codec, self.limits = objects, codec, limits
        self._encoded = Kept(lambda: limits.cache)

    def answer(self, key: str, conditions: Conditions) -> Answer:
        """What is sent for a key.

        Raises
        ------
        RequestError
            There is no such key, or it is refused; `TincError` where what is stored is damaged.
        """
        if split(key)[1] in METADATA:
            return self._document(key, conditions)
        return self.settled(
            lambda: self.find_chunk(key),
            lambda place: self._object(key, conditions) if place is None else self._chunk(place, conditions),
        )

    def settled(self, find: Callable[[], ChunkPlace | None], answer: Callable[[ChunkPlace | None], Answer]) -> Answer:
        """The answer for a chunk whose array is the same before and after it was read.

        While a store is replaced, a chunk of the new array could be taken for one of the old, or be said to be missing.
        """
        for _ in range(_TRIES):
            place, reached = find(), None
            try:
                reached = answer(place)
            except TincError:
                if place == find():
                    raise
            if reached is not None and place == find():
                return reached
        raise RequestError("the array is being replaced: ask again", 503)

    def _document(self, key: str, conditions: Conditions) -> Answer:
        stored = self.objects.read(key)
        if stored is None:
            raise absent(key)
        served = rewritten(key, stored, self.codec)
        return answers.of_bytes(served, quoted(served), conditions, answers.JSON)

    def find_chunk(self, key: str) -> ChunkPlace | None:
        """The chunk of a TINC array that a key names; None: it names something else.

        Raises
        ------
        RequestError
            It lies in such an array, which has no chunk of this name.
        """
        for path, inner in chunk_places(key):
            arrays = list(self._arrays(path))
            for stored, ours in arrays:
                index = chunk_index(tinc_array(stored).unsharded, inner) if ours else None
                if index is not None:
                    return ChunkPlace(path, tinc_array(stored), index)
            if arrays and all(ours for _, ours in arrays):
                raise absent(key)
        return None

    def chunk_at(self, path: str, index: Index) -> ChunkPlace | None:
        """A chunk of the TINC array at a path; None: there is none."""
        for stored, ours in self._arrays(path):
            if ours:
                array = tinc_array(stored)
                grid = grid_of(array.unsharded)
                inside = len(index) == len(grid) and all(i < n for i, n in zip(index, grid, strict=True))
                return ChunkPlace(path, array, index) if inside else None
        return None

    def plain_size(self, path: str, index: Index) -> int | None:
        """Stored bytes of a chunk of an array that is not TINC's; None: it is missing, or part of a shard."""
        for stored, ours in self._arrays(path):
            document = parse_document(stored, path)
            if not ours and unsharded(document) is document:
                return self.objects.size(joined(path, chunk_key(document, index)))
        return None

    def _arrays(self, path: str) -> Iterator[tuple[bytes, bool]]:
        """Documents of the arrays at a path, of which each format has one, and whether they are TINC's."""
        for name in ("zarr.json", ".zarray"):
            stored = self.objects.read(joined(path, name))
            if stored is None:
                continue
            document = parse_document(stored, joined(path, name))
            if document.get("node_type", "array") == "array":
                yield stored, is_compressed(document)

    def stored_chunk(self, place: ChunkPlace) -> bytes | None:
        """A chunk as it is stored; None: it is missing."""
        read = partial(_below, place.path, self.objects.read)
        return place.array.find(place.index, read, lambda key: self.objects.size(joined(place.path, key)) or 0)

    def _chunk(self, place: ChunkPlace, conditions: Conditions) -> Answer:
        document = place.array.unsharded
        return self.encoded_chunk(place, (), dtype_of(document), document.get("order", "C"), conditions)

    def encoded_chunk(
        self, place: ChunkPlace, level: Level, dtype: np.dtype[Any], order: str, conditions: Conditions
    ) -> Answer:
        """A chunk, as it is or at a level; `dtype` and `order` are those of `ServedCodec.encode`."""
        stored = self.stored_chunk(place)
        if stored is None:
            raise RequestError(f"chunk {place.index} of {place.path or '/'!r} is not stored: it is the fill value", 404)
        tag = self._tag(place, stored, level)
        if conditions.has(tag):
            return answers.unchanged(tag, answers.BYTES)
        encoded = self._encoded.find(tag)
        if encoded is None:
            place.array.check_size(self.limits.chunk)
            encoded = self.codec.encode(tinc_array(place.array.stored, level).decode(stored), dtype, order)
            self._encoded.keep(tag, encoded, len(encoded))
        return answers.of_bytes(encoded, tag, conditions)

    def _tag(self, place: ChunkPlace, stored: bytes, level: Level) -> str:
        """A tag of a chunk as it is served, by all that its bytes follow from."""
        versions = (__version__, numcodecs.__version__, self.codec.name, level)
        return quoted(b"\0".join([repr(versions).encode(), place.array.stored, stored]))

    def _object(self, key: str, conditions: Conditions) -> Answer:
        """Whatever else is stored, as it is."""
        tag, size = self.objects.tag(key), self.objects.size(key)
        if size is None:
            return self._listing(key)
        if tag is None:
            return self._unnamed(key, size, conditions)
        if conditions.has(tag):
            return answers.unchanged(tag, answers.BYTES)
        part = conditions.part(tag, size)
        if isinstance(part, Unsatisfiable):
            return answers.beyond(size, tag)
        body = self.objects.read(key, part)
        if body is None or self.objects.tag(key) != tag:
            raise RequestError(f"{key!r} is being replaced: ask again", 503)
        return answers.of_part(body, part, size, answers.tagged(tag, answers.BYTES))

    def _listing(self, key: str) -> Answer:
        """What a group holds, as links, as clients list a folder over HTTP; an array's chunks are too many."""
        is_group = any(self.objects.size(joined(key, name)) is not None for name in ("zarr.json", ".zgroup"))
        if not is_group or any(self._arrays(key)):
            raise absent(key)
        names = [name for name in self.objects.names(key) if name in METADATA or not name.startswith(".")]
        return answers.listing(key, [joined(key, name) for name in names])

    def _unnamed(self, key: str, size: int, conditions: Conditions) -> Answer:
        """An object whose tag follows from all of its bytes, so that a part of it has none."""
        part = conditions.part("", size)
        if isinstance(part, Unsatisfiable):
            return answers.beyond(size, None)
        body = self.objects.read(key, part)
        if body is None:
            raise absent(key)
        if part is None:
            return answers.of_bytes(body, quoted(body), replace(conditions, byte_range=None))
        return answers.of_part(body, part, size, answers.tagged(None, answers.BYTES))


def _below(path: str, read: Any, key: str, part: slice | None) -> Any:
    return read(joined(path, key), part)


def absent(key: str) -> RequestError:
    """The error for a key that is not there."""
    return RequestError(f"{key or '/'!r} is not in the store", 404)
