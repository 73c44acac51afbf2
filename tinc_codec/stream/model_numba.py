"""A model's sections, from bytes to what a decoder evaluates, in one compiled call without the interpreter's lock.

`tinc_codec.stream.weights` is the reference, and says what is wrong with sections that are refused here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.jit import jit
from tinc_codec.stream import lanes_numba
from tinc_codec.stream.container import Container, Section
from tinc_codec.stream.entropy_numba import RANGE_STATE, begin
from tinc_codec.stream.lanes import LANES
from tinc_codec.stream.weights import (
    LARGEST_CLASSES,
    LARGEST_LAYERS,
    LARGEST_LEVELS,
    LARGEST_WIDTH,
    constants_of,
    range_of,
    split_of,
)
from tinc_codec.stream.weights_numba import by_counts, enter, laplace
from tinc_codec.tree.model import EXACT_SUM, LARGEST_SCALE, LARGEST_WEIGHT, Model, Parameters
from tinc_codec.tree.partition import Partition
from tinc_codec.tree.paths import Paths
from tinc_codec.tree.structure import Level, Tree
from tinc_codec.tree.structure_numba import (
    CLASSES,
    COLUMNS,
    LAYERS,
    LINEAR,
    MASK,
    MEMBERS,
    NODES,
    ROWS,
    plan,
)

MOST_NODES, MOST_PARAMETERS = 2**22, 2**26
"""Larger models are left to the reference."""


def unpack(container: Container, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Paths | None:
    """Read a model over a chunk whose folded shape is `shape`, laid out.

    Returns
    -------
    Paths or None
        None: the sections make no sense, or are very large; the reference says which.
    """
    lanes = Section.WEIGHT_LANES in container.sections
    code = container.sections.get(Section.WEIGHT_LANES if lanes else Section.WEIGHTS)
    tree, layers = container.sections.get(Section.TREE), container.sections.get(Section.LAYERS)
    if tree is None or layers is None or code is None or (lanes and Section.WEIGHTS in container.sections):
        return None
    sections = [np.frombuffer(data, np.uint8) for data in (tree, layers, code)]
    (
        good, table, widths, classes, weights, biases, multipliers, scales, multiplied, where, scaled, first, count,
        below, network,
    ) = _unpack(*sections, lanes, 3 * dtype.itemsize, np.array(shape, np.int64))  # fmt: skip
    if not good:
        return None
    levels: list[Level] = []
    splits: list[tuple[bool, ...]] = []
    begin = 0
    for (deep, kinds, nodes, mask), each in zip(table.tolist(), widths.tolist(), strict=True):
        levels.append(Level(deep, tuple(each[1 : kinds + 1]), classes[begin : begin + nodes]))
        splits.append(split_of(mask, len(shape)))
        begin += nodes
    constants = np.zeros(len(network), dtype)
    given = constants_of(container, len(network) - int(np.count_nonzero(network)), dtype)
    constants[~network] = given
    limits = range_of(container.section(Section.TREE), dtype)
    parameters = Parameters(weights, biases, multipliers, scales)
    model = Model(Tree(Partition(shape, tuple(splits[1:])), tuple(levels)), parameters, dtype, *limits, given)
    model.check_range()
    return Paths(model, multiplied, where, scaled, first, count, below, network, constants)


@jit
def _unpack(tree: Any, layers: Any, code: Any, lanes: bool, scalars: int, shape: Any) -> Any:
    words, state, good = _decoder(code, lanes)
    at = np.full(1, scalars, np.int64)
    levels, widths = np.zeros((LARGEST_LEVELS, 4), np.int64), np.zeros((LARGEST_LEVELS, LARGEST_CLASSES + 1), np.int64)
    depth, nodes = _splits(tree, at, shape, levels)
    levels, widths = levels[:depth], widths[:depth]
    classes = np.zeros(nodes, np.uint8)
    good = good and nodes > 0 and _classes(tree, at, words, state, levels, widths, classes) and at[0] == len(tree)
    tensors, order = plan(len(shape), levels if good else levels[:0], widths, classes)
    sizes = tensors[:, MEMBERS] * tensors[:, ROWS]
    pairs = sizes * (tensors[:, COLUMNS] + tensors[:, COLUMNS] % 2)
    good = good and pairs.sum() + sizes.sum() <= MOST_PARAMETERS
    room = int(good)
    weights, biases = np.empty(room * pairs.sum(), np.int16), np.empty(room * sizes.sum(), np.int32)
    multipliers, scales = np.zeros(len(tensors), np.int64), np.zeros(len(tensors), np.float64)
    at[0] = 0
    good = good and _tensors(layers, at, words, state, tensors, weights, biases, multipliers, scales)
    good = good and at[0] == len(layers) and _ended(state)
    first, count = np.zeros(depth, np.int64), np.zeros(depth, np.int64)
    rows = 0
    for level in range(depth):
        first[level], count[level] = rows, levels[level, LAYERS] + int(level == depth - 1)
        rows += levels[level, NODES] * count[level]
    where, scaled = np.zeros((rows, 4), np.int64), np.zeros(rows, np.float64)
    leaves = levels[-1, NODES] if depth > 0 else 0
    below = leaves // levels[:, NODES]
    multiplied, network = np.empty_like(biases), np.zeros(leaves, np.bool_)
    if good:
        _lay_out(tensors, order, first, count, multipliers, scales, biases, where, scaled, multiplied, network)
    return (
        good, levels, widths, classes, weights, biases, multipliers, scales, multiplied, where, scaled, first, count,
        below, network,
    )  # fmt: skip


@jit
def _decoder(code: Any, lanes: bool) -> Any:
    """The code's words, the state of its decoder, and whether they make sense."""
    at, ends, good = np.zeros(1, np.int64), np.zeros(LANES + 1, np.int64), True
    if lanes:
        for lane in range(LANES - 1):
            length = _count(code, at, len(code))
            good = good and length >= 0
            ends[lane + 1] = ends[lane] + length
    total, rest = divmod(len(code) - at[0], 4)
    ends[LANES] = total
    good = good and rest == 0 and ends[LANES - 1] <= total
    held = np.zeros(4 * total + 4, np.uint8)  # one word more, so that there is one to look at where there is none
    held[: 4 * total] = code[at[0] : at[0] + 4 * total]
    words = held.view(np.uint32)
    if not lanes:
        state = np.zeros(RANGE_STATE, np.uint64)
        begin(words[:total], state)
        return words[:total], state, good
    state = np.zeros(3 * LANES, np.uint64)
    if good:
        for lane in range(LANES):
            good = good and (ends[lane + 1] == ends[lane] or words[ends[lane + 1] - 1] != 0)
        lanes_numba.begin(words, ends, state)
    return words, state, good


@jit
def _ended(state: Any) -> Any:
    """Whether nothing is left in the lanes; a range coder's words do not say where they end."""
    if len(state) == RANGE_STATE:
        return True
    return not state[:LANES].any() and (state[LANES : 2 * LANES] == state[2 * LANES :]).all()


@jit
def _byte(data: Any, at: Any) -> Any:
    """The next byte; -1: there is none."""
    if at[0] >= len(data):
        return -1
    at[0] += 1
    return np.int64(data[at[0] - 1])


@jit
def _count(data: Any, at: Any, limit: int) -> Any:
    """`tinc_codec.stream.fields.Reader.count`; -1: there is none."""
    value = np.int64(0)
    for shift in range(0, 56, 7):  # what is longer is more than any limit
        byte = _byte(data, at)
        if byte < 0:
            return -1
        value |= (byte & 127) << shift
        if byte < 128:
            return value if value <= limit else -1
    return -1


@jit
def _real(data: Any, at: Any, single: bool) -> float:
    """The next float of 32 or 64 bits; NaN: there is none."""
    size = 4 if single else 8
    if at[0] + size > len(data):
        return np.nan
    held = np.zeros(8, np.uint8)
    held[:size] = data[at[0] : at[0] + size]
    at[0] += size
    return np.float64(held[:4].view(np.float32)[0]) if single else held.view(np.float64)[0]


@jit
def _splits(tree: Any, at: Any, shape: Any, levels: Any) -> Any:
    """Fill in how often levels are halved; their number, and that of all their nodes, 0 where they make no sense."""
    depth = _byte(tree, at)
    if depth < 1 or depth > LARGEST_LEVELS:
        return 0, 0
    blocks, nodes = np.ones(len(shape), np.int64), 0
    for level in range(depth):
        mask = _byte(tree, at) if level > 0 else 0
        if level > 0 and (mask < 1 or mask >> len(shape) > 0):
            return 0, 0
        levels[level, MASK], levels[level, NODES] = mask, 1
        for axis in range(len(shape)):
            blocks[axis] <<= (mask >> axis) & 1
            levels[level, NODES] *= blocks[axis]
            if blocks[axis] > shape[axis]:
                return 0, 0
        nodes += levels[level, NODES]
        if nodes > MOST_NODES:
            return 0, 0
    return depth, nodes


@jit
def _classes(tree: Any, at: Any, words: Any, state: Any, levels: Any, widths: Any, classes: Any) -> bool:
    """Read each level's layers, widths and classes."""
    begin, nodes = 0, 1
    above = np.ones(1, np.uint8)
    for level in range(len(levels)):
        layers, count = _byte(tree, at), _byte(tree, at)
        if layers < 1 or layers > LARGEST_LAYERS or count < 0 or count > LARGEST_CLASSES:
            return False
        levels[level, LAYERS], levels[level, CLASSES] = layers, count
        for klass in range(1, count + 1):
            widths[level, klass] = _count(tree, at, LARGEST_WIDTH)
            if widths[level, klass] < 1:
                return False
        fanout = levels[level, NODES] // nodes
        nodes = levels[level, NODES]
        here = classes[begin : begin + nodes]
        free = _children(above, fanout)
        weights = np.zeros(count + 1, np.int64)
        weights[count] = len(free)
        for klass in range(count):
            weights[klass] = _count(tree, at, len(free))
            weights[count] -= weights[klass]
            if weights[klass] < 0:
                return False
        symbols = np.empty(len(free), np.int32)
        if weights[count] < 0 or not by_counts(words, state, weights, symbols):
            return False
        for k in range(len(free)):
            here[free[k]] = symbols[k]
        above, begin = here, begin + nodes
    return True


@jit
def _children(above: Any, fanout: int) -> Any:
    """The children of nodes that have a network."""
    parents = np.flatnonzero(above)
    children = np.empty(len(parents) * fanout, np.int64)
    for k in range(len(children)):
        children[k] = parents[k // fanout] * fanout + k % fanout
    return children


@jit
def _tensors(
    layers: Any, at: Any, words: Any, state: Any, tensors: Any, weights: Any, biases: Any, multipliers: Any,
    scales: Any,
) -> bool:  # fmt: skip
    """Read all tensors, and check that their sums are exact."""
    weight = bias = 0
    for t in range(len(tensors)):
        linear, columns = tensors[t, LINEAR] == 1, tensors[t, COLUMNS]
        rows = tensors[t, MEMBERS] * tensors[t, ROWS]
        scales[t], multipliers[t] = _real(layers, at, not linear), _count(layers, at, EXACT_SUM - 1)
        sensible = scales[t] > 0 and scales[t] < np.inf and (linear or scales[t] <= LARGEST_SCALE)
        if not sensible or multipliers[t] < 0:
            return False
        reach, size = np.zeros(rows, np.int64), rows * (columns + columns % 2)
        symbols = np.empty(rows * columns, np.int32)
        largest = _symbols(layers, at, words, state, symbols)
        if largest < 0:
            return False
        enter(symbols, largest, weights[weight : weight + size], reach)
        taken = biases[bias : bias + rows]
        largest = _symbols(layers, at, words, state, taken)
        if largest < 0:
            return False
        for row in range(rows):
            taken[row] -= largest
            if reach[row] + abs(np.int64(taken[row])) * multipliers[t] >= EXACT_SUM:
                return False
        weight, bias = weight + size, bias + rows
    return True


@jit
def _symbols(layers: Any, at: Any, words: Any, state: Any, symbols: Any) -> Any:
    """Take as many symbols as there is room for; the largest magnitude, -1 where the sections make no sense."""
    largest = _count(layers, at, LARGEST_WEIGHT)
    if largest <= 0:
        symbols[:] = 0
        return largest
    table = _byte(layers, at)
    return largest if table >= 0 and laplace(words, state, table, largest, symbols) else -1


@jit
def _lay_out(
    tensors: Any, order: Any, first: Any, count: Any, multipliers: Any, scales: Any, biases: Any, where: Any,
    scaled: Any, multiplied: Any, network: Any,
) -> None:  # fmt: skip
    """`tinc_codec.tree.paths.lay_out`."""
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
