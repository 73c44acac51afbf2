"""From a stream to samples: all of them, parts, coarser levels, positions between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.decoding import levels, sampling
from tinc_codec.decoding.cache import chunks
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.metrics import psnr_of
from tinc_codec.stream.container import Container, Section
from tinc_codec.stream.limits import Expected


@dataclass(frozen=True)
class Quality:
    """What was measured when a chunk was encoded, over the samples that are not stored exactly.

    Parameters
    ----------
    rmse, max_error
        In the data's units; 0 for lossless chunks.
    low, high
        Range of the finite samples, in the data's units.
    """

    rmse: float
    max_error: float
    low: float
    high: float

    @property
    def psnr(self) -> float:
        """PSNR in dB over the chunk's own range; infinite for lossless chunks."""
        return psnr_of(self.rmse, self.high - self.low)


def decode(
    stream: bytes | memoryview,
    selection: Any = None,
    *,
    level: int | tuple[int, ...] = 0,
    expected: Expected | None = None,
) -> NDArray[Any]:
    """Decode a stream, or a part of it, or all of it more coarsely.

    Parameters
    ----------
    stream
        One chunk.
    selection
        What to decode, as in ``array[selection]``: integers, slices with or without steps, an ellipsis, arrays of
        indices, masks. Only what it touches is decoded. None: all.
    level
        k, or one number for each axis: one sample for every cell that is 2^k voxels wide, see
        `tinc_codec.decoding.levels`. Bounds on the error hold at level 0 only.
    expected
        What the chunk must be. None: anything that takes no more than the process's settings `limit` and `work`, see
        `tinc_codec.runtime.settings.Process`, allow.

    Returns
    -------
    ndarray
        Dtype (byte order too) of the array that was encoded; writable. Without a selection its shape and its memory
        order, too; at level k every axis n has ``ceil(n / 2**k)`` cells.

    Raises
    ------
    CorruptStreamError
        The bytes are truncated, altered, or not a TINC stream, or hold another chunk than expected;
        `NewerVersionError` for a later format version, `LimitError` for a claim that goes too far.
    OutOfMemoryError
        Memory ran out; the process can go on.
    SelectionError
        The selection does not fit the chunk.
    ConfigurationError
        A level is negative, or there are more or fewer of them than axes.
    """
    data = bytes(stream)
    if selection is None and level == 0:
        return Chunk.of(data, expected).restored()
    with chunks.reading(data, expected) as chunk:
        return read(chunk, selection, level=level)


def read(chunk: Chunk, selection: Any, *, level: int | tuple[int, ...]) -> NDArray[Any]:
    """What `decode` gives, of a chunk that is parsed already."""
    if not any(levels.parse_level(level, len(chunk.header.shape))):
        return chunk.restored() if selection is None else chunk.read(selection)
    with chunk.accounted():
        coarse = levels.read(chunk, level)
        return coarse if selection is None else np.array(coarse[selection])


def sample(stream: bytes | memoryview, coordinates: Any) -> NDArray[Any]:
    """Evaluate a chunk between its voxels: arbitrary planes, resampling.

    Parameters
    ----------
    stream
        One chunk.
    coordinates
        Positions in voxels, ``(axes, ...)``, as `scipy.ndimage.map_coordinates` takes them: voxel i has its centre at
        i and reaches from i - 1/2 to i + 1/2.

    Returns
    -------
    ndarray
        Samples in the shape of ``coordinates[0]`` and the chunk's dtype. At the centres of voxels they are what
        `decode` gives. Between them the networks are evaluated there; what a residual adds, and chunks without
        networks, are interpolated linearly.

    Raises
    ------
    CorruptStreamError, OutOfMemoryError
        As for `decode`.
    SelectionError
        There are more or fewer coordinates than axes, or positions outside the chunk.
    """
    data = bytes(stream)
    with chunks.reading(data) as chunk, chunk.accounted():
        return sampling.read(chunk, np.asarray(coordinates, np.float64))


def read_quality(container: Container) -> Quality | None:
    """The quality measured at encoding, where the stream has it."""
    if Section.QUALITY not in container.sections:
        return None
    section = container.section(Section.QUALITY)
    quality = Quality(*(section.real("d") for _ in range(4)))
    section.end()
    return quality
