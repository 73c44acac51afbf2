"""What a worker is given: an array to write, which it unpacks once, and a piece of it for each task."""

from __future__ import annotations

import ctypes
import os
import pickle
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cloudpickle
import zarr
from numpy.typing import NDArray

from tinc_codec.config import Config
from tinc_codec.hosts.regions import Index, Regions
from tinc_codec.jobs import presence
from tinc_codec.jobs.destination_array import Mode
from tinc_codec.jobs.grids import Shape
from tinc_codec.jobs.presence import Presence
from tinc_codec.jobs.sources import IN_PARTS, MeanSource, SampleSource
from tinc_codec.runtime.lazy import lazy
from tinc_codec.runtime.settings import cores, set_process

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


@dataclass(frozen=True)
class Piece:
    """A region to write, as its task is told of it.

    Parameters
    ----------
    index
        Of the region.
    part
        What reads it, where the array's own reader cannot.
    presence
        What it is read from; None where nothing is known of that.
    """

    index: Index
    part: SampleSource | None = None
    presence: Presence | None = None


@dataclass(frozen=True, eq=False)
class Work:
    """One array to write, as the workers are told of it.

    Parameters
    ----------
    path
        Of the array within the destination.
    reader
        Gives the samples; in a worker None, where each task brings what reads its region.
    array
        The array, open for writing.
    mode, config
        How it is written, see `tinc_codec.jobs.destination_array.DestinationArray`.
    chunks
        What a codec's target holds for.
    regions
        What is written at once.
    fingerprint
        See `Record`.
    stored
        Keys of the source's chunks that are there; None where nobody knows. Stays with the job's process.
    neighbours
        Number of workers on the machine that has most of them: they share its cores.
    """

    path: str
    reader: SampleSource | None
    array: zarr.Array[Any]
    mode: Mode
    config: Config | None
    chunks: Shape
    regions: Regions
    fingerprint: str
    stored: frozenset[str] | None = None
    neighbours: int = 1

    def key(self, index: Index) -> str:
        """Key of the chunk or shard at an index."""
        return str(self.array.metadata.encode_chunk_key(index))

    def piece(self, index: Index) -> Piece:
        """What a task is told of the region at an index."""
        assert self.reader is not None
        region = self.regions.at(index)
        return Piece(index, self.reader.part(region), self._presence(region))

    @lazy
    def _presence(self) -> Any:
        assert self.reader is not None
        return presence.presence_of(self.reader, self.stored)

    def reader_of(self, piece: Piece) -> SampleSource:
        """What reads a piece: what came with it, or the array's own reader."""
        reader = piece.part or self.reader
        assert reader is not None
        return reader

    def read(self, piece: Piece) -> NDArray[Any]:
        """Samples of a piece; see `tinc_codec.jobs.presence.read` for what it raises."""
        return presence.read(self.reader_of(piece), self.regions.at(piece.index), piece.presence)

    @property
    def derived(self) -> bool:
        """Whether its source is an array that the same job writes."""
        return isinstance(self.reader, MeanSource)

    @lazy
    def packed(self) -> bytes:
        """As bytes, for `unpacked`; without a reader that is sent along in parts."""
        reader = None if isinstance(self.reader, IN_PARTS) else self.reader
        return bytes(cloudpickle.dumps(replace(self, reader=reader, stored=None)))  # classes of a user's script too


@lru_cache(maxsize=16)
def unpacked(packed: bytes) -> Work:
    """An array's work; made once in a worker, however many chunks it is given."""
    work: Work = pickle.loads(packed)
    if has_own_process():
        keep_freed_memory()
        if "TINC_THREADS" not in os.environ:  # else the worker was started with its share of the cores
            set_process(threads=max(1, cores() // max(1, work.neighbours)), jobs=1)
    return work


def has_own_process() -> bool:
    """Whether this is a worker in a process of its own, whose settings are nobody else's."""
    from distributed import get_worker

    try:
        return get_worker().nanny is not None
    except (ValueError, AttributeError):
        return False


def keep_freed_memory() -> None:
    """Take back what dask's nanny has glibc do with freed memory: give all of it back to the system at once.

    Each step of training then gets its memory anew, page by page, and takes about twice as long.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library
    for parameter, value in ((_M_TRIM_THRESHOLD, 2**28), (_M_MMAP_THRESHOLD, 2**25)):
        mallopt(parameter, value)


def peak_memory() -> int:
    """Most bytes of memory that this process has held; 0 where the system does not say.

    ``ru_maxrss`` would start with what the process held that this one was forked from.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return 1024 * int(lines["VmHWM"].split()[0])
