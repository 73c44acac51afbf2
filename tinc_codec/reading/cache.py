"""Chunks that were read in part are kept, parsed, for the next read: one store for the process, bounded in bytes."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from tinc_codec.reading.chunk import Chunk
from tinc_codec.runtime import process
from tinc_codec.stream.limits import Expected, check_header


class _Key:
    """A stream, found by its checksum rather than by a hash of all its bytes, and then compared."""

    __slots__ = ("stream",)

    def __init__(self, stream: bytes) -> None:
        self.stream = stream

    def __hash__(self) -> int:
        return hash(self.stream[-8:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.stream == other.stream


class ChunkCache:
    """Parsed chunks by their streams; those that were used least recently go first.

    A chunk grows while it is read (decoded tiles of its residual stay with it), so that it is weighed after each read;
    the process's setting `cache` is the most that all of them may weigh.
    """

    def __init__(self) -> None:
        self._chunks: OrderedDict[_Key, Chunk] = OrderedDict()
        self._weights: dict[_Key, int] = {}
        self._total = 0
        self._lock = Lock()

    @contextmanager
    def reading(self, stream: bytes, expected: Expected | None = None) -> Iterator[Chunk]:
        """The chunk of a stream, parsed now or earlier, and kept after this read; see `Chunk.of`."""
        chunk = self.find(stream, expected)
        yield chunk
        self.keep(stream, chunk)

    def find(self, stream: bytes, expected: Expected | None = None) -> Chunk:
        """The chunk of a stream, parsed now or earlier; see `Chunk.of`."""
        with self._lock:
            chunk = self._chunks.get(_Key(stream))
        if chunk is None:
            return Chunk.of(stream, expected)
        check_header(chunk.header, len(stream), expected)
        return chunk

    def keep(self, stream: bytes, chunk: Chunk) -> None:
        """Keep a chunk that was read, and weigh it."""
        key, limit = _Key(stream), process().cache
        with self._lock:
            self._chunks[key] = chunk
            self._chunks.move_to_end(key)
            weight = chunk.nbytes + len(key.stream)
            self._total += weight - self._weights.get(key, 0)
            self._weights[key] = weight
            while self._total > limit:
                oldest, _ = self._chunks.popitem(last=False)
                self._total -= self._weights.pop(oldest)

    def renew(self) -> None:
        """Forget all chunks, and the lock, which a thread may have held that did not come along with a fork."""
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all chunks."""
        with self._lock:
            self._chunks.clear()
            self._weights.clear()
            self._total = 0

    @property
    def nbytes(self) -> int:
        """Memory that the chunks take, in bytes."""
        return self._total

    def __len__(self) -> int:
        return len(self._chunks)


chunks = ChunkCache()
"""The process's cache."""


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=chunks.renew)
