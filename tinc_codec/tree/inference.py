"""The reference decoder: a model's intensities by integer arithmetic in NumPy (FORMAT.md, "Evaluation").

Sums of integers below 2^24 are exact in float32 whatever their order, so that a matrix product may do them; everything
after it is one rounding that IEEE 754 defines. The bytes are therefore the same on every machine and device.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

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

TILE, MOST_ACTIVATIONS = 2**12, 2**16
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
        kept = None
        if activations is not None:
            kept = activations.of(piece, lambda x: _nodes(layout, 0, np.zeros(1, np.int64), x[None])[0])
        given: NDArray[Any] = piece.coordinates if kept is None else kept
        first = 0 if kept is None else 1
        for begin in range(0, len(piece.offsets), tile):
            part = slice(begin, begin + tile)
            above = Outputs(np.zeros(1, np.int64), given[None, :, part].astype(np.float32, copy=False))
            for places, values in _leaves(layout, first, piece.leaves, above):
                output[piece.starts[places, None] + piece.offsets[part]] = values


def _networks(layout: NodeLayout, pieces: Iterable[Piece], output: NDArray[Any]) -> Iterator[Piece]:
    """Pieces at those of their leaves that have networks; the others' constants are filled in."""
    for piece in pieces:
        chosen = layout.network[piece.leaves]
        for leaf, start in zip(piece.leaves[~chosen], piece.starts[~chosen], strict=True):
            output[start + piece.offsets] = layout.constants[leaf]
        if chosen.any():
            yield replace(piece, leaves=piece.leaves[chosen], starts=piece.starts[chosen])


class Outputs(NamedTuple):
    """What nodes of one level, which are all as wide, gave at the same coordinates.

    Parameters
    ----------
    nodes
        Their numbers, ascending; int64, ``(nodes,)``.
    values
        Above the root the coordinates, of leaves the scaled sums, else activations; ``(nodes, width, points)``.
    """

    nodes: NDArray[np.int64]
    values: NDArray[Any]


def _leaves(
    layout: NodeLayout, level: int, leaves: NDArray[np.int64], above: Outputs
) -> Iterator[tuple[NDArray[np.intp], NDArray[Any]]]:
    """Samples of leaves, from what the level above `level` gave; each of their ancestors is evaluated once.

    Yields
    ------
    places, samples
        Which of `leaves` these are, and their samples, ``(places, points)``.
    """
    below = int(layout.below[level])
    of_leaves = leaves // below
    nodes = of_leaves[np.append(True, of_leaves[1:] != of_leaves[:-1])]
    for group in _alike(layout, level, nodes, above.values.shape):
        x = above.values
        if len(x) > 1:
            x = x[np.searchsorted(above.nodes, nodes[group] * below // int(layout.below[level - 1]))]
        outputs = Outputs(nodes[group], _nodes(layout, level, nodes[group], x))
        places = np.flatnonzero(np.isin(of_leaves, nodes[group]))
        if level == len(layout.below) - 1:
            yield places, to_intensity(outputs.values[:, 0], layout.model)
            continue
        for deeper, samples in _leaves(layout, level + 1, leaves[places], outputs):
            yield places[deeper], samples


def _alike(
    layout: NodeLayout, level: int, nodes: NDArray[np.int64], above: tuple[int, ...]
) -> Iterator[NDArray[np.intp]]:
    """Which of `nodes` are evaluated at a time: those of one class, as many as stay in the cache."""
    *_, columns, points = above
    classes = layout.model.tree.levels[level].classes[nodes]
    for klass in set(classes.tolist()):
        width = layout.model.tree.levels[level].widths[klass - 1]
        members = np.flatnonzero(classes == klass)
        most = max(1, MOST_ACTIVATIONS // (width * max(width, columns, points)))
        yield from (members[begin : begin + most] for begin in range(0, len(members), most))


def _nodes(layout: NodeLayout, level: int, nodes: NDArray[np.int64], x: NDArray[np.float32]) -> NDArray[Any]:
    """Outputs of nodes that have layers of the same shapes, ``(nodes, width, points)``.

    Parameters
    ----------
    x
        What their parents gave, ``(nodes, columns, points)``, or one parent of all of them.

    Returns
    -------
    array
        Of leaves the scaled sums, float64, of width 1; else activations, float32.
    """
    count = int(layout.count[level])
    begins = int(layout.first[level]) + nodes * count
    for number in range(count):
        table = layout.layers[begins + number]
        rows, columns = table[0, 2:].tolist()
        weights = _gathered(layout.weights, table[:, 0], rows * paired(columns)).reshape(len(nodes), rows, -1)
        sums = weights[:, :, :columns].astype(np.float32) @ x
        sums += _gathered(layout.biases, table[:, 1], rows)[:, :, None].astype(np.float32)
        scale = layout.scales[begins[0] + number]
        if level == len(layout.below) - 1 and number == count - 1:
            with np.errstate(over="ignore"):  # a stream may say so; infinity is clipped as any other value
                outputs: NDArray[Any] = sums.astype(np.float64) * scale
            return outputs
        np.multiply(sums, np.float32(scale), out=sums)
        phase = np.rint(sums, out=sums).astype(np.intp)
        # no index is outside the table; "clip" only spares NumPy a copy of the output
        x = np.take(sine_table(), np.bitwise_and(phase, TURN - 1, out=phase), out=sums, mode="clip")
    return x


def _gathered(numbers: NDArray[Any], begins: NDArray[np.int64], size: int) -> NDArray[Any]:
    """Of flat numbers the `size` from each of `begins` on."""
    if len(begins) == 1:
        return numbers[None, begins[0] : begins[0] + size]
    gathered: NDArray[Any] = numbers[begins[:, None] + np.arange(size)]
    return gathered
