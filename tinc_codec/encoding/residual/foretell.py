"""What a residual takes, foretold from blocks of a volume."""

from __future__ import annotations

import math

import numpy as np

from tinc_codec.encoding.residual.encode import coded_passes, tile_of
from tinc_codec.encoding.residual.volume import Volume, levels_of
from tinc_codec.residual import tokens
from tinc_codec.residual.interlace import tile_bounds
from tinc_codec.residual.lattice import Quantiser

_GOLDEN = (math.sqrt(5) - 1) / 2
_BLOCK, _LOOKED_AT = 2**14, 3 * 2**16
"""Voxels of a block, and of all blocks, about, that bits are foretold from."""

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
    every = max(1, volume.values.size / _LOOKED_AT)
    chosen = {int((k + k * _GOLDEN % 1) * every) for k in range(math.ceil(len(places) / every))}  # in step with no axis
    tiles = [tile_of(volume, start, places[min(number, len(places) - 1)]) for number in sorted(chosen)]
    coded = coded_passes(tiles, levels_of(shape, grid), quantiser, volume.domain.top, _FEW)
    totals = coded.counts.sum(1, keepdims=True)
    shares = np.divide(coded.counts, totals, out=np.ones(coded.counts.shape), where=coded.counts > 0)
    bits = -float((coded.counts * np.log2(shares)).sum()) + float(coded.counts.sum(0) @ _EXTRA)
    return bits / sum(tile.target.size for tile in tiles)
