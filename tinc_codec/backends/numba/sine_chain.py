"""Chains of sine layers on a CPU, with gradients: the twin of what kernels do on a device.

A tile of points goes through all of a node's layers while it lies in the processor's nearest cache; backwards, what the
layers gave is evaluated again, which takes less time than to fetch it from memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.sine_kernel import (
    LANES,
    TILE,
    add_products,
    sines,
    sines_and_cosines,
    sums,
    sums_times,
)
from tinc_codec.runtime.threads import evenly
from tinc_codec.tree import chains
from tinc_codec.tree.chains import Chain
from tinc_codec.tree.structure import Tree

_PARTS = 16
"""Parts of a chain's points whose gradients are summed alone, about, however many threads there are."""

_WORTH = 2e6
"""Multiply-adds that are worth a thread."""

_SINE = 12
"""Multiply-adds that a sine takes as long as."""

WIDEST = 64
"""Widest layer: a tile of wider ones does not lie in the nearest caches, and libraries for matrices do as well."""


def refusal(tree: Tree) -> str | None:
    """Why a tree is not evaluated; None: it is."""
    return chains.refusal(tree, WIDEST)


def forward(chain: Chain, theta: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
    """Fill the chain's part of its target slot.

    Parameters
    ----------
    theta
        Parameters of the tree, ``(chunks, parameters)``.
    x, y
        The source and target slots, ``(nodes, chunks, width, points)``.
    """
    parts = _parts(chain, x.shape[3])

    def some(begin: int, end: int) -> None:
        _forward(x, theta, y, chain.offsets, chain.parents, chain.first, _shape(chain), parts, begin, end)

    items = chain.nodes * len(theta) * parts
    evenly(some, items, _work(chain, x.shape[3]) / parts, _WORTH)


def backward(
    chain: Chain,
    theta: NDArray[np.float32],
    x: NDArray[np.float32],
    dy: NDArray[np.float32],
    dx: NDArray[np.float32] | None,
) -> NDArray[np.float32]:
    """Gradients of the chain's own parameters, ``(chunks, own)``, in the order of its places.

    Parameters
    ----------
    theta, x
        As in `forward`.
    dy
        Gradient of the target slot.
    dx
        Is filled with the gradients of what each node was given, ``(nodes, chunks, columns, points)``; None: nobody
        asks for them.
    """
    parts = _parts(chain, x.shape[3])
    gradients = np.empty((parts, len(theta), len(chain.places)), np.float32)
    inputs = np.empty((0, 0, 0, 0), np.float32) if dx is None else dx

    def some(begin: int, end: int) -> None:
        shape, offsets = _shape(chain), chain.offsets
        _backward(x, theta, dy, inputs, gradients, offsets, chain.parents, chain.first, shape, begin, end)

    items = chain.nodes * len(theta) * parts
    evenly(some, items, 4 * _work(chain, x.shape[3]) / parts, _WORTH)
    summed: NDArray[np.float32] = gradients.sum(0)
    return summed


def _shape(chain: Chain) -> tuple[int, int, int, int]:
    return chain.columns, chain.width, chain.layers, int(chain.linear)


def _parts(chain: Chain, points: int) -> int:
    """The same whatever chunks and threads there are, so that sums are."""
    return max(1, min(-(-points // TILE), _PARTS // chain.nodes))


def _work(chain: Chain, points: int) -> float:
    """Multiply-adds of a node, about."""
    products = chain.columns + (chain.layers - 1) * chain.width + chain.linear + _SINE * chain.layers
    return float(points * chain.width * products)


@jit
def _item(item: int, chunks: int, parts: int, points: int) -> Any:
    """Node, chunk and part of an item, and the points that the part begins and ends with."""
    part, rest = item % parts, item // parts
    tiles = (points + TILE - 1) // TILE
    begin, end = part * tiles // parts * TILE, (part + 1) * tiles // parts * TILE
    return rest // chunks, rest % chunks, part, begin, min(end, points)


@jit
def _layer_at(layer: int, columns: int, width: int, layers: int) -> Any:
    """Rows and columns of a layer, and where its matrix with biases begins among the chain's."""
    first = width * (columns + 1)
    if layer == 0:
        return width, columns, 0
    return (width if layer < layers else 1), width, first + (layer - 1) * width * (width + 1)


@jit
def _matrices(theta: Any, offsets: Any, node: int, shape: Any, out: Any) -> None:
    """A node's matrices, with biases as their last columns."""
    columns, width, layers, linear = shape
    for layer in range(layers + linear):
        rows, inner, at = _layer_at(layer, columns, width, layers)
        weights, biases = offsets[layer, 0] + node * rows * inner, offsets[layer, 1] + node * rows
        for row in range(rows):
            for column in range(inner):
                out[at + row * (inner + 1) + column] = theta[weights + row * inner + column]
            out[at + row * (inner + 1) + inner] = theta[biases + row]


@jit
def _transposed(matrices: Any, shape: Any, out: Any) -> None:
    """The same without biases, columns as rows, each beginning where its matrix does."""
    columns, width, layers, linear = shape
    for layer in range(layers + linear):
        rows, inner, at = _layer_at(layer, columns, width, layers)
        for row in range(rows):
            for column in range(inner):
                out[at + column * rows + row] = matrices[at + row * (inner + 1) + column]


@jit
def _numbers(shape: Any) -> Any:
    """Numbers that a node's matrices have."""
    columns, width, layers, linear = shape
    rows, inner, at = _layer_at(layers + linear - 1, columns, width, layers)
    return at + rows * (inner + 1)


@jit
def _enter(x: Any, begin: int, end: int, out: Any, at: int) -> None:
    """Copy rows of some points into a tile, and zeros behind them."""
    for row in range(len(x)):
        place = at + row * TILE
        for point in range(end - begin):
            out[place + point] = x[row, begin + point]
        for point in range(end - begin, TILE):
            out[place + point] = 0


@jit
def _leave(tile: Any, at: int, begin: int, end: int, y: Any) -> None:
    for row in range(len(y)):
        for point in range(end - begin):
            y[row, begin + point] = tile[at + row * TILE + point]


@jit
def _forward(
    x: Any, theta: Any, y: Any, offsets: Any, parents: Any, first: int, shape: Any, parts: int, begin: int, end: int
) -> None:
    columns, width, layers, linear = shape
    matrices = np.empty(_numbers(shape), np.float32)
    given = np.ones((columns + 1) * TILE, np.float32)
    here, there = 0, (width + 1) * TILE
    values = np.ones(2 * (width + 1) * TILE, np.float32)
    for item in range(begin, end):
        node, chunk, _, start, stop = _item(item, len(theta), parts, x.shape[3])
        _matrices(theta[chunk], offsets, node, shape, matrices)
        source, target = x[parents[node], chunk], y[first + node, chunk]
        for point in range(start, stop, TILE):
            last = min(point + TILE, stop)
            _enter(source, point, last, given, 0)
            sines(matrices, 0, width, columns + 1, given, 0, values, here, values, 0)
            for layer in range(1, layers):
                at = _layer_at(layer, columns, width, layers)[2]
                sines(matrices, at, width, width + 1, values, here, values, there, values, 0)
                here, there = there, here
            if linear:
                at = _layer_at(layers, columns, width, layers)[2]
                sums(matrices, at, 1, width + 1, values, here, values, there, values, 0)
                here, there = there, here
            _leave(values, here, point, last, target)


@jit
def _backward(
    x: Any,
    theta: Any,
    dy: Any,
    dx: Any,
    gradients: Any,
    offsets: Any,
    parents: Any,
    first: int,
    shape: Any,
    begin: int,
    end: int,
) -> None:
    columns, width, layers, _ = shape
    parts, count = len(gradients), _numbers(shape)
    matrices, turned = np.empty(count, np.float32), np.empty(count, np.float32)
    totals = np.empty(count * LANES, np.float32)
    values = np.ones((columns + 1 + layers * (width + 1)) * TILE, np.float32)
    cosines = np.empty(layers * width * TILE, np.float32)
    widest = max(columns, width) * TILE
    slopes = np.empty(2 * widest, np.float32)
    for item in range(begin, end):
        node, chunk, part, start, stop = _item(item, len(theta), parts, x.shape[3])
        _matrices(theta[chunk], offsets, node, shape, matrices)
        _transposed(matrices, shape, turned)
        totals[:] = 0
        for point in range(start, stop, TILE):
            last = min(point + TILE, stop)
            _enter(x[parents[node], chunk], point, last, values, 0)
            _again(matrices, shape, values, cosines)
            _enter(dy[first + node, chunk], point, last, slopes, 0)
            here = _down(matrices, turned, shape, values, cosines, slopes, widest, totals, dx.size > 0)
            if dx.size:
                _leave(slopes, here, point, last, dx[node, chunk])
        _store(totals, offsets, node, shape, gradients[part, chunk])


@jit
def _values_at(layer: int, columns: int, width: int) -> Any:
    """Where a tile's values begin that a layer is given."""
    return 0 if layer == 0 else (columns + 1 + (layer - 1) * (width + 1)) * TILE


@jit
def _again(matrices: Any, shape: Any, values: Any, cosines: Any) -> None:
    """All sine layers of a tile, whose values are kept, and the cosines of their sums."""
    columns, width, layers, _ = shape
    for layer in range(layers):
        rows, inner, at = _layer_at(layer, columns, width, layers)
        given, to = _values_at(layer, columns, width), _values_at(layer + 1, columns, width)
        sines_and_cosines(matrices, at, rows, inner + 1, values, given, values, to, cosines, layer * width * TILE)


@jit
def _down(
    matrices: Any,
    turned: Any,
    shape: Any,
    values: Any,
    cosines: Any,
    slopes: Any,
    widest: int,
    totals: Any,
    inputs: bool,
) -> int:
    """Add a tile's share to the gradients of all matrices; where in `slopes` that of what was given begins."""
    columns, width, layers, linear = shape
    here, there = 0, widest
    if linear:
        at, given = _layer_at(layers, columns, width, layers)[2], _values_at(layers, columns, width)
        add_products(slopes, here, 1, values, given, width + 1, totals, at * LANES)
        sums_times(turned, at, width, 1, slopes, here, slopes, there, cosines, (layers - 1) * width * TILE)
        here, there = there, here
    else:
        of_last = (layers - 1) * width * TILE
        for number in range(width * TILE):
            slopes[number] *= cosines[of_last + number]
    for layer in range(layers - 1, -1, -1):
        rows, inner, at = _layer_at(layer, columns, width, layers)
        add_products(slopes, here, rows, values, _values_at(layer, columns, width), inner + 1, totals, at * LANES)
        if layer:
            sums_times(turned, at, inner, rows, slopes, here, slopes, there, cosines, (layer - 1) * width * TILE)
            here, there = there, here
        elif inputs:
            sums(turned, at, inner, rows, slopes, here, slopes, there, slopes, there)
            here, there = there, here
    return here


@jit
def _store(totals: Any, offsets: Any, node: int, shape: Any, out: Any) -> None:
    """Write the gradients of a node's parameters to where they are among the chain's own."""
    columns, width, layers, linear = shape
    for layer in range(layers + linear):
        rows, inner, at = _layer_at(layer, columns, width, layers)
        weights, biases = offsets[layer, 2] + node * rows * inner, offsets[layer, 3] + node * rows
        for row in range(rows):
            for column in range(inner + 1):
                place = (at + row * (inner + 1) + column) * LANES
                total = totals[place : place + LANES].sum()
                if column < inner:
                    out[weights + row * inner + column] = total
                else:
                    out[biases + row] = total
