"""What a residual takes, foretold from blocks of a volume."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinc_codec.encoding.residual.encode import coded_passes, tile_of
from tinc_codec.encoding.residual.volume import Volume, levels_of
from tinc_codec.residual import tokens
from tinc_codec.residual.interlace import tile_bounds
from tinc_codec.residual.lattice import Quantiser
from tinc_codec.residual.section import pack

_GOLDEN = (math.sqrt(5) - 1) / 2
_BLOCK = 2**14
"""Voxels of a block."""

_LEAST, _MOST, _PART = 2**16, 3 * 2**16, 1 / 4
"""Voxels of all blocks that bits are foretold from, about, and the part of the volume that these are in between."""

_DIFFERENCES = 2**16
"""Voxels whose differences to their neighbours are looked at, about."""

_LARGEST = 2**12
"""Quantised differences are counted up to this one."""

_FEW = 2**13
"""Voxels of a pass that predictors are fitted to there."""

_EXTRA = tokens.extra_bits(np.arange(tokens.MOST_TOKENS, dtype=np.uint8))
"""Bits beside each token."""


def foretold(volume: Volume, quantiser: Quantiser) -> float:
    """Bits a voxel that a residual would take, about, from blocks of the volume.

    Parameters
    ----------
    volume, quantiser
        See `encode`.
    """
    shape, edges = volume.values.shape, list(volume.values.shape)
    while math.prod(edges) > _BLOCK:
        longest = max(range(len(edges)), key=lambda axis: edges[axis])
        edges[longest] = -(-edges[longest] // 2)
    grid = tuple(-(-n // edge) for n, edge in zip(shape, edges, strict=True))
    places = tile_bounds(shape, grid)
    start = 0 if volume.model is not None else volume.middle
    every = max(1, volume.values.size / min(max(_LEAST, _PART * volume.values.size), _MOST))
    chosen = {int((k + k * _GOLDEN % 1) * every) for k in range(math.ceil(len(places) / every))}  # in step with no axis
    tiles = [tile_of(volume, start, places[min(number, len(places) - 1)]) for number in sorted(chosen)]
    coded = coded_passes(tiles, levels_of(shape, grid), quantiser, volume.domain.top, _FEW)
    totals = coded.counts.sum(1, keepdims=True)
    shares = np.divide(coded.counts, totals, out=np.ones(coded.counts.shape), where=coded.counts > 0)
    bits = -float((coded.counts * np.log2(shares)).sum()) + float(coded.counts.sum(0) @ _EXTRA)
    common = 8 * len(pack(coded.parameters(volume.domain, start, grid, quantiser.width), []))
    return bits / sum(tile.target.size for tile in tiles) + common / volume.values.size


def of_differences(volume: Volume, quantiser: Quantiser) -> float:
    """Bits a voxel of plain differences to both neighbours along the best axis; with a model 0, nothing is said.

    A residual takes a good part of them where they are above one bit: no predictor foretells noise.

    Parameters
    ----------
    volume, quantiser
        See `encode`.
    """
    if volume.model is not None:
        return 0.0
    flat, shape = np.ascontiguousarray(volume.values).reshape(-1), volume.values.shape
    strides = [math.prod(shape[axis + 1 :]) for axis, n in enumerate(shape) if n > 2]
    return min((_entropy(flat, stride, quantiser.width) for stride in strides), default=0.0)


def _entropy(flat: NDArray[np.float64], stride: int, width: int) -> float:
    """Of differences to both neighbours along an axis, quantised, with their signs."""
    every = len(flat) // _DIFFERENCES | 1  # odd, so that it is in step with no row
    here = np.arange(stride, len(flat) - stride, every)
    apart = np.abs(flat[here] - (flat[here - stride] + flat[here + stride]) / 2)
    counts = np.bincount(np.minimum(np.floor(apart / width + 0.5), _LARGEST).astype(np.int64))
    shares = counts[counts > 0] / len(here)
    return float(1 - counts[0] / len(here) - (shares * np.log2(shares)).sum())
