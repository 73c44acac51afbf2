"""The innermost loops of the compiled decoder, written in LLVM's own instructions.

Activations and weights fit 16 bits, so that processors multiply them in pairs and add them in 32 bits, exactly; the
sine is a polynomial whose rounded value is the table's at each of its entries (a test checks all of them, fused or
not). The instructions are LLVM's, so that every processor has them; on x86 the one for sums of products is named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.emitter import F32, I32, Emitter
from tinc_codec.tree.inference import TURN

SINE = tuple(
    float.fromhex(c)
    for c in ("0x1.921fb4p+0", "-0x1.4abbb6p-21", "0x1.46676cp-44", "-0x1.3232dap-68", "0x1.3c4958p-93")
)
"""Coefficients of v, v^3, v^5, ... in AMPLITUDE * sin(pi v / 2048) for v from -1024 to 1024; float32."""

VECTOR = 16
"""Local coordinates that are worked on at once, whatever the processor's registers hold."""

TILE = 128
"""Local coordinates that go down the tree together; a multiple of `VECTOR`."""

_I1, _I16 = ir.IntType(1), ir.IntType(16)


class _Emitter(Emitter):
    """Writes LLVM's instructions for vectors of as many lanes as the processor's registers have.

    Parameters
    ----------
    features
        Of the target, in LLVM's words. x86 has an instruction for sums of two products; elsewhere they are spelt out.
    """

    def __init__(self, builder: Any, features: str) -> None:
        self.product, lanes = "", 8
        if "+avx512bw" in features:
            self.product, lanes = "llvm.x86.avx512.pmaddw.d.512", 16
        elif "+avx2" in features:
            self.product = "llvm.x86.avx2.pmadd.wd"
        super().__init__(builder, lanes)
        self.shorts = ir.VectorType(_I16, 2 * lanes)

    def multiplied(self, total: Any, pairs: Any, weights: Any) -> Any:
        """`total`, plus pairs of activations times one pair of weights."""
        b = self.b
        if self.product:
            weight = b.bitcast(self.splat(weights), self.shorts)
            return b.add(total, self.call(self.product, self.ints, pairs, weight))
        both, sixteen = b.bitcast(pairs, self.ints), ir.Constant(I32, 16)
        shift = self.all(I32, 16)
        first = b.mul(b.ashr(b.shl(both, shift), shift), self.splat(b.ashr(b.shl(weights, sixteen), sixteen)))
        return b.add(total, b.add(first, b.mul(b.ashr(both, shift), self.splat(b.ashr(weights, sixteen)))))

    def sine(self, total: Any, scale: Any) -> Any:
        """``T[rint(total * scale) mod 4096]`` of FORMAT.md, "Evaluation", in the low 16 bits."""
        b, rint = self.b, f"llvm.rint.v{self.lanes}f32"
        turn = self.call(rint, self.floats, b.fmul(b.sitofp(total, self.floats), scale))
        quarter = b.add(b.fptosi(turn, self.ints), self.all(I32, TURN // 4))
        folded = b.sub(b.and_(quarter, self.all(I32, TURN - 1)), self.all(I32, TURN // 2))
        distance = self.call(f"llvm.abs.v{self.lanes}i32", self.ints, folded, ir.Constant(_I1, 0))
        v = b.sitofp(b.sub(self.all(I32, TURN // 4), distance), self.floats)
        square, value = b.fmul(v, v), self.all(F32, SINE[-1])
        for coefficient in SINE[-2::-1]:
            value = self.plus_product(self.all(F32, coefficient), square, value)
        rounded = b.fptosi(self.call(rint, self.floats, b.fmul(v, value)), self.ints)
        return b.and_(rounded, self.all(I32, 0xFFFF))


def _rows(rows: int, linear: bool) -> Any:
    """Code for `VECTOR` coordinates and some rows of a layer: sums where it is linear, else pairs of sines."""

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
                return e.pointer(data[place], index, kind)

            parts = range(VECTOR // e.lanes)
            totals = [[cgutils.alloca_once(b, e.ints) for _ in parts] for _ in range(rows)]
            for row in range(rows):
                bias = e.splat(b.load(at(6, e.plus(biases_at, row), I32)))
                for part in parts:
                    b.store(bias, totals[row][part])
            with cgutils.for_range(b, pairs) as loop:
                begin = b.add(x_at, b.mul(loop.index, x_step))
                values = [b.load(at(0, e.plus(begin, part * 2 * e.lanes), e.shorts), align=2) for part in parts]
                for row in range(rows):
                    step = b.mul(pairs, ir.Constant(pairs.type, row))
                    weight = b.load(at(3, b.add(b.add(weights_at, step), loop.index), I32))
                    for part in parts:
                        total = totals[row][part]
                        b.store(e.multiplied(b.load(total), values[part], weight), total)
            scales = e.splat(scale)
            for row in range(0, rows, 2):
                for part in parts:
                    if linear:
                        b.store(b.load(totals[row][part]), at(9, e.plus(y_at, part * e.lanes), e.ints), align=4)
                        continue
                    both = e.sine(b.load(totals[row][part]), scales)
                    if row + 1 < rows:
                        second = e.sine(b.load(totals[row + 1][part]), scales)
                        both = b.or_(both, b.shl(second, e.all(I32, 16)))
                    place = b.add(y_at, b.mul(y_step, ir.Constant(y_step.type, row // 2)))
                    b.store(both, at(9, e.plus(place, part * 2 * e.lanes), e.ints), align=2)
            return context.get_dummy_value()

        return signature, generate

    return evaluate


_four, _three, _two, _one, _sum = _rows(4, False), _rows(3, False), _rows(2, False), _rows(1, False), _rows(1, True)


@jit
def sines(
    x: Any, weights: Any, at: int, biases: Any, biases_at: int, rows: int, pairs: int, scale: Any, y: Any, n: int
) -> None:
    """One layer at `n` coordinates: pairs of activations in, pairs out, each ``(pairs, 2 * TILE)`` flat."""
    step = 2 * TILE
    for t in range(0, 2 * n, 2 * VECTOR):
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
def sums(x: Any, weights: Any, at: int, biases: Any, biases_at: int, pairs: int, y: Any, n: int) -> None:
    """A linear layer of one row at `n` coordinates: pairs of activations in, sums out."""
    for t in range(0, n, VECTOR):
        _sum(x, 2 * t, 2 * TILE, weights, at, pairs, biases, biases_at, np.float32(0), y, t, TILE)
