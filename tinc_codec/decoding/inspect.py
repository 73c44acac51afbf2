"""What a stream says of itself, without decoding its samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.decode import Quality, read_quality
from tinc_codec.decoding.predictors.protocol import Description, TreeLevel
from tinc_codec.stream.container import Container, Section


@dataclass(frozen=True)
class StreamInfo:
    """What a stream holds.

    Parameters
    ----------
    shape, dtype, order, version
        Of the chunk; `dtype` with its byte order, `version` of the format.
    raw_bytes, stored_bytes
        Sizes in bytes.
    kind
        ``"lossless"``, or what the samples are made of: ``"sine tree"``, ``"detail"``, ``"residual"``, or several of
        them, as in ``"detail and residual"``.
    sections
        Payload bytes of each section by name; ``"container"`` is what remains.
    levels
        The tree, root first; empty for chunks without one.
    leaf_shape
        Voxels of the largest leaf along each axis that the tree sees.
    parameters, bits_per_parameter
        Number of weights and biases, and entropy-coded bits of each.
    detail
        Of the coefficients: the plan (which axes are split together, and how often), the step, and the bytes of the
        pieces by how finely they lie; None where there are none.
    quality
        As measured at encoding; None where the stream does not say.
    """

    shape: tuple[int, ...]
    dtype: str
    order: str
    version: int
    raw_bytes: int
    stored_bytes: int
    kind: str
    sections: dict[str, int]
    levels: tuple[TreeLevel, ...]
    leaf_shape: tuple[int, ...]
    parameters: int
    bits_per_parameter: float
    detail: dict[str, Any] | None
    quality: Quality | None

    @property
    def ratio(self) -> float:
        """Raw bytes over stored bytes."""
        return self.raw_bytes / self.stored_bytes


def inspect(data: bytes | memoryview) -> StreamInfo:
    """Read what a stream says of itself.

    Raises
    ------
    CorruptStreamError
        The bytes are truncated, altered, or not a TINC stream; `NewerVersionError` for a later format version.
    """
    chunk = Chunk.of(data).parse()
    container, header, predictor = chunk.container, chunk.header, chunk.predictor
    described = Description("") if predictor is None else predictor.describe()
    coded = sum(len(container.sections.get(kind, b"")) for kind in (Section.WEIGHTS, Section.WEIGHT_LANES))
    return StreamInfo(
        header.shape,
        header.dtype.newbyteorder("=").name + (" (big-endian)" if _big(header.dtype) else ""),
        header.order,
        header.version,
        header.raw_bytes,
        len(data),
        _kind(container, described.name),
        _sections(container, len(data)),
        described.levels,
        described.leaf_shape,
        described.parameters,
        8 * coded / described.parameters if described.parameters else 0.0,
        described.detail,
        read_quality(container),
    )


def _kind(container: Container, predictor: str) -> str:
    if container.header.lossless:
        return "lossless"
    residual = "residual" if Section.RESIDUAL in container.sections else ""
    return " and ".join(filter(None, (predictor, residual)))


def _big(dtype: np.dtype[np.generic]) -> bool:
    return dtype.itemsize > 1 and dtype == dtype.newbyteorder(">")


def _sections(container: Container, total: int) -> dict[str, int]:
    names = {int(section): section.name.lower() for section in Section}
    sizes = {names.get(kind, f"section {kind}"): len(payload) for kind, payload in container.sections.items()}
    return {**sizes, "container": total - sum(sizes.values())}
