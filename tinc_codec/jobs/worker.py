"""What a worker does with one chunk or shard: write it, and read it back in another task."""

from __future__ import annotations

import hashlib
import math
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from tinc_codec import metrics
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.kept import complaint, same_bits
from tinc_codec.errors import CorruptStreamError, SourceError
from tinc_codec.hosts.regions import within
from tinc_codec.hosts.zarr3 import losslessly, streams_of
from tinc_codec.jobs.ledger import EMPTY, Record
from tinc_codec.jobs.presence import watched
from tinc_codec.jobs.sources import ZarrSource
from tinc_codec.jobs.work import Piece, Work, peak_memory, unpacked
from tinc_codec.runtime import shortage


def dask_setup(_: object) -> None:
    """Prepare a worker that was started with this module as its preload: Ctrl-C is for the job's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def write(packed: bytes, piece: Piece, instead: str | None = None) -> Record:
    """Write a region, and say what is in the store then.

    Parameters
    ----------
    packed
        The array's work.
    piece
        The region.
    instead
        Why it is to be stored losslessly instead of as asked.

    Raises
    ------
    SourceError
        The source is not what it was when the job was planned, or cannot be reached.
    """
    work, start = unpacked(packed), time.perf_counter()
    if work.mode == "copy":
        return _copy(work, piece, start)
    data = work.read(piece)
    array = work.array if instead is None or work.config is None else losslessly(work.array)
    array[work.regions.at(piece.index)] = data
    stored = stored_object(work.array, work.key(piece.index))
    source = "" if work.derived else digest_of_samples(data)
    return _record(work, piece, data, stored, start, instead, source)


def _copy(work: Work, piece: Piece, start: float) -> Record:
    key = work.key(piece.index)
    place = work.array.store_path / key
    original = _source_object(work, piece)
    if original is not None:
        sync(place.set(default_buffer_prototype().buffer.from_bytes(original)))
    elif stored_object(work.array, key) is not None:
        sync(place.delete())
    region = work.regions.at(piece.index)
    voxels = int(np.prod([part.stop - part.start for part in region]))
    dtype = work.reader_of(piece).dtype
    nothing = np.empty(0, dtype)
    record = _record(work, piece, nothing, stored_object(work.array, key), start, None, digest_of(original))
    return replace(record, raw_bytes=voxels * dtype.itemsize)


def _source_object(work: Work, piece: Piece) -> bytes | None:
    reader = work.reader
    assert isinstance(reader, ZarrSource)
    with watched(reader, piece.presence):
        return stored_object(reader.array, work.key(piece.index))


def stored_object(array: zarr.Array[Any], key: str) -> bytes | None:
    """What an array's store has under the key of a chunk or shard; None where that is all fill value."""
    buffer = sync((array.store_path / key).get(prototype=default_buffer_prototype()))
    return None if buffer is None else bytes(buffer.to_bytes())


def digest_of(stored: bytes | None) -> str:
    """SHA-256 of a stored object."""
    return EMPTY if stored is None else hashlib.sha256(stored).hexdigest()


def digest_of_samples(data: NDArray[Any]) -> str:
    """SHA-256 of samples; of strings of any length the text."""
    if data.dtype.hasobject or data.dtype.kind == "T":
        return hashlib.sha256(repr(data.tolist()).encode()).hexdigest()
    return hashlib.sha256(np.ascontiguousarray(data).tobytes()).hexdigest()


def _record(
    work: Work,
    piece: Piece,
    data: NDArray[Any],
    stored: bytes | None,
    start: float,
    instead: str | None,
    source: str,
) -> Record:
    streams = streams_of(work.array.metadata.to_dict(), stored or b"") if work.mode == "encode" else ()
    infos = [inspect(stream) for _, stream in streams]
    quality = [(t.quality, t.raw_bytes // data.dtype.itemsize) for t in infos if t.quality is not None]
    low, high = _range(data)
    return Record(
        array=work.path,
        key=work.key(piece.index),
        index=piece.index,
        fingerprint=work.fingerprint,
        digest=digest_of(stored),
        raw_bytes=data.nbytes,
        stored_bytes=0 if stored is None else len(stored),
        voxels=data.size,
        squares=sum(q.rmse**2 * number for q, number in quality),
        max_error=max((q.max_error for q, _ in quality), default=0.0),
        low=low,
        high=high,
        kinds=dict(Counter(t.kind for t in infos)),
        seconds=time.perf_counter() - start,
        memory=peak_memory(),
        verified=False,
        instead=instead,
        source=source,
        short=shortage.taken(),
    )


def _range(data: NDArray[Any]) -> tuple[float | None, float | None]:
    finite = _finite(data)
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def _finite(data: NDArray[Any]) -> NDArray[Any]:
    if data.dtype.kind in "iu":
        return data
    return data[np.isfinite(data)] if data.dtype.kind == "f" else data[:0]


def verify(packed: bytes, record: Record, piece: Piece) -> Record:
    """Read a region back from the store, and compare it with the source.

    Raises
    ------
    CorruptStreamError
        The store does not have what was written, or it does not keep the target.
    SourceError
        The source does not have what was written, or cannot be reached.
    """
    work = unpacked(packed)
    where = f"chunk {work.path}/{record.key}".replace(" /", " ")
    if digest_of(stored_object(work.array, record.key)) != record.digest:
        raise CorruptStreamError(f"{where} is not in the store as it was written")
    if work.mode == "copy":
        _check_source(record, digest_of(_source_object(work, piece)), where)
        if record.digest != record.source:
            raise CorruptStreamError(f"{where} was copied and is not the same")
        return replace(record, verified=True)
    region = work.regions.at(record.index)
    original, got = _read_again(work, piece, where), np.asarray(work.array[region])
    if not work.derived:
        _check_source(record, digest_of_samples(original), where)
    if work.config is None or record.instead is not None:
        if not same_bits(original, got):
            raise CorruptStreamError(f"{where} was to be lossless and is not the same")
        return replace(record, verified=True, voxels=original.size, squares=0.0, max_error=0.0)
    for chunk in within(region, work.chunks):
        wrong = complaint(original[chunk], got[chunk], work.config)
        if wrong is not None:
            raise CorruptStreamError(f"{where} {wrong}")
    finite = np.isfinite(original)
    error = np.abs(metrics.difference(original[finite], got[finite]))
    squares, largest = float(np.sum(error**2)), float(error.max(initial=0))
    return replace(record, voxels=int(finite.sum()), squares=squares, max_error=largest, verified=True)


def _read_again(work: Work, piece: Piece, where: str) -> NDArray[Any]:
    try:
        return work.read(piece)
    except SourceError:
        raise
    except Exception as error:  # no failure of the chunk: it could be read when it was written
        reason = f"{type(error).__name__}: {error}"
        raise SourceError(f"the source of {where} cannot be read any more: {reason}") from error


def _check_source(record: Record, now: str, where: str) -> None:
    if record.source and now != record.source:
        raise SourceError(f"the source of {where} reads otherwise than when it was written")


def doubtful(packed: bytes, records: Sequence[Record], pieces: Sequence[Piece], compare: bool) -> list[str]:
    """Keys of those chunks that are not in the store as they were written.

    Parameters
    ----------
    packed
        The array's work.
    records
        What was written.
    pieces
        The region of each.
    compare
        Whether to read the source and the store, and compare; else only stored bytes are looked at.

    Raises
    ------
    SourceError
        The source does not have what was written, or cannot be reached.
    """
    work = unpacked(packed)
    return [r.key for r, piece in zip(records, pieces, strict=True) if not _holds(work, packed, r, piece, compare)]


def _holds(work: Work, packed: bytes, record: Record, piece: Piece, compare: bool) -> bool:
    if not compare:
        return digest_of(stored_object(work.array, record.key)) == record.digest
    try:
        now = verify(packed, record, piece)
    except CorruptStreamError:
        return False
    return now.voxels == record.voxels and all(
        math.isclose(getattr(now, name), getattr(record, name), rel_tol=1e-6) for name in ("squares", "max_error")
    )
