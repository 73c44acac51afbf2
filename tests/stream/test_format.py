"""FORMAT.md, version 4: the decoder written from it alone gives what the package gives, and refuses the same."""

import contextlib
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import reference
from tests.detail.cases import known, plans, random_model
from tests.fuzz.corpus import DETAILS
from tests.models import random_detail
from tests.reference_detail import LOGITS, PRESETS, detail_samples
from tests.reference_mask import mask_of
from tinc_codec import TINCCodec, decode
from tinc_codec.backends.numba.detail import work
from tinc_codec.decoding.inspect import inspect
from tinc_codec.decoding.predictors.detail import pack_range
from tinc_codec.detail import defaults, mask, tables
from tinc_codec.detail.decoding import Detail
from tinc_codec.detail.model import Model
from tinc_codec.detail.plan import Group, Plan
from tinc_codec.detail.scale import LARGEST_MEAN, Scale, mean_of
from tinc_codec.detail.section import Parameters, pack
from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.container import Container, Section, unpack
from tinc_codec.stream.container import pack as pack_container

MORE = [
    ((1,), "f4", ()),
    ((257,), ">f8", ("exact", "crop")),
    ((1, 31, 1), "<u4", ("exact", "residual")),
    ((40, 9), ">f2", ("above", "residual")),
    ((2, 40), "i1", ("exact",)),
    ((3, 33, 5), ">u8", ("exact", "crop")),
    ((5, 70, 9), "i4", ("exact",)),
    ((1, 1, 1, 50), "u2", ()),
    ((3, 1, 6, 1, 2, 9), ">i4", ("exact", "residual")),
]
REFUSALS = (AssertionError, IndexError, KeyError, RuntimeError, ZeroDivisionError, struct.error)
SEEDS = st.integers(0, 2**32 - 1)


def plain(stream):
    """What the reference decodes, in native byte order."""
    shape, code, _, samples = reference.decode(stream)
    return np.array(samples, code).reshape(shape)


def same(array, other):
    """Bit for bit, whatever the byte and memory order."""
    native = array.astype(array.dtype.newbyteorder("="))
    return (native.shape, native.dtype, native.tobytes()) == (other.shape, other.dtype, other.tobytes())


@pytest.mark.parametrize(("shape", "dtype", "parts"), DETAILS + MORE)
def test_random_coefficients(shape, dtype, parts):
    rng = np.random.default_rng(len(shape) + math.prod(shape))
    stream = random_detail(rng, shape, dtype, "CF"[len(shape) % 2], **dict.fromkeys(parts, True))
    assert stream[4] == 4
    assert same(decode(stream), plain(stream))


def volume(*shape):
    axes = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    return 900 * np.cos(sum(axes)) + np.random.default_rng(5).normal(1500, 60, shape)


def with_hole(array, value):
    squares = [((i - n / 2) / (n / 3)) ** 2 for i, n in zip(np.indices(array.shape), array.shape, strict=True)]
    array[sum(squares) < 1] = value
    return array


@pytest.mark.parametrize(
    ("codec", "array"),
    [
        (TINCCodec(ratio=20, network_share=0), volume(11, 14, 15).astype("u2")),
        (TINCCodec(psnr=35, network_share=0), volume(3, 7, 9, 10).astype(">f4")),
        (TINCCodec(ratio=8, network_share=0, exact_values=0), with_hole(volume(12, 13, 14).astype("i2"), 0)),
        (TINCCodec(psnr=30, network_share=0), with_hole(np.asfortranarray(volume(12, 13, 14)), np.nan)),
    ],
    ids=["ratio", "psnr", "hole", "not-finite"],
)
def test_what_the_encoder_makes(codec, array):
    stream = bytes(codec.encode(array))
    assert inspect(stream).version == 4
    assert same(decode(stream), plain(stream))


def section_of(plan, seed):
    """A section of any numbers; sums may wrap."""
    rng = np.random.default_rng(seed)
    model, numbers = random_model(plan, seed)
    bytes_of = {mean_of(byte): byte for byte in range(LARGEST_MEAN + 1)}
    means = np.array([bytes_of[int(mean)] for mean in model.means], np.uint8)
    weights = np.maximum(defaults.PRESETS[rng.integers(4)] + rng.integers(-3, 4, defaults.PRESETS[0].shape), 0)
    deltas = rng.integers(-6, 7, tables.DEFAULTS.shape).astype(np.int32)
    step, slope = (int(rng.choice(values)) for values in ((1, 300, 2**20), (0, 30, 200)))
    scale = Scale(float(rng.normal()), int(rng.integers(-9, 3)), step, slope, *rng.integers(-128, 128, 2).tolist())
    parameters = Parameters(plan, scale, means, model.shifts, weights, deltas)
    coded = Model(model.layout, weights, model.means, model.shifts, parameters.tables)
    walker = work.walker(coded, numbers, known(coded, numbers))
    return pack(parameters, [walker.write(piece) for piece in model.layout.pieces])


def check(plan, seed, level):
    section = section_of(plan, seed)
    detail = Detail.parse(section, plan.shape, work)
    limits = pack_range(np.float64(-math.inf), np.float64(math.inf))
    for levels in ((0,) * 4, level):
        samples = detail.samples(detail.level(levels))
        assert samples.ravel().tolist() == detail_samples(limits + section, plan.shape, "d", levels=levels)
    return detail


@settings(max_examples=25)
@given(plans(9), SEEDS, st.tuples(*[st.integers(0, 5)] * 4))
def test_any_plan_and_its_levels(plan, seed, level):
    check(plan, seed, level)


@pytest.mark.parametrize(
    ("shape", "depths", "pieces"),
    [((1, 6, 5, 12), (0, 0, 1), 5), ((3, 5, 13, 23), (1, 0, 2), 9), ((9, 1, 1, 9), (0, 0, 0), 5)],
)
def test_pieces_of_small_tiles(shape, depths, pieces):
    groups = [Group(axes, depth) for axes, depth in zip([(0,), (1,), (2, 3)], depths, strict=True)]
    detail = check(Plan(shape, tuple(groups), 4), 8, (0, 1, 2, 1))
    assert len(detail.codes) == pieces


@pytest.mark.parametrize(
    ("shape", "level"),
    [((70,), (3,)), ((13, 22), (0, 6)), ((9, 1, 16, 11), (1, 4, 2, 0)), ((2, 9, 8, 11), (2, 2, 2, 2))],
)
def test_levels(shape, level):
    stream = random_detail(np.random.default_rng(1), shape, "i2", "C")
    coarse = decode(stream, level=level)
    assert coarse.ravel().tolist() == reference.decode_level(stream, level)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.sampled_from([0, 0.02, 0.5, 0.97, 1]), SEEDS)
def test_masks(shape, density, seed):
    rng = np.random.default_rng(seed)
    places = rng.random(shape) < density
    coded = mask_of(mask.pack(places), [n for n in shape if n > 1] or [1])
    assert [coded[at] for at in sorted(coded)] == places.ravel().tolist()


def test_a_mask_whose_passes_are_divided():
    places = np.sin(np.arange(8500) / 40) + np.random.default_rng(2).normal(0, 0.2, 8500) > 0.3
    coded = mask_of(mask.pack(places), [8500])
    assert [coded[at] for at in sorted(coded)] == places.tolist()


def test_a_mask_with_the_longest_run():
    places = np.zeros(8192, bool)
    places[8191] = True  # the last pass has 4096 voxels
    coded = mask_of(mask.pack(places), [8192])
    assert [at for at in coded if coded[at]] == [(8191,)]


def altered(stream, rng):
    """The same chunk, one of whose sections of version 4 was altered, with a checksum that is right."""
    container = unpack(stream)
    parts = dict(container.sections)
    kind = rng.choice([k for k in parts if k in (Section.DETAIL, Section.EXACT_IN_CONTEXT)])
    data = bytearray(parts[kind])
    for place in rng.integers(min(len(data), 60), size=rng.integers(1, 3)):
        data[place] ^= 1 << int(rng.integers(8))
    data += bytes(int(rng.random() < 0.05))
    return pack_container(Container(container.header, parts | {kind: bytes(data)}))


@pytest.mark.parametrize(("shape", "dtype"), [((9, 7), "u1"), ((3, 5, 6), "i2"), ((2, 3, 5, 6), "f4"), ((40,), "u8")])
def test_both_refuse_the_same(shape, dtype):
    rng = np.random.default_rng(6)
    stream = random_detail(rng, shape, dtype, "C", exact=True)
    for _ in range(40):
        other = altered(stream, rng)
        results = []
        for decoder, refusals in ((decode, CorruptStreamError), (plain, REFUSALS)):
            result = None
            with contextlib.suppress(refusals):
                result = decoder(other)
            results.append(result)
        array, expected = results
        assert same(array, expected) if array is not None and expected is not None else array is expected


def test_the_tables_of_the_document_are_those_of_the_package():
    assert np.array_equal(LOGITS, tables.DEFAULTS)
    assert np.array_equal(np.reshape(PRESETS, defaults.PRESETS.shape), defaults.PRESETS)
