"""What a job will do, before it does it: arrays, chunks, bytes, time, and the memory that a worker needs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.jobs.cluster import Workers
from tinc_codec.jobs.destination import Destination
from tinc_codec.jobs.destination_array import DestinationArray, Mode
from tinc_codec.jobs.estimate import counted_bytes, is_budgeted, sample
from tinc_codec.jobs.grids import Shape
from tinc_codec.jobs.source_tree import ALREADY

BASE_MEMORY = 720 * 2**20
"""Bytes that a worker takes with zarr, dask, torch and numba loaded and used, about."""

FEW_VOXELS = 2**15
"""Voxels of a chunk below which its stream's fixed parts, and starting to train, cost too much."""

PADDING = 0.05
"""Part of all raw bytes from which on an array's padding is worth a hint; that of coarse levels is not."""


@dataclass(frozen=True)
class ArrayPlan:
    """One array's part.

    Parameters
    ----------
    path
        Within the source.
    shape, dtype
        Of the array.
    chunks, shards
        Of the destination; `shards` is None where there are none.
    tasks
        Number of chunks or shards to write.
    raw_bytes
        Uncompressed size.
    mode
        Whether the codec writes it, whether it is copied as it is, or whether its samples are stored by another codec.
    copied
        Why the codec does not write it; None where it does.
    lossless
        Why it is compressed losslessly; None where what is asked of chunks holds for it, or where it is copied.
    """

    path: str
    shape: Shape
    dtype: str
    chunks: Shape
    shards: Shape | None
    tasks: int
    raw_bytes: int
    mode: Mode
    copied: str | None
    lossless: str | None = None

    @property
    def done(self) -> str:
        """What is done to it and why, for people."""
        if self.mode == "encode":
            return "compressed" if self.lossless is None else f"compressed losslessly: {self.lossless}"
        if self.mode == "recode":
            return "decoded" if self.copied == ALREADY else f"stored anew: {self.copied}"
        return f"copied: {self.copied}"


@dataclass(frozen=True)
class Plan:
    """A job's plan.

    Parameters
    ----------
    source, destination
        As they were given.
    arrays
        What happens to each array.
    target
        What is asked of each chunk, as in ``ratio=64.0``.
    workers, threads, worker_memory
        Number of workers, the CPU threads of each (0: it will find out), and the bytes that each may take.
    memory
        Bytes that a worker needs for the largest chunk.
    sampled
        Number of chunks that were compressed for the estimates.
    seconds
        Estimate of the time, None where nothing was sampled.
    expected_bytes
        Size to expect, None where neither the target nor a sample says.
    hints
        What could be better.
    """

    source: str
    destination: str
    arrays: tuple[ArrayPlan, ...]
    target: str
    workers: int
    threads: int
    worker_memory: int
    memory: int
    sampled: int = 0
    seconds: float | None = None
    expected_bytes: int | None = None
    hints: tuple[str, ...] = ()

    @property
    def raw_bytes(self) -> int:
        """Uncompressed size of everything."""
        return sum(array.raw_bytes for array in self.arrays)

    @property
    def tasks(self) -> int:
        """Number of chunks or shards to write."""
        return sum(array.tasks for array in self.arrays)

    @property
    def plain(self) -> bool:
        """Whether the codec writes nothing, as in an export."""
        return all(array.mode != "encode" for array in self.arrays)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "raw_bytes": self.raw_bytes, "tasks": self.tasks}


def memory_needed(chunks: Shape, shards: Shape | None, dtype: np.dtype[Any], config: Config | None) -> int:
    """Bytes that a worker needs for one task: the region as it is read, written and read back, and the work on a chunk.

    The chunks of a shard are encoded one after the other.
    """
    voxels, region = math.prod(chunks), math.prod(shards or chunks)
    work = 0 if config is None else voxels * config.target.bytes_per_voxel
    return BASE_MEMORY + 4 * region * dtype.itemsize + work


def needed_by(array: DestinationArray) -> int:
    """Bytes that a worker needs for one task of an array."""
    return memory_needed(array.chunks, array.shards, array.member.reader.dtype, array.config)


def check_memory(array: DestinationArray, available: int) -> None:
    """Raise `ConfigurationError` unless `available` bytes are enough for an array's tasks."""
    needed = needed_by(array)
    if needed <= available:
        return
    chunk = list(array.chunks)
    dtype = array.member.reader.dtype
    while max(chunk) > 1 and memory_needed(tuple(chunk), None, dtype, array.config) > available:
        longest = max(range(len(chunk)), key=lambda axis: chunk[axis])
        chunk[longest] = -(-chunk[longest] // 2)
    shards = f" in shards of {array.shards}" if array.shards else ""
    raise ConfigurationError(
        f"array {array.path!r}: chunks of {array.chunks}{shards} need {needed / 2**20:,.0f} MiB a worker, which has "
        f"{available / 2**20:,.0f}: give workers more memory, or chunks={tuple(chunk)}"
    )


def memory_for(arrays: Sequence[DestinationArray]) -> int:
    """Bytes that a worker needs for one task of any of the arrays."""
    return max(map(needed_by, arrays), default=BASE_MEMORY)


def make_plan(destination: Destination, name: str, workers: Workers, samples: int) -> Plan:
    """Put a plan together, and check that a worker's memory is enough.

    Parameters
    ----------
    destination
        What is written.
    name
        Of the place, as it was given.
    workers
        Who will do it.
    samples
        Chunks to compress here and now, for the estimates of time and size.

    Raises
    ------
    ConfigurationError
        The largest chunk does not fit a worker's memory.
    """
    arrays = destination.arrays
    for array in arrays:
        check_memory(array, workers.memory)
    encoded = [array for array in arrays if array.config is not None and array.member.exact is None]
    config = encoded[0].config if encoded else None
    target = None if config is None else config.target
    sampled, raw = sample(encoded, samples), sum(array.raw_bytes for array in encoded)
    copied = sum(array.raw_bytes for array in arrays) - raw
    counted = sum(map(counted_bytes, encoded))
    stored, seconds = sampled.size(counted) or (None if target is None else target.budget(counted)), sampled.time(raw)
    return Plan(
        destination.source.name,
        name,
        tuple(sorted((*map(_array_plan, arrays), *_opaque(destination)), key=lambda array: array.path)),
        _asked(arrays) if target is None else f"{target.option}={target.value}",
        workers.number,
        workers.threads,
        workers.memory,
        memory_for(arrays),
        sampled.chunks,
        None if seconds is None else seconds / workers.number,
        None if stored is None else round(stored) + copied,
        tuple(_hints(encoded)),
    )


def _asked(arrays: Sequence[DestinationArray]) -> str:
    """What is asked for, where nothing is compressed by a target."""
    return "copies" if all(array.mode == "copy" for array in arrays) else "plain Zarr"


def _array_plan(array: DestinationArray) -> ArrayPlan:
    reader = array.member.reader
    return ArrayPlan(
        array.path,
        reader.shape,
        str(reader.dtype),
        array.chunks,
        array.shards,
        len(array.regions),
        array.raw_bytes,
        array.mode,
        None if array.config is not None else array.member.exact or "not compressed by TINC",
        None if array.config is None else array.member.exact,
    )


def _opaque(destination: Destination) -> Iterator[ArrayPlan]:
    """Arrays that zarr cannot open, and that are copied object by object."""
    source = destination.source
    if source.inventory is not None:
        for path, reason in source.opaque.items():
            yield opaque_plan(path, source.inventory.nodes[path].document, reason)


def opaque_plan(path: str, document: Mapping[str, Any], reason: str) -> ArrayPlan:
    """The part of an array that zarr cannot open: nothing is known of it but what its document says."""
    grid = document.get("chunk_grid")
    chunks = document.get("chunks") or (grid.get("configuration", {}).get("chunk_shape") if grid else None)
    shape, dtype = tuple(document.get("shape") or ()), str(document.get("dtype") or document.get("data_type"))
    return ArrayPlan(path, shape, dtype, tuple(chunks or ()), None, 0, 0, "copy", reason)


def _hints(encoded: list[DestinationArray]) -> Iterator[str]:
    raw = sum(array.raw_bytes for array in encoded)
    for array in encoded:
        name, voxels = array.path or "/", math.prod(array.chunks)
        if voxels < min(FEW_VOXELS, array.raw_bytes // array.member.reader.dtype.itemsize):
            yield (
                f"array {name!r}: chunks of {array.chunks} hold {voxels:,} voxels; chunks of 64^3 to 256^3 "
                "compress better (chunks=...)"
            )
        if is_budgeted(array) and array.padded_bytes - array.raw_bytes > PADDING * raw:
            yield (
                f"array {name!r}: padding of the last chunks of {array.chunks} counts as raw bytes, so that the "
                f"array takes up to {array.padded_bytes / array.raw_bytes:.2f} times what its ratio leaves it: less "
                f"with chunks={_fitting(array.member.reader.shape, array.chunks)}"
            )


def _fitting(shape: Shape, chunks: Shape) -> Shape:
    """Chunks of about the same size, as many along each axis, that reach less far beyond the array's end."""
    return tuple(math.ceil(n / math.ceil(n / edge)) for n, edge in zip(shape, chunks, strict=True))
