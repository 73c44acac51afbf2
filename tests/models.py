"""Random models: any tree, any integers that the decoder's bounds allow."""

from dataclasses import replace

import numpy as np

from tinc_codec.backends.choice import backend
from tinc_codec.decoding.chunk import Chunk
from tinc_codec.decoding.predictors.detail import pack_range
from tinc_codec.detail import exact_in_context, reference
from tinc_codec.detail.goals import Step
from tinc_codec.detail.goals import encode as encode_detail
from tinc_codec.encoding.residual.encode import encode
from tinc_codec.encoding.residual.volume import Volume
from tinc_codec.residual.integer_domain import IntegerDomain, Kind, exact_grid
from tinc_codec.residual.lattice import Quantiser
from tinc_codec.runtime.settings import process, set_process
from tinc_codec.stream import model_section as weights
from tinc_codec.stream.container import Container, Header, ModelKind, Section, pack, unpack
from tinc_codec.stream.crop import pack as pack_crop
from tinc_codec.stream.exact import pack as pack_exact
from tinc_codec.tree.model import EXACT_SUM, LARGEST_WEIGHT, Layer, Model, Parameters
from tinc_codec.tree.node_layout import lay_out
from tinc_codec.tree.partition import fold, partition
from tinc_codec.tree.structure import NO_NETWORK, Level, Tree

DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]
SHAPES = [(9,), (40,), (17, 20), (1, 33), (9, 16, 17), (2, 15, 3, 16), (2, 2, 1, 3, 16)]
"""Of chunks that random models are made for."""


def random_tree(rng, shape, levels=3, widest=5, classes=2, empty=0.2):
    part = partition(shape, levels)
    above = np.ones(1, np.uint8)
    placed = []
    for number in range(part.levels):
        widths = tuple(int(w) for w in rng.integers(1, widest + 1, rng.integers(1, classes + 1)))
        members = rng.integers(1, len(widths) + 1, part.nodes(number)).astype(np.uint8)
        members[rng.random(len(members)) < empty] = NO_NETWORK
        members[np.repeat(above, part.fanout(number)) == NO_NETWORK] = NO_NETWORK
        placed.append(Level(int(rng.integers(1, 3)), widths, members))
        above = members
    return Tree(part, tuple(placed))


def decoded(model):
    """A model over its whole chunk, by the reference decoder alone."""
    before = process().decoder
    set_process(decoder="numpy")
    try:
        return backend().at_product(lay_out(model), [np.arange(n) for n in model.tree.partition.shape])
    finally:
        set_process(decoder=before)


def random_layer(rng, tensor, span):
    """Any layer; the sums of a linear one reach from a tenth of `span` to several times as far."""
    largest = int(rng.choice([0, 1, 7, 40, LARGEST_WEIGHT], p=[0.04, 0.24, 0.24, 0.24, 0.24]))
    w = rng.integers(-largest, largest + 1, (tensor.nodes, tensor.rows, tensor.columns)).astype(np.int32)
    room = EXACT_SUM - 1 - int((np.abs(w).sum(2) * 1024).max(initial=0))
    if room < 0:
        return random_layer(rng, tensor, span)
    bound = int(rng.choice([0, 3, LARGEST_WEIGHT]))
    b = rng.integers(-bound, bound + 1, (tensor.nodes, tensor.rows)).astype(np.int32)
    multiplier = int(rng.integers(1, max(2, room // max(bound, 1) + 1)))
    if bound * multiplier > room:
        b[:] = 0
    layer = Layer(w, b, multiplier, float(np.float32(rng.uniform(1e-4, 2))))
    if not tensor.linear:
        return layer
    return replace(layer, scale=span * float(rng.uniform(0.1, 8)) / max(1, layer.largest_sum))


def random_model(rng, shape, dtype, **tree):
    dtype = np.dtype(dtype)
    network = random_tree(rng, fold(shape), **tree)
    if dtype.kind == "f":
        low, high = dtype.type(-3.5), dtype.type(7.25)
    else:
        info = np.iinfo(dtype)
        low, high = dtype.type(info.min // 2), dtype.type(info.max // 2 + 5)
    offset = dtype.type((int(low) + int(high)) // 2) if dtype.kind != "f" else dtype.type(0.3)
    span = (float(high) - float(low)) / 2
    layers = tuple(random_layer(rng, tensor, span) for tensor in network.tensors)
    empty = int(np.prod(network.partition.leaf_grid)) - len(network.leaves)
    constants = rng.integers(0, 100, empty).astype(dtype)
    return Model(network, Parameters.of(layers), dtype, offset, low, high, constants)


def random_stream(rng, shape, dtype, order="C", lanes=None, **tree):
    model = random_model(rng, shape, dtype, **tree)
    header = Header(tuple(shape), np.dtype(dtype), order, ModelKind.SINE_TREE, False)
    return pack(Container(header, weights.pack(model, lanes)))


def in_lanes(stream):
    """The same chunk, with its weights in lanes however few there are."""
    container = unpack(stream)
    rest = {kind: data for kind, data in container.sections.items() if kind != Section.WEIGHTS}
    return pack(Container(container.header, rest | weights.pack(Chunk(container).predictor.model, lanes=True)))


def random_residual(rng, shape, dtype, order, width, model=True, exact=False, crop=False):
    """A stream with a residual that the encoder made of random samples, and the array that it decodes to."""
    dtype = np.dtype(dtype)
    native = dtype.newbyteorder("=")
    kept = tuple(int(rng.integers(1, n + 1)) for n in shape) if crop and shape else shape
    network = random_model(rng, kept, native) if model else None
    prediction = None if network is None else decoded(network)
    if native.kind == "f":
        values = (rng.normal(0, 2, fold(kept)) * 50).round().astype(native) / native.type(8 if width > 1 else 7)
    else:
        values = rng.integers(0, 100, fold(kept)).astype(native)
    grid = exact_grid(values, values.min(), values.max())
    if grid is None:
        grid = IntegerDomain(Kind.FLOAT, native, float(values.min()), 0.01, 2000)
    mask = rng.random(values.shape) < 0.8 if exact else None
    coded = encode(Volume(grid, grid.from_samples(values), mask, prediction), Quantiser(width))
    expected = grid.to_samples(coded.values)
    sections = {Section.RESIDUAL: coded.section}
    if network is not None:
        sections |= weights.pack(network)
    if mask is not None:
        sections[Section.EXACT] = pack_exact(values, ~mask)
        expected = np.where(mask, expected, values)
    whole = expected.reshape(kept)
    if kept != shape:
        fill = np.array([native.type(3)])
        sections[Section.CROP] = pack_crop(kept, fill)
        whole = np.full(shape, fill[0])
        whole[tuple(map(slice, kept))] = expected.reshape(kept)
    kind = ModelKind.NONE if network is None else ModelKind.SINE_TREE
    stream = pack(Container(Header(tuple(shape), dtype, order, kind, False), sections))
    return stream, whole.astype(dtype)


def random_detail(rng, shape, dtype, order, above=False, exact=False, crop=False, residual=False):
    """A stream of random coefficients: on top of a sine tree, with exact values, cropped, under a residual."""
    dtype = np.dtype(dtype)
    native = dtype.newbyteorder("=")
    kept = tuple(int(rng.integers(1, n + 1)) for n in shape) if crop and shape else shape
    folded = fold(kept)
    span = 2.0 ** rng.integers(
        3, 6 if native.itemsize == 1 else 10 if native.kind == "f" else min(8 * native.itemsize - 2, 24)
    )
    waves = sum(np.sin(index * rng.uniform(0.1, 1)) for index in np.indices(folded))
    volume = span * (waves + rng.normal(0, rng.choice([0.01, 0.3]), folded)) / 4
    low, high = (native.type(value) for value in (0 if native.kind == "u" else -span, span))
    work = backend().detail
    section = pack_range(low, high) + encode_detail(volume, Step(span * rng.choice([0.01, 0.3, 4])), work)
    sections, kind = {Section.DETAIL: section}, ModelKind.DETAIL
    if above:
        sections |= weights.pack(random_model(rng, kept, native))
        kind = ModelKind.SINE_TREE_AND_DETAIL
    if exact:
        mask = np.sin(sum(np.indices(folded)) / 3) + rng.normal(0, 0.1, folded) > 0.5
        values = np.where(rng.random(folded) < 0.1, native.type(9), native.type(5)).astype(native)
        sections[Section.EXACT_IN_CONTEXT] = exact_in_context.pack(values, mask, reference)
    if crop and kept != shape:
        sections[Section.CROP] = pack_crop(kept, np.array([native.type(3)]))
    container = Container(Header(tuple(shape), dtype, order, kind, False), sections)
    if residual:
        predicted = Chunk(container).predictor.whole()
        near = np.clip(predicted + np.rint(rng.normal(0, 2, folded)).astype(native), low, high).astype(native)
        grid = exact_grid(near, near.min(), near.max())
        if grid is None:
            grid = IntegerDomain(Kind.FLOAT, native, float(near.min()), 0.5, 2**20)
        coded = encode(Volume(grid, grid.from_samples(near), ~mask if exact else None, predicted), Quantiser(3))
        sections[Section.RESIDUAL] = coded.section
    return pack(Container(container.header, sections))
