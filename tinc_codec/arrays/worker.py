"""What a worker does with one chunk or shard: write it, and read it back in another task."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import pickle
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from tinc_codec import metrics
from tinc_codec.arrays.layout import Mode, Shape
from tinc_codec.arrays.ledger import EMPTY, Record
from tinc_codec.arrays.readers import DaskReader, Reader, ZarrReader
from tinc_codec.arrays.regions import Index, Regions, within
from tinc_codec.config import Config
from tinc_codec.errors import CorruptStreamError
from tinc_codec.inspection import inspect
from tinc_codec.lazy import lazy
from tinc_codec.runtime import cores, set_process
from tinc_codec.zarr3 import losslessly, streams_of

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


@dataclass(frozen=True, eq=False)
class Work:
    """One array to write, as the workers are told of it.

    Parameters
    ----------
    path
        Of the array within the destination.
    reader
        Gives the samples; in a worker None, where each task brings what reads its region.
    target
        The array, open for writing.
    mode, config
        How it is written, see `tinc_codec.arrays.layout.Target`.
    chunks
        What a codec's target holds for.
    regions
        What is written at once.
    fingerprint
        See `Record`.
    neighbours
        Number of workers on the machine that has most of them: they share its cores.
    """

    path: str
    reader: Reader | None
    target: zarr.Array[Any]
    mode: Mode
    config: Config | None
    chunks: Shape
    regions: Regions
    fingerprint: str
    neighbours: int = 1

    def key(self, index: Index) -> str:
        """Key of the chunk or shard at an index."""
        return str(self.target.metadata.encode_chunk_key(index))

    def read(self, index: Index, part: Reader | None) -> NDArray[Any]:
        """Samples of a region, by the reader that came with it or by the array's own."""
        reader = part or self.reader
        assert reader is not None
        return reader.read(self.regions.at(index))

    @lazy
    def packed(self) -> bytes:
        """As bytes, for `unpacked`; without a reader that is sent along in parts."""
        return pickle.dumps(replace(self, reader=None) if isinstance(self.reader, DaskReader) else self)


@lru_cache(maxsize=16)
def unpacked(packed: bytes) -> Work:
    """An array's work; made once in a worker, however many chunks it is given."""
    work: Work = pickle.loads(packed)
    if _has_own_process():
        _keep_freed_memory()
        if "TINC_THREADS" not in os.environ:  # else the worker was started with its share of the cores
            set_process(threads=max(1, cores() // max(1, work.neighbours)), jobs=1)
    return work


def dask_setup(_: object) -> None:
    """Prepare a worker that was started with this module as its preload: Ctrl-C is for the job's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _has_own_process() -> bool:
    """Whether this is a worker in a process of its own, whose settings are nobody else's."""
    from distributed import get_worker

    try:
        return get_worker().nanny is not None
    except (ValueError, AttributeError):
        return False


def _keep_freed_memory() -> None:
    """Take back what dask's nanny has glibc do with freed memory: give all of it back to the system at once.

    Each step of training then gets its memory anew, page by page, and takes about twice as long.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library
    for parameter, value in ((_M_TRIM_THRESHOLD, 2**28), (_M_MMAP_THRESHOLD, 2**25)):
        mallopt(parameter, value)


def write(packed: bytes, index: Index, part: Reader | None = None, instead: str | None = None) -> Record:
    """Write a region, and say what is in the store then.

    Parameters
    ----------
    packed
        The array's work.
    index
        Of the region.
    part
        What reads this region, where the array's own reader cannot.
    instead
        Why it is to be stored losslessly instead of as asked.
    """
    work, start = unpacked(packed), time.perf_counter()
    if work.mode == "copy":
        return _copy(work, index, start)
    data = work.read(index, part)
    target = work.target if instead is None or work.config is None else losslessly(work.target)
    target[work.regions.at(index)] = data
    stored = stored_object(work.target, work.key(index))
    return _record(work, index, data, stored, start, instead)


def _copy(work: Work, index: Index, start: float) -> Record:
    assert isinstance(work.reader, ZarrReader)
    place = work.target.store_path / work.key(index)
    found = sync((work.reader.array.store_path / work.key(index)).get(prototype=default_buffer_prototype()))
    if found is not None:
        sync(place.set(found))
    elif stored_object(work.target, work.key(index)) is not None:
        sync(place.delete())
    region = work.regions.at(index)
    voxels = int(np.prod([part.stop - part.start for part in region]))
    stored = stored_object(work.target, work.key(index))
    nothing = np.empty(0, work.reader.dtype)
    return replace(_record(work, index, nothing, stored, start, None), raw_bytes=voxels * work.reader.dtype.itemsize)


def stored_object(array: zarr.Array[Any], key: str) -> bytes | None:
    """What an array's store has under the key of a chunk or shard; None where that is all fill value."""
    found = sync((array.store_path / key).get(prototype=default_buffer_prototype()))
    return None if found is None else bytes(found.to_bytes())


def digest_of(stored: bytes | None) -> str:
    """SHA-256 of a stored object."""
    return EMPTY if stored is None else hashlib.sha256(stored).hexdigest()


def _record(
    work: Work, index: Index, data: NDArray[Any], stored: bytes | None, start: float, instead: str | None
) -> Record:
    streams = streams_of(work.target.metadata.to_dict(), stored or b"") if work.mode == "encode" else ()
    told = [inspect(stream) for _, stream in streams]
    quality = [(t.quality, t.raw_bytes // data.dtype.itemsize) for t in told if t.quality is not None]
    low, high = _range(data)
    return Record(
        array=work.path,
        key=work.key(index),
        index=index,
        fingerprint=work.fingerprint,
        digest=digest_of(stored),
        raw_bytes=data.nbytes,
        stored_bytes=0 if stored is None else len(stored),
        voxels=data.size,
        squares=sum(q.rmse**2 * number for q, number in quality),
        max_error=max((q.max_error for q, _ in quality), default=0.0),
        low=low,
        high=high,
        kinds=dict(Counter(t.kind for t in told)),
        seconds=time.perf_counter() - start,
        memory=peak_memory(),
        verified=False,
        instead=instead,
    )


def _range(data: NDArray[Any]) -> tuple[float | None, float | None]:
    finite = _finite(data)
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def _finite(data: NDArray[Any]) -> NDArray[Any]:
    if data.dtype.kind in "iu":
        return data
    return data[np.isfinite(data)] if data.dtype.kind == "f" else data[:0]


def peak_memory() -> int:
    """Most bytes of memory that this process has held; 0 where the system does not say.

    ``ru_maxrss`` would start with what the process held that this one was forked from.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return 1024 * int(lines["VmHWM"].split()[0])


def verify(packed: bytes, record: Record, part: Reader | None = None) -> Record:
    """Read a region back from the store, and compare it with the source.

    Raises
    ------
    CorruptStreamError
        The store does not have what was written, or it does not keep the target.
    """
    work, key = unpacked(packed), record.key
    stored = stored_object(work.target, key)
    where = f"chunk {work.path}/{key}".replace(" /", " ")
    if digest_of(stored) != record.digest:
        raise CorruptStreamError(f"{where} is not in the store as it was written")
    if work.mode == "copy":
        assert isinstance(work.reader, ZarrReader)
        if digest_of(stored_object(work.reader.array, key)) != record.digest:
            raise CorruptStreamError(f"{where} was copied and is not the same")
        return replace(record, verified=True)
    region = work.regions.at(record.index)
    original, got = work.read(record.index, part), np.asarray(work.target[region])
    if work.config is None or record.instead is not None:
        if original.astype(got.dtype).tobytes() != got.tobytes():
            raise CorruptStreamError(f"{where} was to be lossless and is not the same")
        return replace(record, verified=True, voxels=original.size, squares=0.0, max_error=0.0)
    _check_special(original, got, work.config, where)
    for chunk in within(region, work.chunks):
        _check_target(original[chunk], got[chunk], work.config, where)
    finite = np.isfinite(original)
    error = np.abs(metrics.difference(original[finite], got[finite]))
    squares, largest = float(np.sum(error**2)), float(error.max(initial=0))
    return replace(record, voxels=int(finite.sum()), squares=squares, max_error=largest, verified=True)


def _check_special(original: NDArray[Any], got: NDArray[Any], config: Config, where: str) -> None:
    finite = np.isfinite(original)
    if original[~finite].astype(got.dtype).tobytes() != got[~finite].tobytes():
        raise CorruptStreamError(f"{where}: values that are not finite did not come back")
    for value in config.exact_values:
        if ((original == value) != (got == value)).any():
            raise CorruptStreamError(f"{where}: exact value {value} is not at its places")


def _check_target(original: NDArray[Any], got: NDArray[Any], config: Config, where: str) -> None:
    """Raise unless a chunk keeps its bound or PSNR, over what is neither exact nor infinite."""
    known = np.isfinite(original) & ~np.isin(original, config.exact_values)
    error = np.abs(metrics.difference(original[known], got[known]))
    largest = float(error.max(initial=0))
    if config.max_error is not None and largest > config.max_error:
        raise CorruptStreamError(f"{where} has an error of {largest}, above {config.max_error}")
    if config.psnr is not None and largest > 0:
        low, high = _range(original[known])
        assert low is not None
        assert high is not None
        rmse = largest * float(np.sqrt(np.mean((error / largest) ** 2)))
        found = metrics.psnr_of(rmse, high - low if config.data_range is None else config.data_range)
        if found < config.psnr - 1e-6:
            raise CorruptStreamError(f"{where} has {found:.6f} dB, below {config.psnr}")


def doubtful(packed: bytes, records: Sequence[Record], parts: Sequence[Reader | None], compare: bool) -> list[str]:
    """Keys of those chunks that are not in the store as they were written, or not of what the source holds now.

    Parameters
    ----------
    packed
        The array's work.
    records
        What was written.
    parts
        What reads each region, where the array's own reader cannot.
    compare
        Whether to read the source and the store, and compare; else only stored bytes are looked at.
    """
    work = unpacked(packed)
    return [r.key for r, part in zip(records, parts, strict=True) if not _holds(work, packed, r, part, compare)]


def _holds(work: Work, packed: bytes, record: Record, part: Reader | None, compare: bool) -> bool:
    if not compare:
        return digest_of(stored_object(work.target, record.key)) == record.digest
    try:
        now = verify(packed, record, part)
    except CorruptStreamError:
        return False
    return now.voxels == record.voxels and all(
        math.isclose(getattr(now, name), getattr(record, name), rel_tol=1e-6) for name in ("squares", "max_error")
    )
