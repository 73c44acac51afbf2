"""What a stream says of itself, without decoding its samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.decode import Quality, read_quality
from tinc_codec.stream.container import Container, ModelKind, Section
from tinc_codec.tree.model import Model


@dataclass(frozen=True)
class LevelInfo:
    """One level of a chunk's tree."""

    grid: tuple[int, ...]
    nodes: int
    constant: int
    layers: int
    widths: dict[int, int]  # width -> nodes that have it
    parameters: int


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
        ``"sine tree"``, ``"residual"``, ``"sine tree and residual"`` or ``"lossless"``.
    sections
        Payload bytes of each section by name; ``"container"`` is what remains.
    levels
        The tree, root first; empty for chunks without one.
    leaf_shape
        Voxels of the largest leaf along each axis that the tree sees.
    parameters, bits_per_parameter
        Number of weights and biases, and entropy-coded bits of each.
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
    levels: tuple[LevelInfo, ...]
    leaf_shape: tuple[int, ...]
    parameters: int
    bits_per_parameter: float
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
    container, header, model = chunk.container, chunk.header, chunk.model
    parameters = 0 if model is None else model.tree.parameters
    coded = sum(len(container.sections.get(kind, b"")) for kind in (Section.WEIGHTS, Section.WEIGHT_LANES))
    return StreamInfo(
        header.shape,
        header.dtype.newbyteorder("=").name + (" (big-endian)" if _big(header.dtype) else ""),
        header.order,
        header.version,
        header.raw_bytes,
        len(data),
        _kind(container),
        _sections(container, len(data)),
        () if model is None else _levels(model),
        () if model is None else model.tree.partition.leaf_shape,
        parameters,
        8 * coded / parameters if parameters else 0.0,
        read_quality(container),
    )


def _kind(container: Container) -> str:
    if container.header.lossless:
        return "lossless"
    parts = ["sine tree"] if container.header.kind is ModelKind.SINE_TREE else []
    return " and ".join([*parts, "residual"] if Section.RESIDUAL in container.sections else parts)


def _big(dtype: np.dtype[np.generic]) -> bool:
    return dtype.itemsize > 1 and dtype == dtype.newbyteorder(">")


def _sections(container: Container, total: int) -> dict[str, int]:
    names = {int(section): section.name.lower() for section in Section}
    sizes = {names.get(kind, f"section {kind}"): len(payload) for kind, payload in container.sections.items()}
    return {**sizes, "container": total - sum(sizes.values())}


def _levels(model: Model) -> tuple[LevelInfo, ...]:
    levels: list[LevelInfo] = []
    for number, level in enumerate(model.tree.levels):
        counts = np.bincount(level.classes, minlength=len(level.widths) + 1).tolist()
        widths: dict[int, int] = {}
        for width, count in zip(level.widths, counts[1:], strict=True):
            widths[width] = widths.get(width, 0) + count
        parameters = sum(t.weights + t.biases for t in model.tree.tensors if t.level == number)
        grid = model.tree.partition.grid(number)
        levels.append(LevelInfo(grid, sum(counts), counts[0], level.layers, widths, parameters))
    return tuple(levels)
