"""What a stream may take to decode, checked before any of it is done (FORMAT.md, "Limits").

A few bytes can claim much. Every claim is held against the chunk that is expected or, where nothing says what that is,
against a setting of the process. What the limits depend on is known from the header and the sections' tables; nothing
that an encoder of this package wrote exceeds them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinc_codec.errors import CorruptStreamError, LimitError
from tinc_codec.runtime.settings import process
from tinc_codec.stream.container import Header
from tinc_codec.tree.structure import Tree

SMALL_ARRAY, ARRAY_PER_BYTE, LARGE_ARRAY = 2**27, 2**12, 2**32
"""Bytes of the array that a stream may claim where nothing says how large it is: so many, and so many for each byte of
the stream, and never more than the last number, unless the process's setting `limit` says another number."""

SMALLEST_BLOCK = 7
"""Voxels of the leaves along an axis that is halved, at least: encoders halve what has 15."""

MOST_TENSORS = 512

SPARE_LAYERS = 64
"""Layers of all nodes may be as many as samples, and these."""

PARAMETERS_PER_BYTE, SPARE_PARAMETERS = 2, 2**12
"""Parameters for each byte of the samples, and beside them."""

PARAMETERS_PER_CODE, FREE_PARAMETERS = 2**8, 2**22
"""Parameters for each byte of their code, and beside them: one that can be something else than 0 takes 1/22 bit."""

LARGEST_TILE, VOXELS_PER_TILE = 2**18, 2**12
"""Voxels of a residual's largest tile, and of its tiles in the mean, where there are several."""


@dataclass(frozen=True)
class Expected:
    """What a chunk is, according to the metadata of its array or to the memory that it is decoded into.

    Parameters
    ----------
    nbytes
        Bytes of the samples; None: any number.
    shape
        Shape of the chunk at `level`; None: any.
    dtype
        Of the samples, whatever its byte order; None: any.
    level
        For each axis, see `tinc_codec.decoding.levels`; empty: 0.
    """

    nbytes: int | None = None
    shape: tuple[int, ...] | None = None
    dtype: np.dtype[np.generic] | None = None
    level: tuple[int, ...] = ()

    def check(self, header: Header) -> None:
        """Raise `CorruptStreamError` unless a chunk is the expected one."""
        shape = header.shape
        if len(self.level) == len(shape):
            shape = tuple(-(-n // 2**k) for n, k in zip(shape, self.level, strict=True))
        if (self.shape is not None and shape != self.shape) or (
            self.dtype is not None and header.dtype.newbyteorder("=") != self.dtype.newbyteorder("=")
        ):
            raise CorruptStreamError(
                f"the chunk holds {header.dtype} of shape {shape}, the array's metadata say {self.dtype} of shape "
                f"{self.shape}: it belongs to another array"
            )
        if self.nbytes is not None and header.raw_bytes != self.nbytes:
            raise CorruptStreamError(
                f"the chunk holds {header.dtype} of shape {header.shape}, {header.raw_bytes} bytes, where "
                f"{self.nbytes} are expected: it belongs to another array"
            )


def check_header(header: Header, stored: int, expected: Expected | None) -> None:
    """Raise unless a chunk is what is expected or, where nothing is, small enough.

    Parameters
    ----------
    header
        Of the chunk.
    stored
        Bytes of the stream.
    expected
        None: nothing says what the chunk is.

    Raises
    ------
    CorruptStreamError
        It is another one than expected.
    LimitError
        It is too large.
    """
    if expected is not None:
        expected.check(header)
        return
    limit = process().limit or min(SMALL_ARRAY + ARRAY_PER_BYTE * stored, LARGE_ARRAY)
    if header.raw_bytes > limit:
        raise LimitError(
            f"{stored} bytes claim an array of shape {header.shape} of {header.dtype}, {header.raw_bytes} bytes, where "
            f"{limit} are allowed: if you trust them, set TINC_LIMIT, or set_process(limit=...), to as many bytes"
        )


class Work(NamedTuple):
    """Most of what a model may take; all but `products` depend on its samples and on its code alone.

    Parameters
    ----------
    layers
        Of all nodes.
    tensors
        Weight tensors.
    parameters
        Weights and biases.
    products
        Multiply-adds of all samples.
    """

    layers: int
    tensors: int
    parameters: int
    products: int


def allowed(shape: tuple[int, ...], itemsize: int, code: int) -> Work:
    """What a model over a chunk of folded `shape` may take whose weights have `code` bytes."""
    samples = math.prod(shape)
    parameters = min(
        PARAMETERS_PER_BYTE * samples * itemsize + SPARE_PARAMETERS, PARAMETERS_PER_CODE * code + FREE_PARAMETERS
    )
    return Work(samples + SPARE_LAYERS, MOST_TENSORS, parameters, process().work * samples)


def fits(shape: tuple[int, ...], leaf_grid: tuple[int, ...]) -> bool:
    """Whether a chunk may be cut into so many leaves along each axis."""
    return all((SMALLEST_BLOCK * g if g > 1 else 1) <= n for n, g in zip(shape, leaf_grid, strict=True))


def check_tree(tree: Tree, work: Work) -> None:
    """Raise unless a tree's tensors are within `work`.

    Raises
    ------
    CorruptStreamError
        No encoder writes such a tree.
    LimitError
        It takes more multiply-adds than the process allows.
    """
    tensors = tree.tensors
    layers, parameters = sum(tensor.nodes for tensor in tensors), tree.parameters
    for name, number, most in (
        ("tensors", len(tensors), work.tensors),
        ("layers of nodes", layers, work.layers),
        ("parameters", parameters, work.parameters),
    ):
        if number > most:
            raise CorruptStreamError(f"the model has {number} {name}, where at most {most} make sense")
    samples = math.prod(tree.partition.shape)
    if tree.products > work.products:
        raise LimitError(
            f"the model takes {-(-tree.products // samples)} multiply-adds a voxel, where {work.products // samples} "
            "are allowed: if you trust the stream, set TINC_WORK, or set_process(work=...), to as many"
        )


def most_tiles(shape: tuple[int, ...]) -> int:
    """Tiles that the residual of a chunk of folded `shape` may have."""
    return 1 + math.prod(shape) // VOXELS_PER_TILE


def tiles_fit(shape: tuple[int, ...], tiles: tuple[int, ...]) -> bool:
    """Whether a residual may have so many tiles along each axis."""
    largest = math.prod(-(-n // g) for n, g in zip(shape, tiles, strict=True))
    return math.prod(tiles) <= most_tiles(shape) and largest <= LARGEST_TILE
