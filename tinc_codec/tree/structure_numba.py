"""The plan of `tinc_codec.tree.structure` as tables, compiled by numba, for a stream that is read."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.jit import jit

LAYERS, CLASSES, NODES, MASK = range(4)
"""What a row of a table of levels holds; the mask says which axes are halved on the way there."""

LEVEL, LAYER, BEGIN, MEMBERS, ROWS, COLUMNS, LINEAR = range(7)
"""What a row of a table of tensors holds: its level, which of the nodes' layers it is, its nodes as a part of `order`,
rows and columns, and whether it is linear."""


@jit
def plan(axes: int, levels: Any, widths: Any, classes: Any) -> Any:
    """Find the tensors of a tree.

    Parameters
    ----------
    axes
        Of the chunk.
    levels
        See `LAYERS`; int64, ``(levels, 4)``.
    widths
        Of each level's classes, from column 1 on; int64.
    classes
        Of the nodes of all levels, one level after the other; uint8.

    Returns
    -------
    tensors
        In the order in which they are stored, see `LEVEL`; int64, ``(tensors, 7)``.
    order
        Of each level the nodes that have a network, in the order of evaluation, from where `classes` has the level on;
        int64.
    """
    most, before = 0, 1
    for level in range(len(levels)):
        most += levels[level, CLASSES] * (before + levels[level, LAYERS])
        before = levels[level, CLASSES]
    tensors, order = np.empty((most, 7), np.int64), np.zeros(len(classes), np.int64)
    above, above_classes = np.zeros(1, np.int64), np.ones(1, np.uint8)
    number = begin = 0
    before, nodes = 1, 1
    for level in range(len(levels)):
        count, fanout = levels[level, CLASSES], levels[level, NODES] // nodes
        nodes = levels[level, NODES]
        pairs = _ordered(above, above_classes, before, fanout, count, classes[begin : begin + nodes], order[begin:])
        at = begin
        for klass in range(1, count + 1):
            first, width = at, widths[level, klass]
            for parent in range(1, before + 1):
                members = pairs[klass, parent]
                if members > 0:
                    columns = axes if level == 0 else widths[level - 1, parent]
                    _enter(tensors[number], level, 0, at, members, width, columns, 0)
                    number, at = number + 1, at + members
            if at == first:
                continue
            for layer in range(1, levels[level, LAYERS]):
                _enter(tensors[number], level, layer, first, at - first, width, width, 0)
                number += 1
            if level == len(levels) - 1:
                _enter(tensors[number], level, levels[level, LAYERS], first, at - first, 1, width, 1)
                number += 1
        above = order[begin:at]
        above_classes = classes[begin + above]
        before, begin = count, begin + nodes
    return tensors[:number], order


@jit
def _enter(
    row: Any, level: int, layer: int, begin: int, members: int, rows: int, columns: int, linear: int
) -> None:  # fmt: skip
    row[LEVEL], row[LAYER], row[BEGIN], row[MEMBERS] = level, layer, begin, members
    row[ROWS], row[COLUMNS], row[LINEAR] = rows, columns, linear


@jit
def _ordered(
    above: Any, above_classes: Any, before: int, fanout: int, count: int, classes: Any, order: Any
) -> Any:  # fmt: skip
    """Put a level's nodes in order, by class and then as their parents are; how many of each pair of classes."""
    pairs, place = np.zeros((count + 1, before + 1), np.int64), np.zeros(count + 1, np.int64)
    for parent in range(len(above)):
        for child in range(above[parent] * fanout, (above[parent] + 1) * fanout):
            pairs[classes[child], above_classes[parent]] += 1
    for klass in range(2, count + 1):
        place[klass] = place[klass - 1] + pairs[klass - 1].sum()
    for parent in range(len(above)):
        for child in range(above[parent] * fanout, (above[parent] + 1) * fanout):
            klass = classes[child]
            if klass > 0:
                order[place[klass]] = child
                place[klass] += 1
    return pairs
