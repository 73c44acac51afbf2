"""What a worker does with one chunk or shard: write it, and read it back in another task."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync

from tinc_codec import metrics
from tinc_codec.arrays.ledger import EMPTY, Record
from tinc_codec.arrays.walk import Region
from tinc_codec.config import Config
from tinc_codec.errors import CorruptStreamError
from tinc_codec.inspection import inspect
from tinc_codec.zarr3 import streams_of


@dataclass(frozen=True, eq=False)
class Task:
    """One chunk or shard to write.

    Parameters
    ----------
    source, target
        Arrays, open for reading and for writing.
    path
        Of the array within the destination.
    key
        Of the chunk or shard within the array.
    region
        Its place.
    config
        The codec's settings; None where the array is copied as it is.
    fingerprint
        See `Record`.
    """

    source: zarr.Array[Any]
    target: zarr.Array[Any]
    path: str
    key: str
    region: Region
    config: Config | None
    fingerprint: str


def write(task: Task) -> Record:
    """Write a region, and say what is in the store then."""
    start = time.perf_counter()
    data = np.asarray(task.source[task.region])
    task.target[task.region] = data
    stored = stored_object(task.target, task.key)
    return _record(task, data, stored, time.perf_counter() - start)


def stored_object(array: zarr.Array[Any], key: str) -> bytes | None:
    """What an array's store has under the key of a chunk or shard; None where that is all fill value."""
    found = sync((array.store_path / key).get(prototype=default_buffer_prototype()))
    return None if found is None else bytes(found.to_bytes())


def digest_of(stored: bytes | None) -> str:
    """SHA-256 of a stored object."""
    return EMPTY if stored is None else hashlib.sha256(stored).hexdigest()


def _record(task: Task, data: NDArray[Any], stored: bytes | None, seconds: float) -> Record:
    kinds: Counter[str] = Counter()
    squares, largest, voxels = 0.0, 0.0, 0
    for _, stream in streams_of(task.target.metadata.to_dict(), stored or b"") if task.config else ():
        told = inspect(stream)
        kinds[told.kind] += 1
        if told.quality is not None:
            number = told.raw_bytes // data.dtype.itemsize
            squares, voxels = squares + told.quality.rmse**2 * number, voxels + number
            largest = max(largest, told.quality.max_error)
    low, high = _range(data)
    size = 0 if stored is None else len(stored)
    return Record(
        task.path,
        task.key,
        task.fingerprint,
        digest_of(stored),
        data.nbytes,
        size,
        data.size,
        squares,
        largest,
        low,
        high,
        dict(kinds),
        seconds,
        verified=False,
    )


def _range(data: NDArray[Any]) -> tuple[float | None, float | None]:
    if data.dtype.kind not in "iuf":
        return None, None
    finite = data[np.isfinite(data)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def verify(task: Task, record: Record) -> Record:
    """Read a region back from the store, and compare it with the source.

    Raises
    ------
    CorruptStreamError
        The store does not have what was written, or it does not keep the target.
    """
    where = f"chunk {task.path}/{task.key}"
    if digest_of(stored_object(task.target, task.key)) != record.digest:
        raise CorruptStreamError(f"{where} is not in the store as it was written")
    original, got = np.asarray(task.source[task.region]), np.asarray(task.target[task.region])
    if task.config is None or original.dtype.kind not in "iuf":
        if original.tobytes() != got.tobytes():
            raise CorruptStreamError(f"{where} was copied and is not the same")
        return replace(record, verified=True)
    finite = np.isfinite(original)
    if original[~finite].tobytes() != got[~finite].tobytes():
        raise CorruptStreamError(f"{where}: values that are not finite did not come back")
    for value in task.config.exact_values:
        if ((original == value) != (got == value)).any():
            raise CorruptStreamError(f"{where}: exact value {value} is not at its places")
    error = np.abs(metrics.difference(original[finite], got[finite]))
    largest = float(error.max(initial=0))
    if task.config.max_error is not None and largest > task.config.max_error:
        raise CorruptStreamError(f"{where} has an error of {largest}, above {task.config.max_error}")
    return replace(
        record, voxels=int(finite.sum()), squares=float((error**2).sum()), max_error=largest, verified=True
    )
