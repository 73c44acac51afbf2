"""The reference decoder: a model's intensities by integer arithmetic in NumPy (FORMAT.md, "Evaluation").

Sums of integers below 2^24 are exact in float32 whatever their order, so that a matrix product may do them; everything
after it is one rounding that IEEE 754 defines. The bytes are therefore the same on every machine and device.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.model import AMPLITUDE, Model
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.pieces import Piece
from tinc_codec.tree.root_activations import RootActivations
from tinc_codec.tree.runs import local
from tinc_codec.tree.structure import paired

TURN = 4096
"""Entries of the sine table: one turn."""

TILE, MOST_ACTIVATIONS = 2**12, 2**18
"""Local coordinates that are evaluated at a time, and activations of a layer, so that these stay in the cache of the
second level: where layers are wide, coordinates are fewer."""


@cache
def sine_table() -> NDArray[np.float32]:
    """``rint(AMPLITUDE * sin(2 pi k / TURN))`` for k = 0 .. TURN - 1; no entry is near a tie, so any libm gives it."""
    quarter = [round(AMPLITUDE * math.sin(2 * math.pi * k / TURN)) for k in range(TURN // 4 + 1)]
    half = quarter + quarter[-2:0:-1]
    table = np.array(half + [-value for value in half], np.float32)
    table.flags.writeable = False
    return table


def local_coordinates(cells: tuple[int, ...]) -> NDArray[np.float32]:
    """Integer coordinates of the cells' centres, shape ``(axes, prod(cells))``, within ±AMPLITUDE."""
    grid = np.meshgrid(*(local(np.arange(n), n) for n in cells), indexing="ij")
    return np.stack([axis.ravel() for axis in grid]).astype(np.float32)


def to_intensity(sums: NDArray[np.float64], model: Model) -> NDArray[Any]:
    """Scale, shift, clip and cast the linear layers' outputs (already multiplied by their scales)."""
    dtype = model.dtype
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            shifted = sums + np.float64(model.offset)
        clipped: NDArray[Any] = np.clip(shifted, np.float64(model.low), np.float64(model.high)).astype(dtype)
        return clipped
    # modulo 2^64, so that one rule serves every integer type; a float64 below 2^63 converts exactly
    limit = np.float64(2**63 - 1024)
    steps = np.clip(np.rint(sums), -limit, limit).astype(np.int64)
    up = np.uint64(int(model.high) - int(model.offset))
    down = np.uint64(int(model.offset) - int(model.low))
    magnitude = np.abs(steps).view(np.uint64)
    offset = np.uint64(int(model.offset) % 2**64)
    values: NDArray[Any] = np.where(
        steps >= 0, offset + np.minimum(magnitude, up), offset - np.minimum(magnitude, down)
    )
    return values.astype(dtype)


def fill(
    layout: NodeLayout, pieces: Iterable[Piece], output: NDArray[Any], activations: RootActivations | None = None
) -> None:
    """Evaluate pieces into a flat array of the model's dtype."""
    tile = max(1, min(TILE, MOST_ACTIVATIONS // int(layout.layers[:, 2:].max(initial=1))))
    for piece in _networks(layout, pieces, output):
        root = None if activations is None else activations.of(piece, lambda x: _node(layout, 0, 0, x))
        for begin in range(0, len(piece.offsets), tile):
            part = slice(begin, begin + tile)
            samples = _leaves(layout, piece.leaves, piece.coordinates[:, part], None if root is None else root[:, part])
            for start, values in zip(piece.starts, samples, strict=True):
                output[start + piece.offsets[part]] = values


def _networks(layout: NodeLayout, pieces: Iterable[Piece], output: NDArray[Any]) -> Iterator[Piece]:
    """Pieces at those of their leaves that have networks; the others' constants are filled in."""
    for piece in pieces:
        chosen = layout.network[piece.leaves]
        for leaf, start in zip(piece.leaves[~chosen], piece.starts[~chosen], strict=True):
            output[start + piece.offsets] = layout.constants[leaf]
        if chosen.any():
            yield replace(piece, leaves=piece.leaves[chosen], starts=piece.starts[chosen])


def _leaves(
    layout: NodeLayout, leaves: NDArray[np.int64], coordinates: NDArray[np.float32], root: NDArray[np.int16] | None
) -> Iterator[NDArray[Any]]:
    """Samples of each leaf at the same coordinates; an ancestor that leaves in a row share is evaluated once."""
    depth = len(layout.below)
    current, outputs = [-1] * depth, [coordinates] * (depth + 1)
    if root is not None:
        current[0], outputs[1] = 0, root.astype(np.float32)
    for leaf in leaves.tolist():
        for level in range(depth):
            node = leaf // int(layout.below[level])
            if node != current[level]:
                current[level], outputs[level + 1] = node, _node(layout, level, node, outputs[level])
        yield to_intensity(outputs[-1][0], layout.model)


def _node(layout: NodeLayout, level: int, node: int, x: NDArray[Any]) -> NDArray[Any]:
    """Output of a node, ``(width, points)``; of a leaf the scaled sums, float64."""
    count = int(layout.count[level])
    begin = int(layout.first[level]) + node * count
    linear = level == len(layout.below) - 1
    for number in range(begin, begin + count):
        weights, biases, rows, columns = layout.layers[number].tolist()
        matrix = layout.weights[weights : weights + rows * paired(columns)].reshape(rows, -1)[:, :columns]
        sums = matrix.astype(np.float32) @ x
        sums += layout.biases[biases : biases + rows, None]
        if linear and number == begin + count - 1:
            with np.errstate(over="ignore"):  # a stream may say so; infinity is clipped as any other value
                outputs: NDArray[Any] = sums.astype(np.float64) * layout.scales[number]
            return outputs
        np.multiply(sums, np.float32(layout.scales[number]), out=sums)
        phase = np.rint(sums, out=sums).astype(np.int32)
        x = sine_table().take(np.bitwise_and(phase, TURN - 1, out=phase))
    return x
