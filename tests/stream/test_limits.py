"""Few bytes that claim much, behind a right checksum: refused before the work begins, by both decoders alike."""

import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs.zstd import Zstd

from tests.models import random_stream
from tinc_codec import CorruptStreamError, LimitError, TINCCodec, decode, decode_batch, sample, set_process
from tinc_codec.decoding.inspect import inspect
from tinc_codec.encoding.residual.volume import tile_grid
from tinc_codec.runtime.settings import WORK
from tinc_codec.stream import limits, lossless
from tinc_codec.stream.container import Container, Header, ModelKind, Section, pack, unpack
from tinc_codec.stream.fields import FieldWriter
from tinc_codec.stream.limits import Expected
from tinc_codec.tree.partition import partition

DECODERS = pytest.mark.parametrize("decoder", ["numba", "numpy"])
MODEST = 30 * 2**20
"""Bytes that a refusal may take."""


def fields(*parts):
    """Bytes from numbers (counts) and bytes."""
    out = FieldWriter()
    for part in parts:
        out.raw(part) if isinstance(part, bytes) else out.count(part)
    return out.bytes()


def stored(shape, dtype, payload, crop=None, version=2):
    header = Header(shape, np.dtype(dtype), "C", ModelKind.NONE, True, version)
    sections = {Section.LOSSLESS: payload} | ({} if crop is None else {Section.CROP: crop})
    return pack(Container(header, sections))


def zeros(shape, levels, tensors, dtype="u1", code=b"", lanes=False):
    """A tree whose weights are all 0 and take no code.

    `levels` are (mask, sine layers, widths, members of the classes but the last); `tensors` is the number of those that
    are not linear for each that is.
    """
    size = np.dtype(dtype).itemsize
    tree = [bytes(size), bytes(size), np.array(5, dtype).tobytes(), len(levels), *(mask for mask, *_ in levels[1:])]
    for _, layers, widths, members in levels:
        tree += [layers, len(widths), *widths, *members]
    layers = b""
    for sines in tensors:
        layers += (struct.pack("<f", 1.0) + bytes(3)) * sines + struct.pack("<d", 1.0) + bytes(3)
    header = Header(shape, np.dtype(dtype), "C", ModelKind.SINE_TREE, False)
    sections = {
        Section.TREE: fields(*tree),
        Section.LAYERS: layers,
        Section.WEIGHT_LANES if lanes else Section.WEIGHTS: fields(0, 0, 0, code) if lanes else code,
        Section.CONSTANTS: lossless.pack(np.zeros(0, dtype)),
    }
    return pack(Container(header, sections))


def residual(shape, tiles, rest=b""):
    """A residual of u1 over so many tiles along each axis, one level, tokens that are all 0."""
    section = fields(bytes([0, 0]), 1, 9, 0, *tiles, bytes([0]), 1, bytes([0]), 0, bytes([0]), 0, bytes([0]), 0)
    section += rest or fields(1, b"\0", bytes(math.prod(tiles)))
    header = Header(shape, np.dtype("u1"), "C", ModelKind.NONE, False)
    return pack(Container(header, {Section.RESIDUAL: section}))


def refused(stream, decoder, message, kind=CorruptStreamError):
    """Refused by every way of reading, and without much memory."""
    set_process(decoder=decoder)
    for way in (decode, lambda s: decode(s, (0,)), lambda s: decode(s, level=1)):
        tracemalloc.start()
        try:
            with pytest.raises(kind, match=message):
                way(stream)
            assert tracemalloc.get_traced_memory()[1] < MODEST
        finally:
            tracemalloc.stop()


LARGE = {
    "repeated": stored((2**40,), "u1", b"\x01\x07"),
    "repeated, 1 GiB": stored((2**30,), "u1", b"\x01\x07"),
    "repeated, many axes": stored((2,) * 32, "u1", b"\x01\x07"),
    "raw": stored((2**40,), "u1", b"\0\x07"),
    "pcodec": stored((2**39,), "u2", b"\x03pco!\x02\x01\0"),
    "cropped": stored((2**40,), "u1", b"\0\x07", fields(1, b"\x05")),
    "cropped, 256 MiB": stored((2**14, 2**14), "u1", b"\0\x07", fields(1, 1, b"\x05")),
    "tree": zeros((2**20, 2**20), [(0, 2, [4], [0])], [2]),
    "residual": residual((2**36,), (1,)),
}


@pytest.mark.parametrize("name", LARGE)
def test_an_array_is_no_larger_than_the_process_allows(name):
    refused(LARGE[name], "numpy", "bytes claim an array of shape .* set TINC_LIMIT, or set_process", LimitError)
    for way in (inspect, lambda s: sample(s, np.zeros((1, 1)))):
        with pytest.raises(LimitError, match="TINC_LIMIT"):
            way(LARGE[name])


def test_the_limit_grows_with_the_stream_and_the_process_sets_another():
    header = Header((2**28,), np.dtype("u1"), "C", ModelKind.NONE, True)
    with pytest.raises(LimitError, match=f"where {2**27 + 100 * 2**12} are allowed"):
        limits.check_header(header, 100, None)
    limits.check_header(header, 2**16, None)
    with pytest.raises(LimitError, match=f"where {2**32} are allowed"):
        limits.check_header(Header((2**33,), header.dtype, "C", ModelKind.NONE, True), 2**40, None)
    small = stored((100,), "u2", b"\x01\x07\0")
    set_process(limit=199)
    with pytest.raises(LimitError, match="200 bytes, where 199 are allowed"):
        decode(small)
    set_process(limit=200)
    assert (decode(small) == 7).all()


def test_where_the_chunk_is_expected_no_limit_is_needed():
    set_process(limit=10)
    values = np.full((20, 30), 7, "u2")
    stream = TINCCodec(max_error=0).encode(values)
    with pytest.raises(LimitError):
        decode(stream)
    assert (decode(stream, expected=Expected(1200)) == 7).all()
    assert (decode(stream, (3,), expected=Expected(shape=(20, 30), dtype=np.dtype(">u2"))) == 7).all()
    out = np.zeros((20, 30), "u2")
    assert TINCCodec().decode(stream, out=out) is out
    assert (out == 7).all()
    for expected in (Expected(1199), Expected(shape=(30, 20)), Expected(dtype=np.dtype("i2"))):
        with pytest.raises(CorruptStreamError, match="belongs to another array"):
            decode(stream, expected=expected)
    with pytest.raises(CorruptStreamError, match="1200 bytes, where 600 are expected"):
        TINCCodec().decode(stream, out=bytearray(600))


def test_a_chunk_that_is_kept_is_checked_again():
    stream = TINCCodec(max_error=0).encode(np.arange(600, dtype="u2"))
    decode(stream, (3,))
    set_process(limit=10)
    with pytest.raises(LimitError):
        decode(stream, (3,))


@pytest.mark.parametrize("shape", [(0, 2**40, 2**40, 2**40), (2**40, 0, 2**24), (2**40, 2**22, 0)])
def test_an_axis_of_size_0_hides_no_others(shape):
    stream = stored(shape, "u2", b"\0")
    for way in (decode, lambda s: decode(s, level=2), lambda s: decode(s, (slice(0),))):
        with pytest.raises(CorruptStreamError, match="beyond what arrays can have"):
            way(stream)
    assert decode(stored((2**40, 0, 2**21), "u2", b"\0")).shape == (2**40, 0, 2**21)


def zstd(data, level=3):
    return bytes(Zstd(level=level).encode(data))


BOMB = zstd(bytes(2**22))
EIGHT = zstd(bytes(8))
UNKNOWN = bytes.fromhex("28b52ffd0058010000") + bytes(2)
FRAMES = {
    "too much": BOMB,
    "a claim of 256 GB": bytes.fromhex("28b52ffde0") + struct.pack("<Q", 2**38) + bytes([1, 0, 0]),
    "two frames": EIGHT + EIGHT,
    "a frame and an empty one": EIGHT + zstd(b""),
    "a frame and one to skip": EIGHT + bytes.fromhex("502a4d1804000000") + bytes(4),
    "one to skip first": bytes.fromhex("502a4d1804000000") + bytes(4) + EIGHT,
    "bytes after the frame": EIGHT + b"\0",
    "no end": EIGHT[:-1],
    "no size": UNKNOWN,
    "a dictionary that is cut off": bytes.fromhex("28b52ffd23"),
    "a right size, and more in the blocks": bytes.fromhex("28b52ffd2008")
    + struct.pack("<I", 2**20 << 3 | 3)[:3]
    + b"\0",
    "nothing": b"",
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_zstandard_is_one_and_of_the_size_that_belongs_there(name):
    refused(stored((8,), "u1", b"\x02" + FRAMES[name], version=1), "numpy", "frame that|do not decompress")


@pytest.mark.parametrize("size", [1, 255, 256, 257, 65535, 65791, 65792, 200_000])
@pytest.mark.parametrize("level", [1, 19])
def test_frames_of_any_size_are_read(size, level):
    from tinc_codec.stream import frames

    data = np.random.default_rng(size).integers(0, 3, size).astype("u1").tobytes()
    assert frames.decompress(frames.compress(data, level), size) == data


@pytest.mark.parametrize("kind", [Section.EXACT, Section.CORRECTIONS])
@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (fields(5, len(BOMB) + 1, b"\x02" + BOMB), "frame that says it holds 4194304"),
        (fields(2**30, 2, b"\x01\xff"), "where at most 320 makes sense"),
        (fields(320, 2, b"\x01\xff\x02" + BOMB), "frame that says it holds 4194304"),
        (fields(320, 2, b"\x01\xff\0\0"), "320 values of uint16 take 640 bytes"),
    ],
)
@DECODERS
def test_masks_and_exact_values_are_no_larger_than_the_chunk(decoder, kind, payload, message):
    container = unpack(random_stream(np.random.default_rng(0), (16, 20), "u2"))
    stream = pack(Container(container.header, {**container.sections, kind: payload}))
    set_process(decoder=decoder)
    with pytest.raises(CorruptStreamError, match=message):
        decode(stream)


WIDE = {
    "parameters": (zeros((8, 8, 8), [(0, 4, [4096], [0])], [4]), "parameters, where at most 5120 make sense"),
    "parameters in lanes": (
        zeros((8, 8, 8), [(0, 4, [4096], [0])], [4], lanes=True),
        "parameters, where at most 5120 make sense",
    ),
    "parameters of many nodes": (
        zeros((64, 64), [(0, 1, [30], [0]), (3, 16, [40], [0]), (3, 16, [40], [0])], [33]),
        "parameters, where at most 12288 make sense",
    ),
    "layers of nodes": (
        zeros((2**14,), [(0, 16, [1], [0])] + [(1, 16, [1], [0])] * 11, [192]),
        "layers of nodes, where at most 16448 make sense",
    ),
    "tensors": (
        zeros(
            (2**14,),
            [(0, 1, [1], [0]), *[(1, 1, [1], [0])] * 7, (1, 16, [1] * 64, [0] + [4] * 63)],
            [0],
            code=np.random.default_rng(0).bytes(400),
        ),
        "tensors, where at most 512 make sense",
    ),
    "leaves": (zeros((64,), [(0, 1, [1], [0])] + [(1, 1, [1], [0])] * 5, [6]), r"splits .* do not fit"),
}


@pytest.mark.parametrize("name", WIDE)
@DECODERS
def test_a_model_is_no_larger_than_its_chunk_gives_reason_for(decoder, name):
    stream, message = WIDE[name]
    refused(stream, decoder, message)


@DECODERS
def test_multiply_adds_are_limited_and_the_process_sets_another_limit(decoder):
    stream = zeros((16, 16, 16), [(0, 2, [60], [0])], [2])
    set_process(decoder=decoder, work=3600)
    with pytest.raises(LimitError, match=r"takes 3840 multiply-adds a voxel, where 3600 are allowed: .* TINC_WORK"):
        decode(stream)
    set_process(work=3840)
    assert (decode(stream) == 0).all()


@DECODERS
def test_free_parameters_end_where_code_would_have_to_pay(decoder, monkeypatch):
    stream = zeros((16, 16, 16), [(0, 2, [60], [0])], [2])
    monkeypatch.setattr(limits, "FREE_PARAMETERS", 3900)
    set_process(decoder=decoder)
    with pytest.raises(CorruptStreamError, match="the model has 3961 parameters, where at most 3900"):
        decode(stream)
    container = unpack(stream)
    paid = pack(Container(container.header, {**container.sections, Section.WEIGHTS: bytes(4)}))
    assert (decode(paid) == 0).all()


@given(shape=st.lists(st.integers(1, 400), min_size=1, max_size=4).map(tuple), levels=st.integers(1, 9))
def test_whatever_an_encoder_partitions_fits(shape, levels):
    assert limits.fits(shape, partition(shape, levels).leaf_grid)


@given(shape=st.lists(st.integers(1, 4000), min_size=1, max_size=4).map(tuple))
def test_whatever_an_encoder_tiles_fits(shape):
    assert limits.tiles_fit(shape, tile_grid(shape))


@DECODERS
def test_what_is_at_the_limits_is_read(decoder):
    set_process(decoder=decoder)
    assert (decode(zeros((56,), [(0, 1, [1], [0])] + [(1, 1, [1], [0])] * 3, [4])) == 0).all()
    assert (decode(residual((16, 256), (1, 2))) == 0).all()


@pytest.mark.parametrize(
    ("shape", "tiles"),
    [((64, 64, 64), (64, 64, 64)), ((64, 64, 64), (64, 2, 1)), ((2**14, 2), (10, 1)), ((2**20,), (1,)), ((7,), (0,))],
)
@DECODERS
def test_tiles_are_as_large_as_an_encoder_makes_them(decoder, shape, tiles):
    refused(residual(shape, tiles), decoder, "tiles over a chunk of shape|0 where at most|tiles over")


def test_tiles_each_have_a_length():
    refused(residual((2**20, 4), (2**10, 1), rest=b"\0"), "numpy", r"\(1024, 1\) tiles over a chunk")


def test_both_parsers_have_the_same_numbers():
    """What the encoder's largest trees take is within them, by far."""
    work = limits.allowed((64, 64, 64), 2, 1000)
    assert work == (2**18 + 64, 512, 2**20 + 2**12, WORK * 2**18)
    assert limits.allowed((64, 64, 64), 8, 0).parameters == 2**22
    assert limits.fits((15, 1, 14), (2, 1, 2))
    assert not limits.fits((15, 1, 13), (2, 1, 2))
    assert not limits.fits((0,), (1,))


def test_a_batch_is_limited_too():
    pytest.importorskip("torch")
    with pytest.raises(LimitError):
        decode_batch([LARGE["tree"]], "cpu")


def test_pcodec_holds_as_many_values_as_belong_there_():
    values = np.cumsum(np.random.default_rng(0).integers(0, 60, 4000)).astype("u4")
    payload = lossless.pack(values, newest=True)
    assert payload[0] == lossless.Method.PCODEC
    assert (decode(stored((4000,), "u4", payload)) == values).all()
    for count in (3999, 4001, 2**20):
        with pytest.raises(CorruptStreamError, match=r"4000 values.* instead of"):
            decode(stored((count,), "u4", payload))
