"""LLVM's own instructions for vectors, as the innermost loops are written in them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils

I32, F32 = ir.IntType(32), ir.FloatType()


class Emitter:
    """Writes instructions for vectors of so many lanes.

    Parameters
    ----------
    builder
        Of numba's, where they go.
    lanes
        Numbers of 32 bits in a vector.
    """

    def __init__(self, builder: Any, lanes: int) -> None:
        self.b, self.lanes = builder, lanes
        self.ints, self.floats = ir.VectorType(I32, lanes), ir.VectorType(F32, lanes)

    def call(self, name: str, result: Any, *arguments: Any) -> Any:
        """The result of one of LLVM's functions."""
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), arguments)

    def all(self, kind: Any, value: float) -> Any:
        """A constant in every lane."""
        return ir.Constant(ir.VectorType(kind, self.lanes), [ir.Constant(kind, value)] * self.lanes)

    def splat(self, value: Any) -> Any:
        """A number in every lane."""
        nothing = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        first = self.b.insert_element(nothing, value, ir.Constant(I32, 0))
        return self.b.shuffle_vector(first, nothing, self.all(I32, 0))

    def plus_product(self, total: Any, a: Any, b: Any) -> Any:
        """``a * b + total`` of floats, rounded once or twice."""
        return self.call(f"llvm.fmuladd.v{self.lanes}f32", self.floats, a, b, total)

    def plus(self, index: Any, number: int) -> Any:
        """An index that is so many further."""
        return self.b.add(index, ir.Constant(index.type, number))

    def pointer(self, data: Any, index: Any, kind: Any) -> Any:
        """Where in an array's data something of a kind begins."""
        return self.b.bitcast(self.b.gep(data, [index]), kind.as_pointer())
