"""A chunk that is written again in part: what was decoded and merged is encoded so that errors do not add up.

Zarr writes a part of a chunk by decoding it, changing the part in a copy, and encoding the whole. What the codec is
given then is partly its own, already off by as much as it allows. Samples that a codec hands out therefore know
their stream, through views and copies, and whoever encodes them can tell which of them are as they were stored.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.config import Config
from tinc_codec.decoding import decode as decoding
from tinc_codec.decoding.decode import Quality, read_quality
from tinc_codec.errors import PartialWriteWarning
from tinc_codec.stream.container import Container, Section, pack, unpack
from tinc_codec.stream.fields import FieldWriter
from tinc_codec.targets import Bound


class StoredSamples(np.ndarray[Any, np.dtype[Any]]):
    """Samples that know the stream they were decoded from.

    Views and copies know it, too; results of arithmetic and pickles are plain arrays.

    Attributes
    ----------
    stream
        The stream; None for what was not decoded.
    """

    stream: bytes | None = None

    def __array_finalize__(self, parent: Any) -> None:
        self.stream = getattr(parent, "stream", None)

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else np.asarray(array)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return np.asarray(self).__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return repr(np.asarray(self))


class Notice:
    """Warns of partial writes once: each codec object has one, and every array that is opened its own codec object."""

    def __init__(self) -> None:
        self._given = False

    def give(self, config: Config) -> None:
        """Raise a `PartialWriteWarning`, the first time."""
        if self._given:
            return
        self._given = True
        if config.target.bound(0.0, 0.0) == Bound():
            what = "each such write loses a little more"
        else:
            what = "such a chunk is stored losslessly from then on, so that errors do not add up, and takes more room"
        text = f"a part of a chunk is written that TINC had stored already: {what}; write whole chunks, or smaller ones"
        warnings.warn(PartialWriteWarning(text), stacklevel=2)


def remember(samples: NDArray[Any], stream: bytes, config: Config) -> NDArray[Any]:
    """Samples of a whole chunk, which know their stream where it may not hold them exactly."""
    if config.target.lossless:
        return samples
    remembering = samples.view(StoredSamples)
    remembering.stream = stream
    return remembering


def encode_again(given: NDArray[Any], config: Config, notice: Notice) -> bytes:
    """Encode a chunk that may have been decoded, and changed in part.

    Samples that are as they were stored keep the error that they have. With a bound or a PSNR the chunk is stored
    losslessly, unless what was decoded was exact; its stream says the largest error that any sample may have by now.

    Parameters
    ----------
    given
        The chunk as `encode` takes it; `StoredSamples` where it was decoded.
    config
        The settings.
    notice
        Given where samples that were lossy before are encoded again.
    """
    from tinc_codec.encoding.encode import encode

    stream = getattr(given, "stream", None)
    samples = np.require(np.asarray(given), requirements="A")  # what came through a network may lie anywhere
    if stream is None or config.target.lossless:
        return encode(samples, config)
    before = decoding.decode(stream)
    if before.shape != samples.shape or before.dtype.newbyteorder("=") != samples.dtype.newbyteorder("="):
        return encode(samples, config)
    kept = _same_bits(before, samples)
    if kept.all():
        return bytes(stream)
    quality = read_quality(unpack(stream))
    if not kept.any() or quality is None or quality.max_error == 0:
        return encode(samples, config)
    notice.give(config)
    if config.target.bound(quality.low, quality.high) == Bound():
        return encode(samples, config)
    exact = encode(samples, config.losslessly())
    return _with_quality(exact, quality)


def _same_bits(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    bits = f"u{a.dtype.itemsize}"
    native = a.dtype.newbyteorder("=")
    same: NDArray[np.bool_] = a.astype(native).view(bits) == b.astype(native).view(bits)
    return same


def _with_quality(stream: bytes, before: Quality) -> bytes:
    """A lossless stream that says how far its samples may be from what was written first."""
    container = unpack(stream)
    out = FieldWriter()
    for value in (before.rmse, before.max_error, before.low, before.high):
        out.number("d", value)
    return pack(Container(container.header, {**container.sections, Section.QUALITY: out.bytes()}))
