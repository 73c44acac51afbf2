"""Kernels that train sine layers: a chain forwards, and backwards with its pre-activations made again.

A program holds a tile of points of one node of one chunk: its activations stay on chip, and only what the chain's last
layer gives goes to memory. Backwards, a program walks over several tiles and adds their weight gradients into numbers
of its own, which are summed after it: without atomic operations, so that gradients are the same at every run, and do
not depend on which other chunks are trained beside.
"""

from __future__ import annotations

import triton
import triton.language as tl

PRECISION = "tf32x3"
"""How products are done: by tensor cores, in three parts that together have a float32's bits."""


@triton.jit
def _sine_cosine(phase):
    """Sine and cosine within 2e-7 of phases within ±8192, from a quarter turn and what is left of it.

    Beyond, only training that diverges gets; what the device's library does there is many times as much code.
    """
    turn = tl.floor(phase * 0.6366197723675814 + 0.5)
    left = ((phase - turn * 1.5703125) - turn * 4.837512969970703e-4) - turn * 7.549789954891882e-8
    square = left * left
    odd = ((-1.9515295891e-4 * square + 8.3321608736e-3) * square - 1.6666654611e-1) * square * left + left
    even = ((2.443315711809948e-5 * square - 1.388731625493765e-3) * square + 4.166664568298827e-2) * square * square
    even += 1.0 - 0.5 * square
    quarter = turn.to(tl.int32)
    swapped = (quarter & 1) == 1
    sine, cosine = tl.where(swapped, even, odd), tl.where(swapped, odd, even)
    return tl.where((quarter & 2) == 0, sine, -sine), tl.where(((quarter + 1) & 2) == 0, cosine, -cosine)


@triton.jit
def _sine(phase):
    sine, _ = _sine_cosine(phase)
    return sine


@triton.jit
def _cosine(phase):
    _, cosine = _sine_cosine(phase)
    return cosine


@triton.jit
def affine(a, theta, weights, biases, rows, columns, WIDE: tl.constexpr, BLOCK: tl.constexpr, PRODUCT: tl.constexpr):
    """Sums ``(points, rows)`` of a layer, of inputs ``(points, columns)``."""
    column, row = tl.arange(0, WIDE)[:, None], tl.arange(0, BLOCK)[None, :]
    w = tl.load(theta + weights + row * columns + column, mask=(row < rows) & (column < columns), other=0.0)
    b = tl.load(theta + biases + row, mask=row < rows, other=0.0)
    return tl.dot(a, w, input_precision=PRODUCT) + b


@triton.jit
def loaded(x, first, columns, points, point, WIDE: tl.constexpr):
    """Values ``(points, columns)`` of a node, which lie column by column; 0 outside."""
    column = tl.arange(0, WIDE)[None, :]
    inside = (column < columns) & (point < points)[:, None]
    return tl.load(x + (first + column) * points + point[:, None], mask=inside, other=0.0)


@triton.jit
def head(a, theta, weights, biases, width, BLOCK: tl.constexpr):
    """Sums ``(points,)`` of a linear layer of one row, and its weights ``(1, width)``."""
    row = tl.arange(0, BLOCK)[None, :]
    w = tl.load(theta + weights + row, mask=row < width, other=0.0)
    return tl.sum(a * w, 1) + tl.load(theta + biases), w


@triton.jit
def forward(
    x, theta, y, offsets, parents, first, points, columns, width, parameters,
    LAYERS: tl.constexpr, LINEAR: tl.constexpr, TILE: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
    PRODUCT: tl.constexpr,
):  # fmt: skip
    """Evaluate a chain; the grid is ``(tiles, nodes, chunks)``."""
    node, chunk, chunks = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64), tl.num_programs(2)
    theta += chunk * parameters
    point = tl.program_id(0).to(tl.int64) * TILE + tl.arange(0, TILE)
    parent = tl.load(parents + node).to(tl.int64)
    a = loaded(x, (parent * chunks + chunk) * columns, columns, points, point, WIDE)
    weights, biases = tl.load(offsets) + node * width * columns, tl.load(offsets + 1) + node * width
    a = _sine(affine(a, theta, weights, biases, width, columns, WIDE, BLOCK, PRODUCT))
    for layer in tl.static_range(1, LAYERS):
        weights = tl.load(offsets + 4 * layer) + node * width * width
        biases = tl.load(offsets + 4 * layer + 1) + node * width
        a = _sine(affine(a, theta, weights, biases, width, width, BLOCK, BLOCK, PRODUCT))
    out = (first + node) * chunks + chunk
    if LINEAR:
        weights, biases = tl.load(offsets + 4 * LAYERS) + node * width, tl.load(offsets + 4 * LAYERS + 1) + node
        sums, _ = head(a, theta, weights, biases, width, BLOCK)
        tl.store(y + out * points + point, sums, mask=point < points)
    else:
        row = tl.arange(0, BLOCK)[None, :]
        inside = (row < width) & (point < points)[:, None]
        tl.store(y + (out * width + row) * points + point[:, None], a, mask=inside)


@triton.jit
def _add(gradient, values, inside):
    """Add to numbers that no other program has."""
    tl.store(gradient, tl.load(gradient, mask=inside, other=0.0) + values, mask=inside)


@triton.jit
def _add_layer(
    gradient, dz, a, weights, biases, rows, columns, WIDE: tl.constexpr, BLOCK: tl.constexpr, PRODUCT: tl.constexpr
):
    """Add a tile's gradients of a layer's weights and biases."""
    row, column = tl.arange(0, BLOCK), tl.arange(0, WIDE)[None, :]
    place = gradient + weights + row[:, None] * columns + column
    _add(place, tl.dot(tl.trans(dz), a, input_precision=PRODUCT), (row < rows)[:, None] & (column < columns))
    _add(gradient + biases + row, tl.sum(dz, 0), row < rows)


@triton.jit
def _back(dz, theta, weights, rows, columns, WIDE: tl.constexpr, BLOCK: tl.constexpr, PRODUCT: tl.constexpr):
    """Gradients ``(points, columns)`` of a layer's inputs."""
    row, column = tl.arange(0, BLOCK)[:, None], tl.arange(0, WIDE)[None, :]
    w = tl.load(theta + weights + row * columns + column, mask=(row < rows) & (column < columns), other=0.0)
    return tl.dot(dz, w, input_precision=PRODUCT)


@triton.jit
def backward(
    x, theta, dy, dx, gradient, offsets, parents, first, points, columns, width, parameters, own,
    LAYERS: tl.constexpr, LINEAR: tl.constexpr, INPUTS: tl.constexpr, TILE: tl.constexpr, WIDE: tl.constexpr,
    BLOCK: tl.constexpr, PRODUCT: tl.constexpr,
):  # fmt: skip
    """Gradients of a chain's parameters, and of its inputs where `INPUTS` says so.

    The grid is ``(parts, nodes, chunks)``; `gradient` is ``(parts, chunks, own)``, zeros at first; `dx` is
    ``(nodes, chunks, columns, points)``.
    """
    node, chunk, chunks = tl.program_id(1).to(tl.int64), tl.program_id(2).to(tl.int64), tl.num_programs(2)
    part = tl.program_id(0).to(tl.int64)
    theta += chunk * parameters
    gradient += (part * chunks + chunk) * own
    parent = tl.load(parents + node).to(tl.int64)
    above, below, here = (parent * chunks + chunk) * columns, (first + node) * chunks + chunk, node * chunks + chunk
    begin = tl.load(offsets) + node * width * columns
    for tile in range(tl.program_id(0), tl.cdiv(points, TILE), tl.num_programs(0)):
        point = tile * TILE + tl.arange(0, TILE)
        entry = loaded(x, above, columns, points, point, WIDE)
        sums = affine(entry, theta, begin, tl.load(offsets + 1) + node * width, width, columns, WIDE, BLOCK, PRODUCT)
        kept = (_sine(sums),)  # activations after each layer, on chip
        for layer in tl.static_range(1, LAYERS):
            weights = tl.load(offsets + 4 * layer) + node * width * width
            biases = tl.load(offsets + 4 * layer + 1) + node * width
            again = affine(kept[layer - 1], theta, weights, biases, width, width, BLOCK, BLOCK, PRODUCT)
            kept = kept + (_sine(again),)  # noqa: RUF005  # Triton has no stars
        if LINEAR:
            dsum = tl.load(dy + below * points + point, mask=point < points, other=0.0)[:, None]
            weights, biases = tl.load(offsets + 4 * LAYERS) + node * width, tl.load(offsets + 4 * LAYERS + 1) + node
            _, w = head(kept[LAYERS - 1], theta, weights, biases, width, BLOCK)
            row = tl.arange(0, BLOCK)
            mine = tl.load(offsets + 4 * LAYERS + 2) + node * width
            _add(gradient + mine + row, tl.sum(kept[LAYERS - 1] * dsum, 0), row < width)
            bias = gradient + tl.load(offsets + 4 * LAYERS + 3) + node
            tl.store(bias, tl.load(bias) + tl.sum(dsum))
            da = dsum * w
        else:
            da = loaded(dy, below * width, width, points, point, BLOCK)
        for down in tl.static_range(1, LAYERS):
            weights = tl.load(offsets + 4 * (LAYERS - down)) + node * width * width
            biases = tl.load(offsets + 4 * (LAYERS - down) + 1) + node * width
            a = kept[LAYERS - down - 1]
            dz = da * _cosine(affine(a, theta, weights, biases, width, width, BLOCK, BLOCK, PRODUCT))
            mine = tl.load(offsets + 4 * (LAYERS - down) + 2) + node * width * width
            mine_too = tl.load(offsets + 4 * (LAYERS - down) + 3) + node * width
            _add_layer(gradient, dz, a, mine, mine_too, width, width, BLOCK, BLOCK, PRODUCT)
            da = _back(dz, theta, weights, width, width, BLOCK, BLOCK, PRODUCT)
        dz = da * _cosine(sums)
        mine, mine_too = tl.load(offsets + 2) + node * width * columns, tl.load(offsets + 3) + node * width
        _add_layer(gradient, dz, entry, mine, mine_too, width, columns, WIDE, BLOCK, PRODUCT)
        if INPUTS:
            column = tl.arange(0, WIDE)[None, :]
            inside = (column < columns) & (point < points)[:, None]
            given = _back(dz, theta, begin, width, columns, WIDE, BLOCK, PRODUCT)
            tl.store(dx + (here * columns + column) * points + point[:, None], given, mask=inside)
        tl.debug_barrier()  # what one thread added, another one may read for the next tile
