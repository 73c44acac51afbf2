"""The fast decoder on a CPU, compiled by numba; the same bytes as `tinc_codec.tree.inference`.

A tile of local coordinates goes down the tree leaf by leaf, in cache.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.microkernel import TILE, VECTOR, sines, sums
from tinc_codec.runtime.threads import share
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.pieces import Batch

WORTH = 2**25
"""Multiply-adds that are worth a further thread."""

PART, MOST_PARTS = 2**22, 64
"""Multiply-adds of a part of a piece, at least, and parts of one piece, at most: more than threads, so that all of them
end together."""


@jit
def _store(totals: Any, scale: float, limits: Any, wide: Any, kind: int, output: Any, start: int, offsets: Any) -> None:
    """`tinc_codec.tree.inference.to_intensity` of a tile's sums, into the output."""
    n = len(offsets)
    if kind == 0:  # integers of up to 32 bits
        offset, low, high = np.int64(limits[0]), np.int64(limits[1]), np.int64(limits[2])
        for t in range(n):
            step = min(max(np.rint(np.float64(totals[t]) * scale), -1099511627776.0), 1099511627776.0)
            output[start + offsets[t]] = min(max(offset + np.int64(step), low), high)
    elif kind == 1:  # of 64 bits, modulo 2^64
        for t in range(n):
            step = min(max(np.rint(np.float64(totals[t]) * scale), -9223372036854774784.0), 9223372036854774784.0)
            if step >= 0:
                output[start + offsets[t]] = wide[0] + min(np.uint64(np.int64(step)), wide[1])
            else:
                output[start + offsets[t]] = wide[0] - min(np.uint64(np.int64(-step)), wide[2])
    else:
        for t in range(n):
            value = np.float64(totals[t]) * scale  # a sum of its own, never fused
            output[start + offsets[t]] = min(max(value + limits[0], limits[1]), limits[2])


@jit
def _descend(
    weights: Any, biases: Any, layers: Any, scales: Any, first: Any, count: Any, below: Any, network: Any,
    constants: Any, leaves: Any, starts: Any, coordinates: Any, offsets: Any, parts: Any, limits: Any,
    wide: Any, kind: int, output: Any,
) -> None:  # fmt: skip
    """Evaluate parts of a batch, tile by tile."""
    depth, axes, step = len(below), len(coordinates), 2 * TILE
    largest = axes
    for row in range(len(layers)):
        largest = max(largest, layers[row, 2], layers[row, 3])
    size = (largest + 1) // 2 * step
    held = np.zeros((depth + 1, size), np.int16)
    spare = np.zeros((2, size), np.int16)
    totals = np.zeros(TILE, np.int32)
    current = np.empty(depth, np.int64)
    for part in range(len(parts)):
        first_leaf, end_leaf, begin, end = parts[part, 0], parts[part, 1], parts[part, 2], parts[part, 3]
        for t in range(begin, end, TILE):
            n = min(TILE, end - t)
            for axis in range(axes):
                for i in range(n):
                    held[0, (axis // 2) * step + 2 * i + axis % 2] = np.int16(coordinates[axis, t + i])
            current[:] = -1
            for leaf in range(first_leaf, end_leaf):
                if not network[leaves[leaf]]:
                    for i in range(t, t + n):
                        output[starts[leaf] + offsets[i]] = constants[leaves[leaf]]
                    continue
                for level in range(depth):
                    node = leaves[leaf] // below[level]
                    if node == current[level]:
                        continue
                    current[level] = node
                    x = held[level]
                    for layer in range(count[level]):
                        row = first[level] + node * count[level] + layer
                        at, pairs = layers[row, 0] // 2, (layers[row, 3] + 1) // 2
                        if level == depth - 1 and layer == count[level] - 1:
                            sums(x, weights, at, biases, layers[row, 1], pairs, totals, n)
                            _store(totals, scales[row], limits, wide, kind, output, starts[leaf], offsets[t : t + n])
                            continue
                        y = held[level + 1] if layer == count[level] - 1 else spare[layer % 2]
                        scale = np.float32(scales[row])
                        sines(x, weights, at, biases, layers[row, 1], layers[row, 2], pairs, scale, y, n)
                        x = y


def _limits(layout: NodeLayout) -> tuple[NDArray[np.float64], NDArray[np.uint64], int]:
    """Offset, low and high as floats; offset and the ways up and down from it modulo 2^64; the kind of samples."""
    model = layout.model
    if model.dtype.kind == "f":
        return np.array([model.offset, model.low, model.high], np.float64), np.zeros(3, np.uint64), 2
    offset, low, high = int(model.offset), int(model.low), int(model.high)
    wide = np.array([offset % 2**64, high - offset, offset - low], np.uint64)
    return np.array([offset, low, high], np.float64), wide, int(model.dtype.itemsize == 8)


def fill(layout: NodeLayout, batches: Iterable[Batch], output: NDArray[Any]) -> None:
    """Evaluate batches into a flat array of the model's dtype (float64 for float16)."""
    weights, limits = layout.weights.view(np.int32), _limits(layout)
    constants = layout.constants.astype(output.dtype, copy=False)

    def evaluate(batch: Batch, parts: NDArray[np.int64], begin: int, end: int) -> None:
        _descend(
            weights, layout.biases, layout.layers, layout.scales, layout.first, layout.count, layout.below,
            layout.network, constants, batch.leaves, batch.starts, batch.coordinates, batch.offsets, parts[begin:end],
            *limits, output,
        )  # fmt: skip

    for batch in batches:
        parts, costs = divided(
            batch.sizes, batch.leaves, layout.layers, layout.first, layout.count, layout.below, layout.network, PART
        )
        share(partial(evaluate, batch, parts), costs, WORTH)


@jit
def divided(
    sizes: Any, leaves: Any, layers: Any, first: Any, count: Any, below: Any, network: Any, least: int
) -> Any:  # fmt: skip
    """Cut the pieces of a batch so that threads can share them.

    Parameters
    ----------
    sizes, leaves
        Of the pieces, see `Batch`.
    layers, first, count, below, network
        See `NodeLayout`.
    least
        Multiply-adds of a part, at least, where a piece has as many.

    Returns
    -------
    parts
        For each part its first and its end leaf, its first and its end coordinate, int64, ``(parts, 4)``.
    work
        The multiply-adds of each part; float64.
    """
    cost, cuts = np.zeros(len(sizes)), np.ones(len(sizes), np.int64)
    current = np.empty(len(below), np.int64)
    begin = 0
    for piece in range(len(sizes)):
        current[:] = -1
        products, points = 0, sizes[piece, 1]
        for leaf in range(begin, begin + sizes[piece, 0]):
            if network[leaves[leaf]]:
                for level in range(len(below)):
                    node = leaves[leaf] // below[level]
                    if node != current[level]:
                        current[level] = node
                        for row in range(first[level] + node * count[level], first[level] + (node + 1) * count[level]):
                            products += layers[row, 2] * layers[row, 3]
        begin += sizes[piece, 0]
        cost[piece] = products * (-(-points // VECTOR) * VECTOR)
        cuts[piece] = max(1, min(int(cost[piece] // least), points // VECTOR, MOST_PARTS))
    parts, work = np.empty((cuts.sum(), 4), np.int64), np.empty(cuts.sum())
    number = begin = point = 0
    for piece in range(len(sizes)):
        wanted, points = sizes[piece]
        for part in range(cuts[piece]):
            parts[number, 0], parts[number, 1] = begin, begin + wanted
            for end in range(2):
                whole = points if part + end == cuts[piece] else points * (part + end) // cuts[piece] // VECTOR * VECTOR
                parts[number, 2 + end] = point + whole
            work[number] = cost[piece] / cuts[piece]
            number += 1
        begin, point = begin + wanted, point + points
    return parts, work
