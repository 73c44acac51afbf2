"""From a stream to samples: container, model or lossless section, exact values, the original layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.config import process
from tinc_codec.errors import CorruptStreamError
from tinc_codec.metrics import psnr_of
from tinc_codec.stream import exact, lossless, weights
from tinc_codec.stream.container import Container, Header, ModelKind, Section, unpack
from tinc_codec.tree import inference
from tinc_codec.tree.model import Model
from tinc_codec.tree.partition import fold


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


def decode(data: bytes | memoryview) -> NDArray[Any]:
    """Decode a stream.

    Returns
    -------
    ndarray
        Shape, dtype (byte order too) and memory order of the array that was encoded. Writable.

    Raises
    ------
    CorruptStreamError
        The bytes are truncated, altered, or not a TINC stream; `NewerVersionError` for a later format version.
    """
    container = unpack(data)
    return restore(container, samples(container))


def samples(container: Container) -> NDArray[Any]:
    """The samples of a chunk, C order, native byte order, folded or flat shape."""
    header = container.header
    native = header.dtype.newbyteorder("=")
    if header.lossless:
        section = container.section(Section.LOSSLESS)
        return lossless.unpack(section.raw(section.remaining), header.raw_bytes // native.itemsize, native)
    if Section.RESIDUAL in container.sections:
        raise CorruptStreamError("format version 1 reserves the residual section but does not define it")
    volume = predict(read_model(container))
    if Section.EXACT in container.sections:
        exact.restore(container.section(Section.EXACT), volume)
    return volume


def restore(container: Container, volume: NDArray[Any]) -> NDArray[Any]:
    """Give samples the shape, byte order and memory order of the array that was encoded."""
    header: Header = container.header
    shaped = volume.reshape(header.shape)
    return np.array(shaped, dtype=header.dtype, order="F" if header.order == "F" else "C")


def read_model(container: Container) -> Model:
    """The model of a chunk that has one."""
    if container.header.kind is not ModelKind.SINE_TREE:
        raise CorruptStreamError("a chunk that is not lossless has no model")
    return weights.unpack(container, fold(container.header.shape))


def predict(model: Model) -> NDArray[Any]:
    """Evaluate a model: in NumPy, or in torch where the process names another device than the CPU; same bytes."""
    device = process().device
    if device in ("auto", "cpu"):
        return inference.decode(model)
    from tinc_codec.tree import inference_torch

    return inference_torch.decode(model, device)


def read_quality(container: Container) -> Quality | None:
    """The quality measured at encoding, where the stream has it."""
    if Section.QUALITY not in container.sections:
        return None
    section = container.section(Section.QUALITY)
    quality = Quality(*(section.real("d") for _ in range(4)))
    section.end()
    return quality
