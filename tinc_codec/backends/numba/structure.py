"""The plan of `tinc_codec.tree.structure` as tables, compiled by numba, for a stream that is read."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba.compiler import jit

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
    most, before, nodes = 0, np.int64(1), np.int64(1)  # of a type: numba would compile once more for constants
    for level in range(len(levels)):
        most += levels[level, CLASSES] * (before + levels[level, LAYERS])
        before = levels[level, CLASSES]
    tensors, order = np.empty((most, 7), np.int64), np.zeros(len(classes), np.int64)
    above, kinds = np.zeros(1, np.int64), np.zeros(1, np.uint8)
    kinds[0] = 1  # of the nodes above: the root hangs from one
    number = begin = 0
    before = np.int64(1)
    for level in range(len(levels)):
        count, fanout = levels[level, CLASSES], levels[level, NODES] // nodes
        nodes = levels[level, NODES]
        pairs = _ordered(above, kinds, before, fanout, count, classes[begin : begin + nodes], order[begin:])
        at = begin
        for klass in range(1, count + 1):
            first, width = at, widths[level, klass]
            # the first layers, one tensor for each of the parents' classes, then the further ones, the linear one last
            for step in range(1, before + levels[level, LAYERS] + int(level == len(levels) - 1)):
                further = step - before
                members = pairs[klass, step] if further <= 0 else at - first
                if members == 0:
                    continue
                row = tensors[number]
                row[LEVEL], row[LAYER], row[MEMBERS] = level, max(further, 0), members
                row[LINEAR] = int(further == levels[level, LAYERS])
                row[ROWS] = width if row[LINEAR] == 0 else 1
                row[BEGIN], row[COLUMNS] = first, width
                if further <= 0:
                    row[BEGIN], row[COLUMNS] = at, axes if level == 0 else widths[level - 1, step]
                    at += members
                number += 1
        above, kinds = order[begin:at], np.empty(at - begin, np.uint8)
        for node in range(len(above)):
            kinds[node] = classes[begin + above[node]]
        before, begin = count, begin + nodes
    return tensors[:number], order


@jit
def _ordered(
    above: Any, kinds: Any, before: int, fanout: int, count: int, classes: Any, order: Any
) -> Any:  # fmt: skip
    """Put a level's nodes in order, by class and then as their parents are; how many of each pair of classes."""
    pairs, place = np.zeros((count + 1, before + 1), np.int64), np.zeros(count + 1, np.int64)
    for parent in range(len(above)):
        for child in range(above[parent] * fanout, (above[parent] + 1) * fanout):
            pairs[classes[child], kinds[parent]] += 1
            place[classes[child]] += 1
    begin = 0
    for klass in range(1, count + 1):
        place[klass], begin = begin, begin + place[klass]
    for parent in range(len(above)):
        for child in range(above[parent] * fanout, (above[parent] + 1) * fanout):
            klass = classes[child]
            if klass > 0:
                order[place[klass]] = child
                place[klass] += 1
    return pairs
