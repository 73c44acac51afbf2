"""Random models: any tree, any integers that the decoder's bounds allow."""

import numpy as np

from tinc_codec.stream import weights
from tinc_codec.stream.container import Container, Header, ModelKind, pack
from tinc_codec.tree.model import EXACT_SUM, LARGEST_WEIGHT, Layer, Model
from tinc_codec.tree.partition import fold, partition
from tinc_codec.tree.structure import NO_NETWORK, Level, Tree


def random_tree(rng, shape, levels=3, widest=5, classes=2, empty=0.2):
    part = partition(shape, levels)
    above = np.ones(1, np.uint8)
    made = []
    for number in range(part.levels):
        widths = tuple(int(w) for w in rng.integers(1, widest + 1, rng.integers(1, classes + 1)))
        members = rng.integers(1, len(widths) + 1, part.nodes(number)).astype(np.uint8)
        members[rng.random(len(members)) < empty] = NO_NETWORK
        members[np.repeat(above, part.fanout(number)) == NO_NETWORK] = NO_NETWORK
        made.append(Level(int(rng.integers(1, 3)), widths, members))
        above = members
    return Tree(part, tuple(made))


def random_layer(rng, tensor, gain):
    largest = int(rng.choice([0, 1, 7, 40, LARGEST_WEIGHT]))
    w = rng.integers(-largest, largest + 1, (tensor.nodes, tensor.rows, tensor.columns)).astype(np.int32)
    room = EXACT_SUM - 1 - int((np.abs(w).sum(2) * 1024).max(initial=0))
    if room < 0:
        return random_layer(rng, tensor, gain)
    bound = int(rng.choice([0, 3, LARGEST_WEIGHT]))
    b = rng.integers(-bound, bound + 1, (tensor.nodes, tensor.rows)).astype(np.int32)
    multiplier = int(rng.integers(1, max(2, room // max(bound, 1) + 1)))
    if bound * multiplier > room:
        b[:] = 0
    scale = gain if tensor.linear else float(np.float32(rng.uniform(1e-4, 2)))
    return Layer(w, b, multiplier, scale)


def random_model(rng, shape, dtype, **tree):
    dtype = np.dtype(dtype)
    made = random_tree(rng, fold(shape), **tree)
    if dtype.kind == "f":
        low, high = dtype.type(-3.5), dtype.type(7.25)
        gain = float(rng.uniform(1e-7, 1e-4))
    else:
        info = np.iinfo(dtype)
        low, high = dtype.type(info.min // 2), dtype.type(info.max // 2 + 5)
        gain = float(rng.uniform(0.1, 4)) * (float(info.max) / 1e5)
    offset = dtype.type((int(low) + int(high)) // 2) if dtype.kind != "f" else dtype.type(0.3)
    layers = tuple(random_layer(rng, tensor, gain) for tensor in made.tensors)
    empty = int(np.prod(made.partition.leaf_grid)) - len(made.leaves)
    constants = rng.integers(0, 100, empty).astype(dtype)
    return Model(made, layers, dtype, offset, low, high, constants)


def random_stream(rng, shape, dtype, order="C", **tree):
    model = random_model(rng, shape, dtype, **tree)
    header = Header(tuple(shape), np.dtype(dtype), order, ModelKind.SINE_TREE, False)
    return pack(Container(header, weights.pack(model)))
