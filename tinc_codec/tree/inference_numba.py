"""The fast decoder on a CPU, compiled by numba; the same bytes as `tinc_codec.tree.inference`.

A tile of local coordinates goes down the tree leaf by leaf, in cache. Activations and weights fit 16 bits, so that
processors multiply them in pairs and add them in 32 bits, exactly; the sine is a polynomial whose rounded value is the
table's at each of its entries (a test checks all of them, fused or not).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from tinc_codec.tree.inference import TURN
from tinc_codec.tree.jit import jit
from tinc_codec.tree.paths import Paths
from tinc_codec.tree.threads import side_by_side
from tinc_codec.tree.wanted import Piece

SINE = tuple(
    float.fromhex(c)
    for c in ("0x1.921fb4p+0", "-0x1.4abbb6p-21", "0x1.46676cp-44", "-0x1.3232dap-68", "0x1.3c4958p-93")
)
"""Coefficients of v, v^3, v^5, ... in AMPLITUDE * sin(pi v / 2048) for v from -1024 to 1024; float32."""

LANES = 16
"""Local coordinates that are worked on at once, whatever the processor's registers hold."""

TILE = 128
"""Local coordinates that go down the tree together; a multiple of `LANES`."""

WORTH = 2**21
"""Multiply-adds that are worth a further thread."""

_I1, _I16, _I32, _F32 = ir.IntType(1), ir.IntType(16), ir.IntType(32), ir.FloatType()


class _Emitter:
    """Writes LLVM's instructions for vectors of as many lanes as the processor's registers have.

    Parameters
    ----------
    features
        Of the target, in LLVM's words. x86 has an instruction for sums of two products; elsewhere they are spelt out.
    """

    def __init__(self, builder: Any, features: str) -> None:
        self.b = builder
        self.product, self.lanes = "", 8
        if "+avx512bw" in features:
            self.product, self.lanes = "llvm.x86.avx512.pmaddw.d.512", 16
        elif "+avx2" in features:
            self.product = "llvm.x86.avx2.pmadd.wd"
        self.ints, self.floats = ir.VectorType(_I32, self.lanes), ir.VectorType(_F32, self.lanes)
        self.shorts = ir.VectorType(_I16, 2 * self.lanes)

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), arguments)

    def all(self, kind: Any, value: float) -> Any:
        return ir.Constant(ir.VectorType(kind, self.lanes), [ir.Constant(kind, value)] * self.lanes)

    def splat(self, value: Any) -> Any:
        nothing = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        first = self.b.insert_element(nothing, value, ir.Constant(_I32, 0))
        return self.b.shuffle_vector(first, nothing, self.all(_I32, 0))

    def multiplied(self, total: Any, pairs: Any, weights: Any) -> Any:
        """`total`, plus pairs of activations times one pair of weights."""
        b = self.b
        if self.product:
            weight = b.bitcast(self.splat(weights), self.shorts)
            return b.add(total, self.call(self.product, self.ints, pairs, weight))
        both, sixteen = b.bitcast(pairs, self.ints), ir.Constant(_I32, 16)
        shift = self.all(_I32, 16)
        first = b.mul(b.ashr(b.shl(both, shift), shift), self.splat(b.ashr(b.shl(weights, sixteen), sixteen)))
        return b.add(total, b.add(first, b.mul(b.ashr(both, shift), self.splat(b.ashr(weights, sixteen)))))

    def sine(self, total: Any, scale: Any) -> Any:
        """``T[rint(total * scale) mod 4096]`` of FORMAT.md, "Evaluation", in the low 16 bits."""
        b, rint = self.b, f"llvm.rint.v{self.lanes}f32"
        turn = self.call(rint, self.floats, b.fmul(b.sitofp(total, self.floats), scale))
        quarter = b.add(b.fptosi(turn, self.ints), self.all(_I32, TURN // 4))
        folded = b.sub(b.and_(quarter, self.all(_I32, TURN - 1)), self.all(_I32, TURN // 2))
        distance = self.call(f"llvm.abs.v{self.lanes}i32", self.ints, folded, ir.Constant(_I1, 0))
        v = b.sitofp(b.sub(self.all(_I32, TURN // 4), distance), self.floats)
        square, value = b.fmul(v, v), self.all(_F32, SINE[-1])
        for coefficient in SINE[-2::-1]:
            value = self.call(f"llvm.fmuladd.v{self.lanes}f32", self.floats, square, value, self.all(_F32, coefficient))
        rounded = b.fptosi(self.call(rint, self.floats, b.fmul(v, value)), self.ints)
        return b.and_(rounded, self.all(_I32, 0xFFFF))


def _rows(rows: int, linear: bool) -> Any:
    """Code for `LANES` coordinates and some rows of a layer: sums where it is linear, else pairs of sines."""

    @intrinsic
    def evaluate(
        _: Any,
        x: Any, x_at: Any, x_step: Any,
        weights: Any, weights_at: Any, pairs: Any,
        biases: Any, biases_at: Any,
        scale: Any,
        y: Any, y_at: Any, y_step: Any,
    ) -> Any:  # fmt: skip
        n = types.intp
        signature = types.void(x, n, n, weights, n, n, biases, n, types.float32, y, n, n)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            e, b = _Emitter(builder, context.codegen().magic_tuple()[2]), builder
            data = {
                place: context.make_array(signature.args[place])(context, b, arguments[place]).data
                for place in (0, 3, 6, 9)
            }
            _, x_at, x_step, _, weights_at, pairs, _, biases_at, scale, _, y_at, y_step = arguments

            def at(place: int, index: Any, kind: Any) -> Any:
                return b.bitcast(b.gep(data[place], [index]), kind.as_pointer())

            def plus(index: Any, number: int) -> Any:
                return b.add(index, ir.Constant(index.type, number))

            parts = range(LANES // e.lanes)
            totals = [[cgutils.alloca_once(b, e.ints) for _ in parts] for _ in range(rows)]
            for row in range(rows):
                bias = e.splat(b.load(at(6, plus(biases_at, row), _I32)))
                for part in parts:
                    b.store(bias, totals[row][part])
            with cgutils.for_range(b, pairs) as loop:
                begin = b.add(x_at, b.mul(loop.index, x_step))
                values = [b.load(at(0, plus(begin, part * 2 * e.lanes), e.shorts), align=2) for part in parts]
                for row in range(rows):
                    step = b.mul(pairs, ir.Constant(pairs.type, row))
                    weight = b.load(at(3, b.add(b.add(weights_at, step), loop.index), _I32))
                    for part in parts:
                        total = totals[row][part]
                        b.store(e.multiplied(b.load(total), values[part], weight), total)
            scales = e.splat(scale)
            for row in range(0, rows, 2):
                for part in parts:
                    if linear:
                        b.store(b.load(totals[row][part]), at(9, plus(y_at, part * e.lanes), e.ints), align=4)
                        continue
                    both = e.sine(b.load(totals[row][part]), scales)
                    if row + 1 < rows:
                        second = e.sine(b.load(totals[row + 1][part]), scales)
                        both = b.or_(both, b.shl(second, e.all(_I32, 16)))
                    place = b.add(y_at, b.mul(y_step, ir.Constant(y_step.type, row // 2)))
                    b.store(both, at(9, plus(place, part * 2 * e.lanes), e.ints), align=2)
            return context.get_dummy_value()

        return signature, generate

    return evaluate


_four, _three, _two, _one, _sum = _rows(4, False), _rows(3, False), _rows(2, False), _rows(1, False), _rows(1, True)


@jit
def _sines(
    x: Any, weights: Any, at: int, biases: Any, biases_at: int, rows: int, pairs: int, scale: Any, y: Any, n: int
) -> None:
    """One layer at `n` coordinates: pairs of activations in, pairs out, each ``(pairs, 2 * TILE)`` flat."""
    step = 2 * TILE
    for t in range(0, 2 * n, 2 * LANES):
        row = 0
        while row + 4 <= rows:
            place = (row // 2) * step + t
            _four(x, t, step, weights, at + row * pairs, pairs, biases, biases_at + row, scale, y, place, step)
            row += 4
        place = (row // 2) * step + t
        if rows - row == 3:
            _three(x, t, step, weights, at + row * pairs, pairs, biases, biases_at + row, scale, y, place, step)
        elif rows - row == 2:
            _two(x, t, step, weights, at + row * pairs, pairs, biases, biases_at + row, scale, y, place, step)
        elif rows - row == 1:
            _one(x, t, step, weights, at + row * pairs, pairs, biases, biases_at + row, scale, y, place, step)


@jit
def _store(sums: Any, scale: float, limits: Any, wide: Any, kind: int, output: Any, start: int, offsets: Any) -> None:
    """`tinc_codec.tree.inference.to_intensity` of a tile's sums, into the output."""
    n = len(offsets)
    if kind == 0:  # integers of up to 32 bits
        offset, low, high = np.int64(limits[0]), np.int64(limits[1]), np.int64(limits[2])
        for t in range(n):
            step = min(max(np.rint(np.float64(sums[t]) * scale), -1099511627776.0), 1099511627776.0)
            output[start + offsets[t]] = min(max(offset + np.int64(step), low), high)
    elif kind == 1:  # of 64 bits, modulo 2^64
        for t in range(n):
            step = min(max(np.rint(np.float64(sums[t]) * scale), -9223372036854774784.0), 9223372036854774784.0)
            if step >= 0:
                output[start + offsets[t]] = wide[0] + min(np.uint64(np.int64(step)), wide[1])
            else:
                output[start + offsets[t]] = wide[0] - min(np.uint64(np.int64(-step)), wide[2])
    else:
        for t in range(n):
            value = np.float64(sums[t]) * scale
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
    sums = np.zeros(TILE, np.int32)
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
                        for i in range(0, n, LANES):
                            _sum(
                                x, 2 * i, step, weights, at, pairs, biases, layers[row, 1], np.float32(0), sums, i, TILE
                            )
                        _store(sums, scales[row], limits, wide, kind, output, starts[leaf], offsets[t : t + n])
                        continue
                    y = held[level + 1] if layer == count[level] - 1 else spare[layer % 2]
                    scale = np.float32(scales[row])
                    _sines(x, weights, at, biases, layers[row, 1], layers[row, 2], pairs, scale, y, n)
                    x = y


def _limits(paths: Paths) -> tuple[NDArray[np.float64], NDArray[np.uint64], int]:
    """Offset, low and high as floats; offset and the ways up and down from it modulo 2^64; the kind of samples."""
    model = paths.model
    if model.dtype.kind == "f":
        return np.array([model.offset, model.low, model.high], np.float64), np.zeros(3, np.uint64), 2
    offset, low, high = int(model.offset), int(model.low), int(model.high)
    wide = np.array([offset % 2**64, high - offset, offset - low], np.uint64)
    return np.array([offset, low, high], np.float64), wide, int(model.dtype.itemsize == 8)


def fill(paths: Paths, piece: Piece, output: NDArray[Any]) -> None:
    """Evaluate a piece into a flat array of the model's dtype; float64 for float16, which numba does not know."""
    for leaf, start in zip(piece.leaves, piece.starts, strict=True):
        if not paths.network[leaf]:
            output[start + piece.offsets] = paths.constants[leaf]
    chosen = paths.network[piece.leaves]
    leaves, starts = piece.leaves[chosen], piece.starts[chosen]
    if not len(leaves):
        return
    limits, wide, kind = _limits(paths)
    weights = paths.weights.view(np.int32)
    nodes = 1 + np.count_nonzero(np.diff(leaves // paths.below[:, None]), axis=1)
    each = int((paths.products * nodes * paths.below).sum()) // len(paths.network)

    def part(begin: int, end: int) -> None:
        _descend(
            weights, paths.biases, paths.layers, paths.scales, paths.first, paths.count, paths.below, paths.largest,
            leaves, starts, piece.coordinates, piece.offsets, limits, wide, kind, output, begin, end,
        )  # fmt: skip

    side_by_side(part, len(piece.offsets), max(LANES, WORTH // max(1, each)))
