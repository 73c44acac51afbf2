"""A model's sections, from bytes to what a decoder evaluates, in one compiled call without the interpreter's lock.

`tinc_codec.stream.model_section` is the reference, which says what is wrong with sections that are refused here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinc_codec.backends.numba import ans_lanes as lanes_numba
from tinc_codec.backends.numba import entropy as entropy_numba
from tinc_codec.backends.numba.compiler import jit
from tinc_codec.backends.numba.entropy import RANGE_STATE, begin
from tinc_codec.backends.numba.fields import take_byte, take_count, take_real
from tinc_codec.backends.numba.node_layout import lay_out
from tinc_codec.backends.numba.structure import CLASSES, COLUMNS, LAYERS, LINEAR, MASK, MEMBERS, NODES, ROWS, plan
from tinc_codec.backends.numba.weights import by_counts, enter, laplace
from tinc_codec.runtime.caching import keeping
from tinc_codec.stream.ans_lanes import LANES
from tinc_codec.stream.container import Container, Section
from tinc_codec.stream.limits import SMALLEST_BLOCK, allowed
from tinc_codec.stream.model_section import (
    LARGEST_CLASSES,
    LARGEST_LAYERS,
    LARGEST_LEVELS,
    LARGEST_WIDTH,
    constants_of,
    range_of,
    split_of,
)
from tinc_codec.tree.model import EXACT_SUM, LARGEST_SCALE, LARGEST_WEIGHT, Model, Parameters
from tinc_codec.tree.node_layout import NodeLayout
from tinc_codec.tree.partition import Partition
from tinc_codec.tree.structure import NO_NETWORK, Level, Tree

MOST_NODES, MOST_PARAMETERS = 2**22, 2**26
"""Larger models are left to the reference."""


def compiled() -> bool:
    """Whether this process has compiled `unpack`, or loaded what was, which takes seconds where nothing was kept."""
    return bool(_unpack.signatures)


def unpack(container: Container, shape: tuple[int, ...]) -> NodeLayout | None:
    """Read a model over a chunk whose folded shape is `shape`, laid out.

    Returns
    -------
    NodeLayout or None
        None: the sections make no sense, or are very large; the reference says which.
    """
    dtype = container.header.dtype.newbyteorder("=")
    lanes = Section.WEIGHT_LANES in container.sections
    code = container.sections.get(Section.WEIGHT_LANES if lanes else Section.WEIGHTS)
    tree, layers = container.sections.get(Section.TREE), container.sections.get(Section.LAYERS)
    if tree is None or layers is None or code is None or (lanes and Section.WEIGHTS in container.sections):
        return None
    sections = [np.frombuffer(data, np.uint8) for data in (tree, layers, code)]
    (
        good, table, widths, classes, weights, biases, multipliers, scales, multiplied, where, scaled, first, count,
        below, network,
    ) = _unpack(
        *sections, lanes, 3 * dtype.itemsize, np.array(shape, np.int64), allowed(shape, dtype.itemsize, len(code))
    )  # fmt: skip
    if not good:
        return None
    rows, begin = table.tolist(), 0
    levels: list[Level] = []
    for (deep, kinds, nodes, _), each in zip(rows, widths.tolist(), strict=True):
        levels.append(Level(deep, tuple(each[1 : kinds + 1]), classes[begin : begin + nodes]))
        begin += nodes
    partition = _partition(shape, tuple(row[MASK] for row in rows[1:]))
    constants = np.zeros(len(network), dtype)
    given = constants_of(container, len(network) - int(np.count_nonzero(network)), dtype)
    constants[~network] = given
    limits = range_of(container.section(Section.TREE), dtype)
    parameters = Parameters(weights, biases, multipliers, scales)
    model = Model(Tree(partition, tuple(levels)), parameters, dtype, *limits, given)
    model.check_range()
    return NodeLayout(model, multiplied, where, scaled, first, count, below, network, constants)


@keeping(lambda partition: partition.nbytes)
def _partition(shape: tuple[int, ...], masks: tuple[int, ...]) -> Partition:
    """One partition for all chunks that are halved alike, and so for what it keeps."""
    return Partition(shape, tuple(split_of(mask, len(shape)) for mask in masks))


@jit
def _unpack(tree: Any, layers: Any, code: Any, lanes: bool, scalars: int, shape: Any, work: Any) -> Any:
    # loops rather than whole arrays: numba takes seconds to compile those
    words, state, good = decoder(code, lanes)
    at = np.zeros(1, np.int64)
    at[0] = scalars
    levels, widths = np.zeros((LARGEST_LEVELS, 4), np.int64), np.zeros((LARGEST_LEVELS, LARGEST_CLASSES + 1), np.int64)
    depth, nodes = _splits(tree, at, shape, levels)
    levels, widths = levels[:depth], widths[:depth]
    classes = np.zeros(nodes, np.uint8)
    good = good and nodes > 0 and _classes(tree, at, words, state, levels, widths, classes) and at[0] == len(tree)
    tensors, order = plan(len(shape), levels if good else levels[:0], widths, classes)
    good, sizes, pairs = _sizes(tensors, levels, shape, good, work)
    weights, biases, multiplied = np.empty(pairs, np.int16), np.empty(sizes, np.int32), np.empty(sizes, np.int32)
    multipliers, scales = np.zeros(len(tensors), np.int64), np.zeros(len(tensors), np.float64)
    at[0] = 0
    good = good and _tensors(layers, at, words, state, tensors, weights, biases, multipliers, scales)
    good = good and at[0] == len(layers) and ended(words, state)
    depth = depth if good else 0
    first, count, below = np.zeros(depth, np.int64), np.zeros(depth, np.int64), np.zeros(depth, np.int64)
    rows = leaves = 0
    for level in range(depth):
        first[level], count[level] = rows, levels[level, LAYERS] + int(level == depth - 1)
        rows += levels[level, NODES] * count[level]
        leaves = levels[level, NODES]
    for level in range(depth):
        below[level] = leaves // levels[level, NODES]
    where, scaled, network = np.zeros((rows, 4), np.int64), np.zeros(rows, np.float64), np.zeros(leaves, np.bool_)
    if good:
        lay_out(tensors, order, first, count, multipliers, scales, biases, where, scaled, multiplied, network)
    return (
        good, levels, widths, classes, weights, biases, multipliers, scales, multiplied, where, scaled, first, count,
        below, network,
    )  # fmt: skip


@jit
def _sizes(tensors: Any, levels: Any, shape: Any, good: Any, work: Any) -> Any:
    """Whether the tensors are within `tinc_codec.stream.limits.Work`, and if so the numbers of biases and of weights.

    The latter with the zeros that make every row's number even; 0 where they are not.
    """
    layers = sizes = weights = pairs = 0
    for t in range(len(tensors)):
        rows, columns = tensors[t, MEMBERS] * tensors[t, ROWS], tensors[t, COLUMNS]
        layers, sizes, weights = layers + tensors[t, MEMBERS], sizes + rows, weights + rows * columns
        pairs += rows * (columns + columns % 2)
    cells: Any = np.int64(1)
    for axis in range(len(shape)):
        halvings = 0
        for level in range(1, len(levels)):
            halvings += (levels[level, MASK] >> axis) & 1
        cells *= ((shape[axis] - 1) >> halvings) + 1
    good = good and len(tensors) <= work.tensors and layers <= work.layers and sizes + weights <= work.parameters
    good = good and weights <= work.products // cells and sizes + pairs <= MOST_PARAMETERS
    return good, (sizes if good else 0), (pairs if good else 0)


@jit
def decoder(code: Any, lanes: bool) -> Any:
    """Begin to decode a section with weights.

    Returns
    -------
    words, state, good
        What `tinc_codec.backends.numba.weights.laplace` takes, and whether the section makes sense.
    """
    at, ends, good = np.zeros(1, np.int64), np.zeros(LANES + 1, np.int64), True
    if lanes:
        for lane in range(LANES - 1):
            length = take_count(code, at, len(code))
            good = good and length >= 0
            ends[lane + 1] = ends[lane] + length
    total, rest = (len(code) - at[0]) // 4, (len(code) - at[0]) % 4
    ends[LANES] = total
    good = good and rest == 0 and ends[LANES - 1] <= total
    words = np.empty(total + 1, np.uint32)
    words[total] = 0  # one more, so that there is one to look at where there is none
    for word in range(total):
        b = at[0] + 4 * word
        words[word] = code[b] | code[b + 1] << 8 | code[b + 2] << 16 | code[b + 3] << 24
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
def ended(words: Any, state: Any) -> Any:
    """Whether nothing is left that the symbols do not need."""
    if len(state) == RANGE_STATE:
        return entropy_numba.ended(words, state)
    empty = True
    for lane in range(LANES):
        empty = empty and state[lane] == 0 and state[LANES + lane] == state[2 * LANES + lane]
    return empty


@jit
def _splits(tree: Any, at: Any, shape: Any, levels: Any) -> Any:
    """Fill in how often levels are halved; their number, and that of all their nodes, 0 where they make no sense."""
    depth = take_byte(tree, at)
    if depth < 1 or depth > LARGEST_LEVELS:
        return 0, 0
    halvings, nodes = np.zeros(len(shape), np.int64), 0
    for level in range(depth):
        mask = take_byte(tree, at) if level > 0 else 0
        if level > 0 and (mask < 1 or mask >> len(shape) > 0):
            return 0, 0
        levels[level, MASK], levels[level, NODES] = mask, 1
        for axis in range(len(shape)):
            halvings[axis] += (mask >> axis) & 1
            levels[level, NODES] <<= halvings[axis]
            if (SMALLEST_BLOCK << halvings[axis] if halvings[axis] > 0 else 1) > shape[axis]:
                return 0, 0
        nodes += levels[level, NODES]
        if nodes > MOST_NODES:
            return 0, 0
    return depth, nodes


@jit
def _classes(tree: Any, at: Any, words: Any, state: Any, levels: Any, widths: Any, classes: Any) -> bool:
    """Read each level's layers, widths and classes."""
    begin, nodes = 0, 1
    above = np.zeros(1, np.uint8)
    above[0] = 1
    for level in range(len(levels)):
        layers, count = take_byte(tree, at), take_byte(tree, at)
        if layers < 1 or layers > LARGEST_LAYERS or count < 0 or count > LARGEST_CLASSES:
            return False
        levels[level, LAYERS], levels[level, CLASSES] = layers, count
        for klass in range(1, count + 1):
            widths[level, klass] = take_count(tree, at, np.int64(LARGEST_WIDTH))
            if widths[level, klass] < 1:
                return False
        fanout = levels[level, NODES] // nodes
        nodes = levels[level, NODES]
        here = classes[begin : begin + nodes]
        free: Any = np.int64(0)
        for parent in range(len(above)):
            if above[parent] != NO_NETWORK:
                free += fanout
        weights = np.zeros(count + 1, np.int64)
        weights[count] = free
        for klass in range(count):
            weights[klass] = take_count(tree, at, free)
            weights[count] -= weights[klass]
            if weights[klass] < 0:
                return False
        symbols = np.empty(free, np.int32)
        if weights[count] < 0 or not by_counts(words, state, weights, symbols):
            return False
        free = 0
        for parent in range(len(above)):
            if above[parent] != NO_NETWORK:
                for child in range(fanout):
                    here[parent * fanout + child] = symbols[free + child]
                free += fanout
        above, begin = here, begin + nodes
    return True


@jit
def _tensors(
    layers: Any, at: Any, words: Any, state: Any, tensors: Any, weights: Any, biases: Any, multipliers: Any,
    scales: Any,
) -> bool:  # fmt: skip
    """Read all tensors, and check that their sums are exact."""
    weight = bias = most = 0
    for t in range(len(tensors)):
        most = max(most, tensors[t, MEMBERS] * tensors[t, ROWS] * tensors[t, COLUMNS])
    held = np.empty(most, np.int32)  # for all: memory that is new is slow
    for t in range(len(tensors)):
        linear, columns = tensors[t, LINEAR] == 1, tensors[t, COLUMNS]
        rows = tensors[t, MEMBERS] * tensors[t, ROWS]
        scales[t], multipliers[t] = take_real(layers, at, not linear), take_count(layers, at, np.int64(EXACT_SUM - 1))
        if scales[t] <= 0 or (not linear and scales[t] > LARGEST_SCALE) or multipliers[t] < 0:
            return False
        reach, size = np.zeros(rows, np.int64), rows * (columns + columns % 2)
        symbols = held[: rows * columns]
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
    largest = take_count(layers, at, np.int64(LARGEST_WEIGHT))
    if largest <= 0:
        symbols[:] = 0
        return largest
    table = take_byte(layers, at)
    return largest if table >= 0 and laplace(words, state, table, largest, symbols) else -1
