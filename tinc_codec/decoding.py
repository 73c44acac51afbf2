"""From a stream to samples: container, model, residual or lossless section, exact values, the original layout."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.config import process
from tinc_codec.errors import CorruptStreamError
from tinc_codec.metrics import psnr_of
from tinc_codec.residual import coding as residual
from tinc_codec.stream import crop, exact, lossless, weights
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
    """The samples of the part of a chunk that is stored, C order, native byte order, folded or flat shape."""
    header, native = container.header, container.header.dtype.newbyteorder("=")
    kept = crop.kept_shape(container)
    if header.lossless:
        section = container.section(Section.LOSSLESS)
        return lossless.unpack(section.raw(section.remaining), math.prod(kept), native, header.version > 1)
    shape = fold(kept)
    stored = None
    if Section.EXACT in container.sections:
        stored = exact.unpack(container.section(Section.EXACT), shape, native)
    model = predict(read_model(container)) if header.kind is ModelKind.SINE_TREE else None
    if Section.RESIDUAL in container.sections:
        places = None if stored is None else ~stored[0]
        volume = residual.decode(container.section(Section.RESIDUAL), shape, native, model, places)
    elif model is not None:
        volume = model
    else:
        raise CorruptStreamError("a chunk that is not lossless has neither a model nor a residual")
    if stored is not None:
        volume[stored[0]] = stored[1]
    if Section.CORRECTIONS in container.sections:
        places, values = exact.unpack(container.section(Section.CORRECTIONS), shape, native)
        volume[places] = values
    return volume


def restore(container: Container, volume: NDArray[Any]) -> NDArray[Any]:
    """Give samples the shape, byte order and memory order of the array that was encoded."""
    header: Header = container.header
    shaped = crop.restore(container, volume)
    return np.array(shaped, dtype=header.dtype, order="F" if header.order == "F" else "C")


def read_model(container: Container) -> Model:
    """The model of a chunk that has one."""
    return weights.unpack(container, fold(crop.kept_shape(container)))


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
