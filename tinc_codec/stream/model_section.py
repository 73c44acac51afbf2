"""A model's sections: the tree, the layers' scales, the entropy-coded weights, the constant leaves."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import lossless
from tinc_codec.stream.ans_lanes import LaneDecoder, LaneEncoder
from tinc_codec.stream.container import Container, Section
from tinc_codec.stream.entropy import Decoder, Encoder, best_table
from tinc_codec.stream.fields import FieldReader, FieldWriter
from tinc_codec.stream.limits import allowed, check_tree, fits
from tinc_codec.tree.model import EXACT_SUM, LARGEST_WEIGHT, Layer, Model, Parameters
from tinc_codec.tree.partition import Partition
from tinc_codec.tree.structure import NO_NETWORK, Level, Tensor, Tree

LARGEST_LEVELS = 32
LARGEST_LAYERS = 16
LARGEST_WIDTH = 4096
LARGEST_CLASSES = 64

WORTH_LANES = 2**13
"""Parameters from which on lanes are worth the bytes that they take, at most 24."""


def pack(model: Model, lanes: bool | None = None) -> dict[int, bytes]:
    """Write a model as its sections.

    Parameters
    ----------
    model
        The model.
    lanes
        Whether its weights are coded in lanes, as format version 3 has it. None: if there are enough of them.
    """
    if lanes is None:
        lanes = model.tree.parameters >= WORTH_LANES
    encoder, section = (LaneEncoder(), Section.WEIGHT_LANES) if lanes else (Encoder(), Section.WEIGHTS)
    tree, layers = FieldWriter(), FieldWriter()
    for value in (model.offset, model.low, model.high):
        tree.raw(np.asarray(value, model.dtype.newbyteorder("<")).tobytes())
    _pack_tree(model.tree, tree, encoder)
    for tensor, layer in zip(model.tree.tensors, model.layers, strict=True):
        _pack_layer(tensor, layer, layers, encoder)
    return {
        Section.TREE: tree.bytes(),
        Section.LAYERS: layers.bytes(),
        section: encoder.bytes(),
        Section.CONSTANTS: lossless.pack(model.constants),
    }


def unpack(container: Container, shape: tuple[int, ...]) -> Model:
    """Read a model over a chunk whose folded shape is `shape`, and check that it can be evaluated exactly.

    Raises
    ------
    CorruptStreamError
        A section makes no sense.
    """
    dtype = container.header.dtype.newbyteorder("=")
    section = container.section(Section.TREE)
    limits = range_of(section, dtype)
    code = _code(container)
    work = allowed(shape, dtype.itemsize, code.remaining)
    decoder = LaneDecoder(code) if Section.WEIGHT_LANES in container.sections else Decoder(code.raw(code.remaining))
    tree = _unpack_tree(section, shape, decoder)
    section.end()
    check_tree(tree, work)
    section = container.section(Section.LAYERS)
    coded = [_unpack_layer(tensor, section) for tensor in tree.tensors]
    section.end()
    layers = [_decode_layer(tensor, each, decoder) for tensor, each in zip(tree.tensors, coded, strict=True)]
    decoder.end()
    constants = constants_of(container, math.prod(tree.partition.leaf_grid) - len(tree.leaves), dtype)
    model = Model(tree, Parameters.of(layers), dtype, *limits, constants)
    model.check()
    return model


def range_of(section: FieldReader, dtype: np.dtype[np.generic]) -> tuple[Any, Any, Any]:
    """Offset, low and high."""
    offset, low, high = np.frombuffer(section.raw(3 * dtype.itemsize), dtype.newbyteorder("<")).astype(dtype)
    return offset, low, high


def constants_of(container: Container, count: int, dtype: np.dtype[np.generic]) -> NDArray[Any]:
    """Values of the leaves without a network."""
    section = container.section(Section.CONSTANTS)
    return lossless.unpack(section.raw(section.remaining), count, dtype)


def _code(container: Container) -> FieldReader:
    """The section with the weights."""
    if Section.WEIGHT_LANES not in container.sections:
        return container.section(Section.WEIGHTS)
    if Section.WEIGHTS in container.sections:
        raise CorruptStreamError("there are two sections with weights")
    return container.section(Section.WEIGHT_LANES)


def _pack_tree(tree: Tree, out: FieldWriter, encoder: Encoder) -> None:
    out.number("B", tree.partition.levels)
    for split in tree.partition.splits:
        out.number("B", sum(1 << axis for axis, halved in enumerate(split) if halved))
    above = np.ones(1, np.uint8)
    for number, level in enumerate(tree.levels):
        out.number("B", level.layers)
        out.number("B", len(level.widths))
        for width in level.widths:
            out.count(width)
        free = np.repeat(above != NO_NETWORK, tree.partition.fanout(number))
        counts = np.bincount(level.classes[free], minlength=len(level.widths) + 1).tolist()
        for count in counts[:-1]:  # the last is what remains
            out.count(count)
        encoder.symbols(level.classes[free], counts)
        above = level.classes


def split_of(mask: int, axes: int) -> tuple[bool, ...]:
    """Which axes are halved."""
    return tuple(bool(mask >> axis & 1) for axis in range(axes))


def _unpack_tree(section: FieldReader, shape: tuple[int, ...], decoder: Decoder) -> Tree:
    count = section.byte()
    if not 1 <= count <= LARGEST_LEVELS:
        raise CorruptStreamError(f"a tree of {count} levels")
    masks = [section.byte() for _ in range(count - 1)]
    splits = tuple(split_of(mask, len(shape)) for mask in masks)
    partition = Partition(shape, splits)
    if any(mask == 0 or mask >> len(shape) for mask in masks) or not fits(shape, partition.leaf_grid):
        raise CorruptStreamError(f"splits {masks} do not fit shape {shape}")
    levels: list[Level] = []
    above = np.ones(1, np.uint8)
    for number in range(count):
        layers, classes = section.byte(), section.byte()
        if not 1 <= layers <= LARGEST_LAYERS or classes > LARGEST_CLASSES:
            raise CorruptStreamError(f"level {number} has {layers} layers and {classes} classes")
        widths = tuple(section.count(LARGEST_WIDTH) for _ in range(classes))
        if 0 in widths:
            raise CorruptStreamError(f"level {number} has a class of width 0")
        free = np.repeat(above != NO_NETWORK, partition.fanout(number))
        total = int(free.sum())
        counts = [section.count(total) for _ in range(classes)]
        counts.append(total - sum(counts))
        if counts[-1] < 0:
            raise CorruptStreamError(f"level {number} has more members than nodes")
        symbols = np.zeros(partition.nodes(number), np.uint8)
        symbols[free] = decoder.symbols(counts)
        above = symbols
        levels.append(Level(layers, widths, symbols))
    return Tree(partition, tuple(levels))


def _pack_layer(tensor: Tensor, layer: Layer, out: FieldWriter, encoder: Encoder) -> None:
    out.number("d" if tensor.linear else "f", layer.scale)
    out.count(layer.multiplier)
    for values in (layer.weights, layer.biases):
        largest = int(np.abs(values).max(initial=0))
        out.count(largest)
        if largest:
            table = best_table(values, largest)
            out.number("B", table)
            encoder.laplace(values, table, largest)


class _Coded(NamedTuple):
    """What the stream says of one tensor."""

    multiplier: int
    scale: float
    magnitudes: list[int]  # the largest, and the table, of the weights; then of the biases


def _unpack_layer(tensor: Tensor, section: FieldReader) -> _Coded:
    scale = section.real("d" if tensor.linear else "f")
    multiplier = section.count(EXACT_SUM - 1)
    magnitudes: list[int] = []
    for _ in range(2):
        largest = section.count(LARGEST_WEIGHT)
        magnitudes += largest, section.byte() if largest else 0
    return _Coded(multiplier, scale, magnitudes)


def _decode_layer(tensor: Tensor, coded: _Coded, decoder: Decoder) -> Layer:
    largest, table, largest_bias, bias_table = coded.magnitudes
    weights = decoder.laplace(tensor.weights, table, largest)
    biases = decoder.laplace(tensor.biases, bias_table, largest_bias)
    shape = (tensor.nodes, tensor.rows)
    return Layer(weights.reshape(*shape, tensor.columns), biases.reshape(shape), coded.multiplier, coded.scale)
