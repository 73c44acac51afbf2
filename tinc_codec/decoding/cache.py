"""Chunks that were read in part are kept, parsed, for the next read, in the process's store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tinc_codec.decoding.chunk import Chunk
from tinc_codec.runtime.caching import kept
from tinc_codec.stream.limits import Expected, check_header


class StreamKey:
    """A stream, found by its checksum rather than by a hash of all its bytes, and then compared."""

    __slots__ = ("stream",)

    def __init__(self, stream: bytes) -> None:
        self.stream = stream

    def __hash__(self) -> int:
        return hash(self.stream[-8:])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamKey) and self.stream == other.stream


class ChunkCache:
    """Parsed chunks by their streams.

    A chunk grows while it is read (decoded tiles of its residual stay with it), so that it is weighed after each read.
    """

    @contextmanager
    def reading(self, stream: bytes, expected: Expected | None = None) -> Iterator[Chunk]:
        """The chunk of a stream, parsed now or earlier, and kept after this read; see `Chunk.of`."""
        chunk = self.find(stream, expected)
        yield chunk
        self.keep(stream, chunk)

    def find(self, stream: bytes, expected: Expected | None = None) -> Chunk:
        """The chunk of a stream, parsed now or earlier; see `Chunk.of`."""
        chunk: Chunk | None = kept.find(StreamKey(stream))
        if chunk is None:
            return Chunk.of(stream, expected)
        check_header(chunk.header, len(stream), expected)
        return chunk

    def keep(self, stream: bytes, chunk: Chunk) -> None:
        """Keep a chunk that was read, and weigh it."""
        kept.keep(StreamKey(stream), chunk, chunk.nbytes + len(stream))

    def clear(self) -> None:
        """Forget all chunks, and all else that was derived from streams."""
        kept.clear()

    @property
    def nbytes(self) -> int:
        """Memory that is taken by what is kept, in bytes."""
        return kept.nbytes

    def __len__(self) -> int:
        return kept.count(StreamKey)


chunks = ChunkCache()
"""The process's cache."""
