"""The kernel that decodes: a chain of integer layers, whose bytes are those of `tinc_codec.tree.inference`.

Sums of integers below 2^24 are exact in float32; the rest is one product that is rounded once, so that the kernel must
be compiled without fused multiply-adds, and a table.
"""

from __future__ import annotations

import triton
import triton.language as tl

from tinc_codec.backends.triton.sine import affine, head, loaded

PRECISION = "ieee"
"""How products are done: exactly, by plain float32 arithmetic."""

_TURN = tl.constexpr(4096)


@triton.jit
def _rounded(value):
    """The nearest integer, of two that are as near the even one; exact for every float32."""
    below = tl.floor(value)
    rest = value - below
    odd = below - 2.0 * tl.floor(below * 0.5) == 1.0
    return tl.where((rest > 0.5) | ((rest == 0.5) & odd), below + 1.0, below)


@triton.jit
def _activation(sums, scale, table):
    """Look up the sine of sums that a scale brings to units of the table."""
    phase = _rounded(sums * scale).to(tl.int32)
    return tl.load(table + (phase & (_TURN - 1)))


@triton.jit
def decode(
    x, theta, y, offsets, parents, scales, table, first, points, columns, width,
    LAYERS: tl.constexpr, LINEAR: tl.constexpr, TILE: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr,
    PRODUCT: tl.constexpr,
):  # fmt: skip
    """Evaluate a chain of one chunk; the grid is ``(tiles, nodes)``.

    Of leaves `y` gets the sums, which are not scaled; else activations.
    """
    node = tl.program_id(1).to(tl.int64)
    point = tl.program_id(0).to(tl.int64) * TILE + tl.arange(0, TILE)
    a = loaded(x, tl.load(parents + node).to(tl.int64) * columns, columns, points, point, WIDE)
    weights, biases = tl.load(offsets) + node * width * columns, tl.load(offsets + 1) + node * width
    sums = affine(a, theta, weights, biases, width, columns, WIDE, BLOCK, PRODUCT)
    a = _activation(sums, tl.load(scales), table)
    for layer in tl.static_range(1, LAYERS):
        weights = tl.load(offsets + 4 * layer) + node * width * width
        biases = tl.load(offsets + 4 * layer + 1) + node * width
        sums = affine(a, theta, weights, biases, width, width, BLOCK, BLOCK, PRODUCT)
        a = _activation(sums, tl.load(scales + layer), table)
    if LINEAR:
        weights, biases = tl.load(offsets + 4 * LAYERS) + node * width, tl.load(offsets + 4 * LAYERS + 1) + node
        outputs, _ = head(a, theta, weights, biases, width, BLOCK)
        tl.store(y + (first + node) * points + point, outputs, mask=point < points)
    else:
        row = tl.arange(0, BLOCK)[None, :]
        inside = (row < width) & (point < points)[:, None]
        tl.store(y + ((first + node) * width + row) * points + point[:, None], a, mask=inside)
