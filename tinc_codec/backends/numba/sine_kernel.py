"""The innermost loops of training on a CPU, written in LLVM's own instructions: products, sines, sums of products.

Values are float32, of `TILE` points in a row. A layer's matrix has its biases as the last column, and what it is
multiplied with a last row of ones.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.emitter import F32, I32, Emitter

TILE = 128
"""Points that go through a chain together."""

LANES = 16
"""Points that are worked on at once, and sums that a product is kept as, whatever the processor's registers hold."""

PI = tuple(float.fromhex(c) for c in ("0x1.92p+1", "0x1.fb4p-11", "0x1.4442d2p-23"))
"""Pi in parts, the first of so few bits that products with whole numbers up to some thousands are exact."""

SINE = tuple(
    float.fromhex(c) for c in ("0x1p+0", "-0x1.55554ep-3", "0x1.110f02p-7", "-0x1.9f781ap-13", "0x1.5e2a3ep-19")
)
"""Coefficients of r, r^3, ... in sin(r) for r within half of pi; largest relative error 5e-9."""

COSINE = tuple(
    float.fromhex(c)
    for c in ("0x1p+0", "-0x1p-1", "0x1.555548p-5", "-0x1.6c138p-10", "0x1.9f6f7ep-16", "-0x1.180036p-22")
)
"""Coefficients of 1, r^2, ... in cos(r); largest error 3e-10."""

_WHOLE = 1.5 * 2**23
"""What makes float32 numbers whole that are added to it, with the last bit that of the whole number."""

SUMS, SINES, BOTH, TIMES = range(4)
"""What becomes of a layer's sums: nothing, sines, sines and cosines, or products with cosines."""


class _Emitter(Emitter):
    """Writes LLVM's instructions for vectors of `LANES` float32 numbers."""

    def __init__(self, builder: Any) -> None:
        super().__init__(builder, LANES)

    def polynomial(self, square: Any, coefficients: tuple[float, ...]) -> Any:
        value = self.all(F32, coefficients[-1])
        for coefficient in coefficients[-2::-1]:
            value = self.plus_product(self.all(F32, coefficient), square, value)
        return value

    def folded(self, phase: Any) -> tuple[Any, Any]:
        """A phase less a multiple of pi, and the sign that sine and cosine have where that is odd, as a bit."""
        b = self.b
        number = self.plus_product(self.all(F32, _WHOLE), phase, self.all(F32, 0.318309886))
        sign = b.shl(b.bitcast(number, self.ints), self.all(I32, 31))
        whole = b.fsub(number, self.all(F32, _WHOLE))
        for part in PI:
            phase = self.plus_product(phase, whole, self.all(F32, -part))
        return phase, sign

    def sine(self, rest: Any, sign: Any) -> Any:
        value = self.b.fmul(rest, self.polynomial(self.b.fmul(rest, rest), SINE))
        return self.b.bitcast(self.b.xor(self.b.bitcast(value, self.ints), sign), self.floats)

    def cosine(self, rest: Any, sign: Any) -> Any:
        value = self.polynomial(self.b.fmul(rest, rest), COSINE)
        return self.b.bitcast(self.b.xor(self.b.bitcast(value, self.ints), sign), self.floats)

    def load(self, data: Any, index: Any) -> Any:
        return self.b.load(self.pointer(data, index, self.floats), align=4)

    def store(self, value: Any, data: Any, index: Any) -> None:
        self.b.store(value, self.pointer(data, index, self.floats), align=4)

    def finish(self, what: int, value: Any, y: Any, y_at: Any, c: Any, c_at: Any) -> None:
        """Write what becomes of a layer's sums."""
        if what == TIMES:
            value = self.b.fmul(value, self.load(c, c_at))
        if what in (SINES, BOTH):
            folded = self.folded(value)
            value = self.sine(*folded)
            if what == BOTH:
                self.store(self.cosine(*folded), c, c_at)
        self.store(value, y, y_at)


def _wide(context: Any) -> bool:
    """Whether registers hold `LANES` numbers: there are twice as many then, too."""
    return "+avx512f" in context.codegen().magic_tuple()[2]


def _rows(rows: int, what: int) -> Any:
    """Code for some rows of a layer at a tile's points."""

    @intrinsic
    def evaluate(
        _: Any, weights: Any, weights_at: Any, columns: Any, x: Any, x_at: Any, y: Any, y_at: Any, c: Any, c_at: Any
    ) -> Any:
        n = types.intp
        signature = types.void(weights, n, n, x, n, y, n, c, n)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            e, b = _Emitter(builder), builder
            data = [
                context.make_array(signature.args[place])(context, b, arguments[place]).data for place in (0, 3, 5, 7)
            ]
            weights, x, y, c = data
            _, weights_at, columns, _, x_at, _, y_at, _, c_at = arguments
            at_once = range(2 if _wide(context) else 1)
            length, step = ir.Constant(columns.type, TILE), len(at_once) * LANES
            totals = [[cgutils.alloca_once(b, e.floats) for _ in at_once] for _ in range(rows)]
            with cgutils.for_range(b, ir.Constant(columns.type, TILE // step)) as tile:
                begin = b.mul(tile.index, ir.Constant(columns.type, step))
                for total in (total for row in totals for total in row):
                    b.store(e.all(F32, 0.0), total)
                with cgutils.for_range(b, columns) as loop:
                    place = b.add(b.add(x_at, begin), b.mul(loop.index, length))
                    values = [e.load(x, e.plus(place, part * LANES)) for part in at_once]
                    for number, row in enumerate(totals):
                        own = b.add(weights_at, b.mul(columns, ir.Constant(columns.type, number)))
                        weight = e.splat(b.load(b.gep(weights, [b.add(own, loop.index)])))
                        for total, value in zip(row, values, strict=True):
                            b.store(e.plus_product(b.load(total), value, weight), total)
                for number, row in enumerate(totals):
                    for part in at_once:
                        to = e.plus(begin, number * TILE + part * LANES)
                        e.finish(what, b.load(row[part]), y, b.add(y_at, to), c, b.add(c_at, to))
            return context.get_dummy_value()

        return signature, generate

    return evaluate


def _layer(what: int) -> Any:
    """A layer at a tile's points, as many rows at once as registers hold."""
    eight, four, two, one = (_rows(rows, what) for rows in (8, 4, 2, 1))

    @jit
    def evaluate(
        weights: Any, at: int, rows: int, columns: int, x: Any, x_at: int, y: Any, y_at: int, c: Any, c_at: int
    ) -> None:
        row = 0
        while row + 8 <= rows:
            to = row * TILE
            eight(weights, at + row * columns, columns, x, x_at, y, y_at + to, c, c_at + to)
            row += 8
        if row + 4 <= rows:
            to = row * TILE
            four(weights, at + row * columns, columns, x, x_at, y, y_at + to, c, c_at + to)
            row += 4
        if row + 2 <= rows:
            to = row * TILE
            two(weights, at + row * columns, columns, x, x_at, y, y_at + to, c, c_at + to)
            row += 2
        if row < rows:
            to = row * TILE
            one(weights, at + row * columns, columns, x, x_at, y, y_at + to, c, c_at + to)

    return evaluate


sums, sines, sines_and_cosines, sums_times = (_layer(what) for what in (SUMS, SINES, BOTH, TIMES))


def _outer(rows: int, columns: int) -> Any:
    """Code that adds the products of some rows of one and of another matrix, over a tile's points."""

    @intrinsic
    def add(_: Any, g: Any, g_at: Any, h: Any, h_at: Any, totals: Any, at: Any, step: Any) -> Any:
        n = types.intp
        signature = types.void(g, n, h, n, totals, n, n)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            e, b = _Emitter(builder), builder
            g, h, totals = (
                context.make_array(signature.args[place])(context, b, arguments[place]).data for place in (0, 2, 4)
            )
            _, g_at, _, h_at, _, at, step = arguments
            kept = [[cgutils.alloca_once(b, e.floats) for _ in range(columns)] for _ in range(rows)]

            def place(row: int, column: int) -> Any:
                return e.plus(b.add(at, b.mul(step, ir.Constant(step.type, row))), column * LANES)

            for row in range(rows):
                for column in range(columns):
                    b.store(e.load(totals, place(row, column)), kept[row][column])
            with cgutils.for_range(b, ir.Constant(step.type, TILE // LANES)) as loop:
                begin = b.mul(loop.index, ir.Constant(step.type, LANES))
                ones = [e.load(g, b.add(g_at, e.plus(begin, row * TILE))) for row in range(rows)]
                others = [e.load(h, b.add(h_at, e.plus(begin, column * TILE))) for column in range(columns)]
                for row in range(rows):
                    for column in range(columns):
                        total = kept[row][column]
                        b.store(e.plus_product(b.load(total), ones[row], others[column]), total)
            for row in range(rows):
                for column in range(columns):
                    e.store(b.load(kept[row][column]), totals, place(row, column))
            return context.get_dummy_value()

        return signature, generate

    return add


_four_by_four, _one_by_four, _four_by_one, _one_by_one = _outer(4, 4), _outer(1, 4), _outer(4, 1), _outer(1, 1)


@jit
def add_products(g: Any, g_at: int, rows: int, h: Any, h_at: int, columns: int, totals: Any, at: int) -> None:
    """Add to each sum ``(rows, columns, LANES)`` the products of a row of `g` and of `h` at a tile's points."""
    step = columns * LANES
    row = 0
    while row < rows:
        many = row + 4 <= rows
        column = 0
        while column < columns:
            more = column + 4 <= columns
            g_row, h_row, to = g_at + row * TILE, h_at + column * TILE, at + row * step + column * LANES
            if many and more:
                _four_by_four(g, g_row, h, h_row, totals, to, step)
            elif many:
                _four_by_one(g, g_row, h, h_row, totals, to, step)
            elif more:
                _one_by_four(g, g_row, h, h_row, totals, to, step)
            else:
                _one_by_one(g, g_row, h, h_row, totals, to, step)
            column += 4 if more else 1
        row += 4 if many else 1
