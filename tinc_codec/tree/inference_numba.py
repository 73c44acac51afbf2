"""The fast decoder on a CPU, compiled by numba; the same bytes as `tinc_codec.tree.inference`.

A tile of local coordinates goes down the tree leaf by leaf, in cache.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.jit import jit
from tinc_codec.threads import spread
from tinc_codec.tree.microkernel import LANES, TILE, sines, sums
from tinc_codec.tree.paths import Paths
from tinc_codec.tree.wanted import Piece

WORTH = 2**25
"""Multiply-adds that are worth a further thread."""

MOST_PARTS = 64
"""Parts of one piece, at most: more than threads, so that all of them end together."""

BATCH = 64
"""Pieces that are shared among threads at a time."""


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
    weights: Any, biases: Any, layers: Any, scales: Any, first: Any, count: Any, below: Any, largest: int,
    leaves: Any, starts: Any, coordinates: Any, offsets: Any,
    limits: Any, wide: Any, kind: int, output: Any, begin: int, end: int,
) -> None:  # fmt: skip
    """Evaluate the coordinates from `begin` to `end` at every leaf, tile by tile."""
    depth, axes, step = len(below), len(coordinates), 2 * TILE
    size = (largest + 1) // 2 * step
    held = np.zeros((depth + 1, size), np.int16)
    spare = np.zeros((2, size), np.int16)
    totals = np.zeros(TILE, np.int32)
    current = np.empty(depth, np.int64)
    for t in range(begin, end, TILE):
        n = min(TILE, end - t)
        for axis in range(axes):
            for i in range(n):
                held[0, (axis // 2) * step + 2 * i + axis % 2] = np.int16(coordinates[axis, t + i])
        current[:] = -1
        for leaf in range(len(leaves)):
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


def _limits(paths: Paths) -> tuple[NDArray[np.float64], NDArray[np.uint64], int]:
    """Offset, low and high as floats; offset and the ways up and down from it modulo 2^64; the kind of samples."""
    model = paths.model
    if model.dtype.kind == "f":
        return np.array([model.offset, model.low, model.high], np.float64), np.zeros(3, np.uint64), 2
    offset, low, high = int(model.offset), int(model.low), int(model.high)
    wide = np.array([offset % 2**64, high - offset, offset - low], np.uint64)
    return np.array([offset, low, high], np.float64), wide, int(model.dtype.itemsize == 8)


def fill(paths: Paths, pieces: Iterable[Piece], output: NDArray[Any]) -> None:
    """Evaluate pieces, at leaves that have networks, into a flat array of the model's dtype (float64 for float16)."""
    weights, limits = paths.weights.view(np.int32), _limits(paths)

    def evaluate(part: _Part) -> None:
        piece = part.piece
        _descend(
            weights, paths.biases, paths.layers, paths.scales, paths.first, paths.count, paths.below, paths.largest,
            piece.leaves, piece.starts, piece.coordinates, piece.offsets, *limits, output, part.begin, part.end,
        )  # fmt: skip

    nodes = len(paths.network) // paths.below
    waiting = iter(pieces)
    while batch := list(itertools.islice(waiting, BATCH)):
        parts = [part for piece in batch for part in _parts(piece, paths.products / nodes, nodes)]
        spread(evaluate, parts, [part.cost for part in parts], WORTH)


class _Part(NamedTuple):
    """Coordinates of a piece, from `begin` to `end`, and the multiply-adds that they take, at most."""

    piece: Piece
    begin: int
    end: int
    cost: float


def _parts(piece: Piece, costs: NDArray[np.float64], nodes: NDArray[np.int64]) -> list[_Part]:
    """Cut a piece so that threads can share it, given the multiply-adds of a node and the nodes of each level."""
    points = len(piece.offsets)
    cost = float(costs @ np.minimum(nodes, len(piece.leaves))) * points
    count = max(1, min(int(cost // WORTH), points // LANES, MOST_PARTS))
    borders = itertools.pairwise(points * part // count for part in range(count + 1))
    return [_Part(piece, *ends, cost / count) for ends in borders]
