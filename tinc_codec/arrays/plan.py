"""What a job will do, before it does it: arrays, chunks, bytes, and the memory that a worker needs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tinc_codec.arrays.walk import Member
from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError

BASE_MEMORY = 600 * 2**20
"""Bytes that a worker takes with zarr, dask and torch loaded, about."""

BYTES_PER_VOXEL = {"ratio": 72, "psnr": 160, "max_error": 136}
"""Bytes that encoding takes for each voxel of a chunk, beside the chunk itself, by target; measured."""


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
    compressed
        Whether the codec compresses it; else it is copied as it is.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    tasks: int
    raw_bytes: int
    compressed: bool


@dataclass(frozen=True)
class Plan:
    """A job's plan.

    Parameters
    ----------
    arrays
        What happens to each array.
    target
        What is asked of each chunk, as in ``ratio=64.0``.
    workers
        Number of workers, and `worker_memory` bytes that each may take.
    memory
        Bytes that a worker needs for the largest chunk.
    expected_bytes
        Size to expect; None where the target does not say.
    """

    arrays: tuple[ArrayPlan, ...]
    target: str
    workers: int
    worker_memory: int
    memory: int
    expected_bytes: int | None

    @property
    def raw_bytes(self) -> int:
        """Uncompressed size of everything."""
        return sum(array.raw_bytes for array in self.arrays)

    @property
    def tasks(self) -> int:
        """Number of chunks or shards to write."""
        return sum(array.tasks for array in self.arrays)

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "raw_bytes": self.raw_bytes, "tasks": self.tasks}


def memory_needed(chunk: tuple[int, ...], shard: tuple[int, ...] | None, dtype: np.dtype[Any], config: Config) -> int:
    """Bytes that a worker needs for one task: the region twice (read, and read back), and the work on one chunk.

    The chunks of a shard are encoded one after the other.
    """
    voxels, region = math.prod(chunk), math.prod(shard or chunk)
    target = next(name for name in BYTES_PER_VOXEL if getattr(config, name) is not None)
    return BASE_MEMORY + 3 * region * dtype.itemsize + voxels * BYTES_PER_VOXEL[target]


def plan_array(
    member: Member, chunks: tuple[int, ...] | None, shards: tuple[int, ...] | None
) -> ArrayPlan:
    """What happens to an array; its own chunks and shards are kept where none are given.

    Raises
    ------
    ConfigurationError
        Chunks or shards do not fit the array, or shards are not whole chunks.
    """
    array = member.array
    own = tuple(array.chunks), None if array.shards is None else tuple(array.shards)
    if member.compressible and chunks is not None:
        chunk, shard = chunks, shards
    elif member.compressible and shards is not None:
        chunk, shard = own[0], shards
    else:
        chunk, shard = own
    for name, shape in (("chunks", chunk), ("shards", shard)):
        if shape is not None and (len(shape) != array.ndim or min(shape, default=1) < 1):
            raise ConfigurationError(f"{name}={shape} do not fit array {member.path!r} of shape {array.shape}")
    if shard is not None and any(s % c for s, c in zip(shard, chunk, strict=True)):
        raise ConfigurationError(f"shards={shard} are not whole chunks of {chunk}")
    unit = shard or chunk
    tasks = math.prod(math.ceil(n / m) for n, m in zip(array.shape, unit, strict=True))
    return ArrayPlan(
        member.path, array.shape, str(array.dtype), chunk, shard, tasks, array.nbytes, member.compressible
    )


def make_plan(
    arrays: tuple[ArrayPlan, ...], config: Config, workers: int, worker_memory: int
) -> Plan:
    """Put a plan together, and check that a worker's memory is enough.

    Raises
    ------
    ConfigurationError
        The largest chunk does not fit a worker's memory.
    """
    needed = [BASE_MEMORY]
    for array in arrays:
        if array.compressed:
            needed.append(memory_needed(array.chunks, array.shards, np.dtype(array.dtype), config))
            _check_memory(array, needed[-1], worker_memory, config)
    expected = None
    if config.ratio is not None:
        expected = round(sum(a.raw_bytes / config.ratio if a.compressed else a.raw_bytes for a in arrays))
    target = next(f"{name}={getattr(config, name)}" for name in BYTES_PER_VOXEL if getattr(config, name) is not None)
    return Plan(arrays, target, workers, worker_memory, max(needed), expected)


def _check_memory(array: ArrayPlan, needed: int, available: int, config: Config) -> None:
    if needed <= available:
        return
    chunk, dtype = list(array.chunks), np.dtype(array.dtype)
    while max(chunk) > 1 and memory_needed(tuple(chunk), None, dtype, config) > available:
        longest = max(range(len(chunk)), key=lambda axis: chunk[axis])
        chunk[longest] = -(-chunk[longest] // 2)
    raise ConfigurationError(
        f"array {array.path!r}: chunks of {array.chunks}{f' in shards of {array.shards}' if array.shards else ''} need "
        f"{needed / 2**20:,.0f} MiB a worker, which has {available / 2**20:,.0f}: give workers more memory, or "
        f"chunks={tuple(chunk)}"
    )
