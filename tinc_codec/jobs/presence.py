"""Whether what a region is read from is there as it was when the job was planned.

A chunk that is missing reads as fill value, without an error, and so does every chunk of a disk that went away.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import zarr
from numpy.typing import NDArray
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from tinc_codec.errors import SourceError
from tinc_codec.hosts.regions import Region
from tinc_codec.jobs.sources import SampleSource, ZarrSource


class Presence(Protocol):
    """What one region is read from; pickled to the workers."""

    def check(self, reader: SampleSource) -> None:
        """Raise `SourceError` unless it is there as it was."""

    def fetch(self, reader: SampleSource) -> None:
        """Raise `SourceError` unless the bytes can be had of all of it, whatever they are."""


@dataclass(frozen=True)
class Objects:
    """Objects of a Zarr array: its chunks, or shards.

    Parameters
    ----------
    stored, missing
        Keys of those that were there when the job was planned, and of those that were not.
    """

    stored: frozenset[str]
    missing: frozenset[str]

    def check(self, reader: SampleSource) -> None:
        """See `Presence`."""
        array = _array_of(reader)
        gone = self.stored - _existing(array, self.stored)
        if gone:
            raise SourceError(f"source chunk {min(gone)} of {array.store_path} has gone since the job was planned")
        new = _existing(array, self.missing)
        if new:
            raise SourceError(f"source chunk {min(new)} of {array.store_path} was not there when the job was planned")

    def fetch(self, reader: SampleSource) -> None:
        """See `Presence`."""
        array = _array_of(reader)
        for key in sorted(self.stored):
            try:
                fetched = sync((array.store_path / key).get(prototype=default_buffer_prototype()))
            except Exception as error:  # a store may raise anything
                raise _unreadable(f"source chunk {key} of {array.store_path}", error) from error
            if fetched is None:
                raise SourceError(f"source chunk {key} of {array.store_path} has gone since the job was planned")


@dataclass(frozen=True)
class File:
    """A file that holds all of a source.

    Parameters
    ----------
    path
        Where it is.
    size
        In bytes.
    modified
        When it was changed, in ns.
    number
        Its inode: another one, if the file was replaced.
    """

    path: str
    size: int
    modified: int
    number: int

    @classmethod
    def of(cls, path: str) -> File:
        """The file as it is now.

        Raises
        ------
        SourceError
            There is none, or nobody may look at it.
        """
        try:
            status = Path(path).stat()
        except OSError as error:
            raise _unreadable(f"source {path}", error) from error
        return cls(path, status.st_size, status.st_mtime_ns, status.st_ino)

    def check(self, reader: SampleSource) -> None:
        """See `Presence`."""
        now = File.of(self.path)
        if now != self:
            raise SourceError(
                f"source {self.path} has changed since the job was planned: {now.size:,} bytes, {self.size:,} then"
            )

    def fetch(self, reader: SampleSource) -> None:
        """See `Presence`."""
        try:
            os.close(os.open(self.path, os.O_RDONLY))
        except OSError as error:
            raise _unreadable(f"source {self.path}", error) from error


def presence_of(reader: SampleSource, stored: frozenset[str] | None) -> Callable[[Region], Presence | None]:
    """What a region of an array is read from, by the region.

    Parameters
    ----------
    reader
        Of the array.
    stored
        Keys of its chunks or shards that are there, relative to the array; None where nobody can list them.

    Returns
    -------
    callable
        Gives None where nothing can be known: dask's graphs, arrays that cannot be listed, arrays in memory.
    """
    if isinstance(reader, ZarrSource):
        if stored is None:
            return lambda region: None
        array, unit = reader.array, reader.array.shards or reader.array.chunks
        return lambda region: _objects(array, unit, region, stored)
    path = getattr(reader, "path", None)
    file = File.of(path) if isinstance(path, str) else None
    return lambda region: file


def _objects(array: zarr.Array[Any], unit: tuple[int, ...], region: Region, stored: frozenset[str]) -> Objects:
    spans = [range(part.start // n, -(-part.stop // n)) for part, n in zip(region, unit, strict=True)]
    keys = frozenset(str(array.metadata.encode_chunk_key(index)) for index in itertools.product(*spans))
    return Objects(keys & stored, keys - stored)


def read(reader: SampleSource, region: Region, presence: Presence | None) -> NDArray[Any]:
    """Samples of a region, and not what stands for them where they have gone.

    Raises
    ------
    SourceError
        The source is not what it was when the job was planned, or cannot be reached.
    Exception
        What is stored cannot be decoded.
    """
    with watched(reader, presence):
        return reader.read(region)


@contextmanager
def watched(reader: SampleSource, presence: Presence | None) -> Iterator[None]:
    """Context in which a region is read: its source is there before and after, or `SourceError` is raised."""
    _check(reader, presence)
    try:
        yield
    except Exception as error:
        _check(reader, presence)
        if _of_the_system(error):
            raise _unreadable(f"source {reader.identity}", error) from error
        if presence is not None:
            presence.fetch(reader)
        raise
    _check(reader, presence)


def _check(reader: SampleSource, presence: Presence | None) -> None:
    if presence is None:
        return
    try:
        presence.check(reader)
    except SourceError:
        raise
    except Exception as error:  # a store may raise anything
        raise _unreadable(f"source {reader.identity}", error) from error


def _of_the_system(error: BaseException | None) -> bool:
    """Whether a file or a connection failed, rather than what was read; gzip's errors are ``OSError`` as well."""
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError | PermissionError | FileNotFoundError):
            return True
        if isinstance(error, OSError) and error.errno is not None:
            return True
        error = error.__cause__
    return False


def _unreadable(what: str, error: BaseException) -> SourceError:
    return SourceError(f"{what} cannot be read: {type(error).__name__}: {error}")


def _array_of(reader: SampleSource) -> zarr.Array[Any]:
    assert isinstance(reader, ZarrSource)
    return reader.array


def _existing(array: zarr.Array[Any], keys: frozenset[str]) -> frozenset[str]:
    async def look() -> list[bool]:
        return list(await asyncio.gather(*((array.store_path / key).exists() for key in sorted(keys))))

    return frozenset(itertools.compress(sorted(keys), sync(look())))
