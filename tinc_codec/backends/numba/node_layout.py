"""`tinc_codec.tree.node_layout.lay_out`, compiled by numba."""

from __future__ import annotations

from typing import Any

from tinc_codec.backends.numba.compiler import jit


@jit
def lay_out(
    tensors: Any, order: Any, first: Any, count: Any, multipliers: Any, scales: Any, biases: Any, where: Any,
    scaled: Any, multiplied: Any, network: Any,
) -> None:  # fmt: skip
    """Fill in what `NodeLayout` has.

    Parameters
    ----------
    tensors, order
        As `tinc_codec.backends.numba.structure.plan` gives them.
    first, count
        As `NodeLayout` has them.
    multipliers, scales, biases
        As `tinc_codec.tree.model.Parameters` has them.
    where, scaled, multiplied, network
        The layers, their scales, the biases and which leaves have a network: all 0 so far.
    """
    weight = bias = 0
    for t in range(len(tensors)):
        level, layer, begin, members, rows, columns, linear = tensors[t]
        for node in order[begin : begin + members]:
            row = first[level] + node * count[level] + layer
            where[row, 0], where[row, 1], where[row, 2], where[row, 3] = weight, bias, rows, columns
            scaled[row] = scales[t]
            weight += rows * (columns + columns % 2)
            for k in range(bias, bias + rows):
                multiplied[k] = biases[k] * multipliers[t]
            bias += rows
            if linear == 1:
                network[node] = True
