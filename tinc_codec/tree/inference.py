"""The reference decoder: a model's intensities by integer arithmetic in NumPy (DESIGN 2, FORMAT.md).

Sums of integers below 2^24 are exact in float32 whatever their order, so that a matrix product may do them; everything
after it is one rounding that IEEE 754 defines. The bytes are therefore the same on every machine and device.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.tree.model import AMPLITUDE, Model
from tinc_codec.tree.partition import Partition

TURN = 4096
"""Entries of the sine table: one turn."""

_TILE = 2**21
"""Activations that one tile keeps at a time; a working set of about 8 MB."""


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
    axes = [(2 * AMPLITUDE * (2 * np.arange(n) + 1 - n) + n) // (2 * n) for n in cells]
    grid = np.meshgrid(*axes, indexing="ij")
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


def evaluate(model: Model, coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
    """Outputs of every leaf, ``(leaves, points)``, at integer local `coordinates`, ``(axes, points)``."""
    table = sine_table()

    def layer(number: int, x: NDArray[Any]) -> NDArray[Any]:
        tensor, values = model.tree.tensors[number], model.layers[number]
        above = len(x)
        w = values.weights.astype(np.float32).reshape(above, -1, tensor.columns)
        b = (values.biases * np.int32(values.multiplier)).astype(np.float32).reshape(above, -1, 1)
        sums = np.matmul(w, x)
        sums += b
        sums = sums.reshape(tensor.nodes, tensor.rows, x.shape[-1])
        if tensor.linear:
            with np.errstate(over="ignore"):  # a stream may say so; infinity is clipped as any other value
                outputs: NDArray[Any] = sums.astype(np.float64) * np.float64(values.scale)
            return outputs
        phase = np.rint(np.multiply(sums, np.float32(values.scale), out=sums), out=sums).astype(np.int32)
        sines: NDArray[Any] = table.take(np.bitwise_and(phase, TURN - 1, out=phase))
        return sines

    outputs: NDArray[np.float64] = model.tree.evaluate(coordinates[None], layer, np.concatenate)
    return outputs[:, 0]


def tile_size(model: Model) -> int:
    """Number of local coordinates to evaluate at a time."""
    widest = max((tensor.nodes * max(tensor.rows, tensor.columns) for tensor in model.tree.tensors), default=1)
    return max(16, _TILE // widest)


def constant_blocks(model: Model) -> NDArray[Any]:
    """All leaves' blocks, ``(leaves, cells)``, with the constant ones filled in."""
    partition: Partition = model.tree.partition
    count = math.prod(partition.leaf_grid)
    blocks = np.empty((count, math.prod(partition.leaf_shape)), model.dtype)
    rest = np.ones(count, bool)
    rest[model.tree.leaves] = False
    blocks[rest] = model.constants[:, None]
    return blocks


def decode(model: Model) -> NDArray[Any]:
    """Evaluate a model over its whole chunk.

    Returns
    -------
    ndarray
        Shape of the tree's partition, dtype of the model, C order.
    """
    blocks = constant_blocks(model)
    if len(model.tree.leaves):
        coordinates = local_coordinates(model.tree.partition.leaf_shape)
        tile = tile_size(model)
        for start in range(0, coordinates.shape[1], tile):
            part = slice(start, start + tile)
            blocks[model.tree.leaves, part] = to_intensity(evaluate(model, coordinates[:, part]), model)
    return model.tree.partition.from_blocks(blocks)
