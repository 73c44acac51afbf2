"""Settings of the process, never stored: device, threads, concurrency, decoder, cache, limits."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from tinc_codec.errors import ConfigurationError
from tinc_codec.parsing import integer, unknown

DECODERS = ("auto", "numba", "numpy")

TRAININGS = ("auto", "eager", "graph", "fused")

WORK = 2**17
"""Multiply-adds of a voxel that every reader allows, and that no model which is made here takes more of."""

_DIGITS = 20
"""Digits of a number in the environment, at most: more are out of every range, and slow to read."""


@dataclass(frozen=True)
class Process:
    """Settings of this process, never stored: where and with how much of the machine to work.

    Parameters
    ----------
    device
        ``"auto"`` (networks are trained by a GPU where there is one, all else is done by the CPU), ``"cpu"``, or a
        torch device such as ``"cuda:1"``, which also evaluates networks of whole chunks and, of large ones, transforms
        and quantises coefficients. Environment: ``TINC_DEVICE``.
    threads
        Most CPU threads for one chunk; small ones are given fewer. 0: all cores. Environment: ``TINC_THREADS``.
    jobs
        Chunks that train at the same time on the device; others wait. 0: on a CPU as many as there are cores for their
        threads, on a GPU as many as `batch` and its memory allow. Environment: ``TINC_JOBS``.
    batch
        Most voxels of one training step: chunks with more leaves draw fewer voxels of each, and on a GPU as many chunks
        as that are trained together. ``TINC_BATCH``.
    decoder
        Who evaluates networks on the CPU: ``"numba"``, ``"numpy"`` (the reference, slower), or ``"auto"``, which is
        numba where it is installed. The bytes are the same. ``TINC_DECODER``.
    training
        How networks are trained on a GPU: ``"fused"`` (kernels that evaluate a node's layers together, in one CUDA
        graph a step), ``"graph"`` (the graph without these kernels), ``"eager"`` (neither), or ``"auto"``, which is
        fused where kernels hold the tree. On a CPU that is compiled code where numba is. ``TINC_TRAINING``.
    cache
        Bytes that parsed chunks, and all else that is derived from streams, may take which are kept for further reads;
        0 keeps nothing. ``TINC_CACHE``.
    limit
        Bytes that the array of a stream may take where nothing else says how large it is, as Zarr's metadata of format
        3 do. 0: 128 MiB and 4096 for each byte of the stream, 4 GiB at most. ``TINC_LIMIT``.
    work
        Multiply-adds of a voxel that a stream's networks may take. ``TINC_WORK``.
    """

    device: str = "auto"
    threads: int = 0
    jobs: int = 0
    batch: int = 2**21
    decoder: str = "auto"
    training: str = "auto"
    cache: int = 2**28
    limit: int = 0
    work: int = WORK

    def __post_init__(self) -> None:
        integer("threads", self.threads, 0, 4096)
        integer("jobs", self.jobs, 0, 4096)
        integer("batch", self.batch, 1024, 2**32)
        integer("cache", self.cache, 0, 2**63)
        integer("limit", self.limit, 0, 2**63)
        integer("work", self.work, 1, 2**22)
        if self.decoder not in DECODERS:
            raise unknown("decoder", self.decoder, DECODERS)
        if self.training not in TRAININGS:
            raise unknown("training", self.training, TRAININGS)


def cores() -> int:
    """Number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_chosen: dict[str, Any] = {}


_VARIABLES = tuple(f"TINC_{field.name.upper()}" for field in fields(Process))


_ENCODED = tuple(map(getattr(os.environ, "encodekey", str), _VARIABLES))


def process() -> Process:
    """The settings in force: what `set_process` chose, else the ``TINC_*`` variables, else the defaults."""
    # asked for several times by each read: where the environment has its encoded variables, they are not decoded
    stored = getattr(os.environ, "_data", None)
    variables = map(os.environ.get, _VARIABLES) if stored is None else map(stored.get, _ENCODED)
    return _process(tuple(variables), tuple(_chosen.items()))


@lru_cache(maxsize=16)
def _process(_: tuple[Any, ...], chosen: tuple[tuple[str, Any], ...]) -> Process:
    values: dict[str, Any] = {}
    for field, variable in zip(fields(Process), _VARIABLES, strict=True):
        text = os.environ.get(variable)
        if text is not None and field.type != "str" and not (text.isdecimal() and len(text) <= _DIGITS):
            raise ConfigurationError(f"{variable}={text!r} must be a whole number")
        if text is not None:
            values[field.name] = text if field.type == "str" else int(text)
    return replace(Process(**values), **dict(chosen))


def set_process(**settings: Any) -> None:
    """Set process settings by name, over the environment; no argument goes back to the environment's.

    Raises
    ------
    ConfigurationError
        A name is unknown or a value out of range.
    """
    known = [field.name for field in fields(Process)]
    for name in settings:
        if name not in known:
            raise unknown("process setting", name, known)
    Process(**settings)
    if not settings:
        _chosen.clear()
    _chosen.update(settings)
