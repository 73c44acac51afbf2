"""From sections to a stream that has been decoded and measured before anything is promised of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from tinc_codec import metrics
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.decode import Quality
from tinc_codec.encoding.kept import complaint
from tinc_codec.encoding.prepared import PreparedChunk
from tinc_codec.errors import CorruptStreamError, TrainingError
from tinc_codec.runtime.lazy import lazy
from tinc_codec.stream import lossless
from tinc_codec.stream.container import Container, ModelKind, Section, pack
from tinc_codec.stream.fields import FieldWriter
from tinc_codec.stream.limits import Expected

BLANK = Quality(0, 0, 0, 0)
"""Stands for a quality that is not measured yet; it takes as many bytes."""


@dataclass(frozen=True, eq=False)
class Verified:
    """A stream that was decoded.

    Parameters
    ----------
    chunk
        What it is of, with a hole or without.
    stream
        Its bytes.
    quality
        What its decoder gives.
    complaint
        What of it is not as asked; None: it is kept.
    """

    chunk: PreparedChunk
    stream: bytes
    quality: Quality
    complaint: str | None


def assemble(chunk: PreparedChunk, sections: dict[int, bytes], quality: Quality) -> bytes:
    """Write the stream of a chunk that is predicted: what is common to all of them, and the given sections."""
    kind = ModelKind(ModelKind.SINE_TREE * (Section.TREE in sections) | ModelKind.DETAIL * (Section.DETAIL in sections))
    header = replace(chunk.header, kind=kind, lossless=False)
    common = {**chunk.cropped, **chunk.kept_exactly, Section.QUALITY: _quality(quality)}
    return pack(Container(header, {**common, **sections}))


def predicted(chunk: PreparedChunk, sections: dict[int, bytes]) -> NDArray[Any]:
    """Samples that a predictor gives, folded: what its decoder gives from its sections."""
    predictor = _chunk(chunk, sections).predictor
    assert predictor is not None
    return predictor.whole()


def _chunk(chunk: PreparedChunk, sections: dict[int, bytes]) -> Chunk:
    """What a decoder makes of the stream."""
    return Chunk.of(assemble(chunk, sections, BLANK), Expected(chunk.header.raw_bytes))


def size_of(sections: dict[int, bytes]) -> int:
    """Bytes that sections take in a stream."""
    return sum(1 + -(-max(1, len(payload).bit_length()) // 7) + len(payload) for payload in sections.values())


def verify(chunk: PreparedChunk, sections: dict[int, bytes], samples: NDArray[Any] | None = None) -> Verified:
    """Write the stream, decode it, and write into it what its decoder gave.

    Parameters
    ----------
    sections
        Of all that is coded.
    samples
        What the predictors' sections were decoded to already, see `predicted`; None: they were not.

    Raises
    ------
    TrainingError
        The stream does not decode.
    """
    try:
        decoded = _chunk(chunk, sections).whole(samples)
    except CorruptStreamError as error:  # never promise what the decoder does not keep
        raise TrainingError(f"the stream does not decode: {error}") from error
    corrected = chunk.corrections(decoded)
    if corrected:
        return verify(chunk, {**sections, **corrected}, samples)
    quality = measure(chunk, decoded)
    wrong = complaint(chunk.values, decoded.reshape(chunk.values.shape), chunk.config)
    return Verified(chunk, assemble(chunk, sections, quality), quality, wrong)


@dataclass(frozen=True, eq=False)
class Exactly:
    """A chunk stored losslessly by general means."""

    chunk: PreparedChunk

    @lazy
    def stream(self) -> bytes:
        """Its stream."""
        payload = lossless.pack(self.chunk.values, newest=True)
        header = replace(self.chunk.header, version=2 if payload[0] == lossless.Method.PCODEC else 1)
        return pack(Container(header, {**self.chunk.cropped, Section.LOSSLESS: payload}))

    def within(self, size: int) -> bool:
        """Whether the stream takes at most so many bytes; it is not made where a part of the samples takes more."""
        return not lossless.part_exceeds(self.chunk.values, size) and len(self.stream) <= size


def measure(chunk: PreparedChunk, decoded: NDArray[Any]) -> Quality:
    """Compare with the original, over the samples that may be off."""
    original, decoded = chunk.counting(chunk.values), chunk.counting(decoded.reshape(chunk.values.shape))
    largest, rmse = metrics.errors(original, decoded)
    return Quality(rmse, largest, float(chunk.low), float(chunk.high))


def _quality(quality: Quality) -> bytes:
    out = FieldWriter()
    for value in (quality.rmse, quality.max_error, quality.low, quality.high):
        out.number("d", value)
    return out.bytes()
