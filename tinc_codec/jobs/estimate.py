"""What a job takes, as a few of its chunks foretell it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import MissingDependencyError
from tinc_codec.hosts.codec import TINCCodec
from tinc_codec.hosts.regions import Index, Regions
from tinc_codec.hosts.warm_up import warm_up
from tinc_codec.jobs.destination_array import DestinationArray

log = logging.getLogger("tinc_codec")


@dataclass(frozen=True)
class Sampled:
    """Some chunks of a job together, which were compressed for an estimate.

    Parameters
    ----------
    chunks
        How many there are.
    raw_bytes, counted_bytes
        Their samples within the array, and those that sizes go by, see `is_budgeted`.
    stored_bytes
        Their streams.
    seconds
        For reading and encoding them, without what a process compiles once.
    """

    chunks: int = 0
    raw_bytes: int = 0
    counted_bytes: int = 0
    stored_bytes: int = 0
    seconds: float = 0.0

    def __add__(self, other: Sampled) -> Sampled:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Sampled(*(one + another for one, another in pairs))

    def size(self, counted: int) -> float | None:
        """Stored bytes of so many counted ones; None where nothing was sampled."""
        return counted * self.stored_bytes / self.counted_bytes if self.counted_bytes else None

    def time(self, raw: int) -> float | None:
        """Seconds of one worker for so many raw bytes; None where nothing was sampled."""
        return raw * self.seconds / self.raw_bytes if self.raw_bytes else None


def is_budgeted(array: DestinationArray) -> bool:
    """Whether an array's chunks have a budget: that of whole chunks, since a codec is not told where an array ends.

    Its stored size goes by all that its chunks hold then, padding included. Where chunks keep a bound, padding takes
    next to nothing.
    """
    return array.config is not None and array.config.target.budget(array.padded_bytes) is not None


def counted_bytes(array: DestinationArray) -> int:
    """Bytes that an array's stored size goes by."""
    return array.padded_bytes if is_budgeted(array) else array.raw_bytes


def sample(encoded: Sequence[DestinationArray], number: int) -> Sampled:
    """Compress some chunks of the largest array, as Zarr hands them to the codec: padded where the array ends in them.

    Parameters
    ----------
    encoded
        Arrays that are for the codec.
    number
        Chunks to compress.
    """
    if not encoded or number < 1:
        return Sampled()
    array = max(encoded, key=lambda array: array.raw_bytes)
    assert array.config is not None
    codec, taken = TINCCodec.from_settings(array.config), list[Sampled]()
    for index in Regions(array.member.reader.shape, array.chunks).sample(number):
        try:
            taken.append(_sampled(array, index, codec))
        except MissingDependencyError:
            raise
        except Exception as error:  # what becomes of a chunk that fails is for the job's rules to say
            log.warning("a chunk of %s is left out of the estimates: %s", array.path or "the array", error)
    return sum(taken, Sampled())


def _sampled(array: DestinationArray, index: Index, codec: TINCCodec) -> Sampled:
    reader = array.member.reader
    start = time.perf_counter()
    data = reader.read(Regions(reader.shape, array.chunks).at(index))
    reading = time.perf_counter() - start
    warm_up([codec], [data])  # of every chunk, since the first may be of one value, which compiles nothing
    chunk = _padded(array, data)
    start = time.perf_counter()
    size = len(codec.encode(chunk))
    seconds = reading + time.perf_counter() - start
    return Sampled(1, data.nbytes, (chunk if is_budgeted(array) else data).nbytes, size, seconds)


def _padded(array: DestinationArray, data: NDArray[Any]) -> NDArray[Any]:
    """A chunk of this array whose samples within the array these are."""
    if data.shape == array.chunks:
        return data
    chunk = np.full(array.chunks, array.arguments.get("fill_value") or 0, data.dtype)
    chunk[tuple(map(slice, data.shape))] = data
    return chunk
