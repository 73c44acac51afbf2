"""A chunk at coarser resolution: one sample for each cell of 2^k voxels along each axis.

A network is evaluated at the cells' centres, and the transform of coefficients is inverted down to the cells' size
only, which gives means, so that level k costs about 1 / 2^(k axes) of the whole. A residual without a model is decoded
up to the lattice of every 2^k-th voxel only, and interpolated linearly at the centres; so are samples that are stored
losslessly. What a residual adds to a model is left out, so that bounds on the error hold at
level 0 only. Where the voxel at a cell's centre (the one with the higher index, of two) is stored exactly, it is the
cell's sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.interpolation import on_grid
from tinc_codec.detail.samples import to_dtype
from tinc_codec.errors import ConfigurationError
from tinc_codec.runtime.caching import keeping
from tinc_codec.stream import crop
from tinc_codec.tree.folding import Folding, Indices
from tinc_codec.tree.runs import Positions

LARGEST_LEVEL = 40
READ_ONLY = "a coarser level of an array is made while it is read, and cannot be written"


def parse_level(level: object, axes: int) -> tuple[int, ...]:
    """A level for each axis, from one for all or one for each."""
    each = level if isinstance(level, tuple | list) else (level,) * axes
    if len(each) != axes:
        raise ConfigurationError(f"level={level!r} has {len(each)} numbers for {axes} axes")
    for number in each:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number <= LARGEST_LEVEL:
            raise ConfigurationError(f"level={level!r} must be whole numbers from 0 to {LARGEST_LEVEL}")
    return tuple(map(int, each))


def cells(shape: Sequence[int], level: Sequence[int]) -> tuple[int, ...]:
    """Number of cells along each axis."""
    return tuple(-(-n // 2**k) for n, k in zip(shape, level, strict=True))


def read(chunk: Chunk, level: int | tuple[int, ...]) -> NDArray[Any]:
    """A chunk at a level, or at one level for each axis; dtype and memory order of the chunk.

    Cells at the end of an axis may be cut off; they are sampled within the part of the chunk that is stored.
    """
    header = chunk.header
    levels = parse_level(level, len(header.shape))
    shape = cells(header.shape, levels)
    if 0 in header.shape:
        return np.empty(shape, header.dtype, order=header.order)  # type: ignore[call-overload,no-any-return]
    centres, folded = _centres(chunk.folding, levels)
    inside = chunk.folding.unfolded(_samples(chunk, folded, _folded_level(chunk, levels)), centres)
    if inside.shape != shape:
        padded = np.full(shape, crop.fill_value(chunk.container))
        padded[tuple(map(slice, inside.shape))] = inside
        inside = padded
    return np.array(inside, dtype=header.dtype, order="F" if header.order == "F" else "C")


@keeping(lambda centres: sum(along.nbytes for positions in centres for along in positions))
def _centres(folding: Folding, levels: tuple[int, ...]) -> tuple[tuple[Positions, ...], tuple[Positions, ...]]:
    """The cells' centres along each axis, and along each folded axis; the chunks of an array share them."""
    centres = tuple(
        np.minimum(np.arange(-(-n // 2**k)) * 2.0**k + (2**k - 1) / 2, n - 1.0)
        for n, k in zip(folding.kept, levels, strict=True)
    )
    return centres, folding.product(centres)


def _folded_level(chunk: Chunk, levels: tuple[int, ...]) -> tuple[int, ...]:
    """The level along each folded axis; 0 where axes are merged: nothing is between rows."""
    return tuple(levels[group[0]] if len(group) == 1 else 0 for group in chunk.folding.groups)


def _samples(chunk: Chunk, centres: tuple[Positions, ...], folded_level: tuple[int, ...]) -> NDArray[Any]:
    nearest = tuple(np.floor(centre + 0.5).astype(np.int64) for centre in centres)
    if chunk.predictor is not None:
        samples = chunk.predictor.at_level(folded_level, centres)
    elif all((centre == voxel).all() for centre, voxel in zip(centres, nearest, strict=True)):
        return chunk.folded_product(nearest)
    else:
        samples = _interpolated(chunk, centres, nearest, min(folded_level))
    for overlay in chunk.overlays:
        overlay.on_product(samples, nearest)
    return samples


def _interpolated(chunk: Chunk, centres: tuple[Positions, ...], nearest: Indices, level: int) -> NDArray[Any]:
    if chunk.stored is not None:
        values, known = chunk.stored, [np.arange(n) for n in chunk.folding.folded]
    else:
        assert chunk.residual is not None  # what has neither is stored
        values, known = chunk.residual.lattice(level)
    mean = on_grid(values, known, [centre.astype(np.float64) for centre in centres])
    alone = np.isnan(mean)
    samples = to_dtype(np.where(alone, 0.0, mean), values.dtype)
    if alone.any():  # no number is near: what is there instead
        samples[alone] = chunk.folded_product(nearest)[alone]
    return samples
