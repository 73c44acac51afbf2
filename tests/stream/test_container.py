import contextlib
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import reference
from tests.models import random_stream
from tinc_codec import decode
from tinc_codec.errors import CorruptStreamError, NewerVersionError, UnsupportedDataError
from tinc_codec.stream.container import VERSION, Container, Header, ModelKind, Section, pack, supported, unpack

BROUGHT = {
    Section.RESIDUAL: 2,
    Section.CROP: 2,
    Section.CORRECTIONS: 2,
    Section.WEIGHT_LANES: 3,
    Section.DETAIL: 4,
    Section.EXACT_IN_CONTEXT: 4,
}
STREAM = random_stream(np.random.default_rng(11), (16, 20), ">u2", order="F", empty=0.4, lanes=True)
BEFORE_LANES = random_stream(np.random.default_rng(11), (16, 20), ">u2", order="F", empty=0.4, lanes=False)


def sealed(body):
    return body + reference.crc32c(body).to_bytes(4, "little")


@given(
    shape=st.lists(st.integers(0, 300), max_size=6),
    dtype=st.sampled_from(["u1", "<u2", ">u2", "<i8", ">f4", "f8"]),
    order=st.sampled_from("CF"),
    sections=st.dictionaries(st.sampled_from([*Section, 128, 255]), st.binary(max_size=40)),
)
def test_round_trip(shape, dtype, order, sections):
    if int(np.prod(shape, dtype=object)) > 2**37:
        return
    header = Header(tuple(shape), np.dtype(dtype), order, ModelKind.SINE_TREE, True)
    container = unpack(pack(Container(header, sections)))
    version = max([BROUGHT.get(section, 1) for section in sections], default=1)
    assert container.header == dataclasses.replace(header, version=version)
    assert container.header.dtype.str == np.dtype(dtype).str
    assert container.sections == sections


@pytest.mark.parametrize("length", range(len(STREAM)))
def test_every_truncation_is_an_error(length):
    with pytest.raises(CorruptStreamError):
        decode(STREAM[:length])


@given(position=st.integers(0, len(STREAM) - 1), flip=st.integers(1, 255))
def test_every_altered_byte_is_an_error(position, flip):
    altered = bytearray(STREAM)
    altered[position] ^= flip
    with pytest.raises(CorruptStreamError):
        decode(bytes(altered))


@given(extra=st.binary(min_size=1, max_size=9))
def test_anything_after_the_stream_is_an_error(extra):
    with pytest.raises(CorruptStreamError):
        decode(STREAM + extra)


@given(data=st.binary(max_size=200))
def test_foreign_bytes_are_an_error(data):
    with pytest.raises(CorruptStreamError, match="not a TINC stream"):
        decode(data)


@given(data=st.data())
def test_hostile_streams_with_a_right_checksum_decode_or_are_refused(data):
    """Damage that the checksum does not see must not crash, hang, or read outside."""
    body = bytearray(data.draw(st.sampled_from([STREAM, BEFORE_LANES]))[:-4])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(5, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CorruptStreamError, MemoryError):
        decode(sealed(bytes(body)))


def test_a_newer_version_says_so():
    body = bytearray(STREAM[:-4])
    body[4] = VERSION + 1
    with pytest.raises(
        NewerVersionError, match=rf"format version {VERSION + 1}.*reads up to {VERSION}.*newer tinc-codec"
    ):
        decode(sealed(bytes(body)))


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (4, 0, "version 0"),
        (5, 8, "reserved flags"),
        (6, 9, "model kind 9"),
        (7, 99, "dtype code 99"),
        (8, 99, "99 axes"),
    ],
)
def test_reserved_values_are_refused(position, value, message):
    body = bytearray(STREAM[:-4])
    body[position] = value
    with pytest.raises(CorruptStreamError, match=message):
        decode(sealed(bytes(body)))


def test_a_claim_of_absurd_size_is_refused():
    header = Header((2**20, 2**20, 2**20), np.dtype("u1"), "C", ModelKind.NONE, True)
    with pytest.raises(CorruptStreamError, match="beyond"):
        unpack(pack(Container(header, {})))


@pytest.mark.parametrize(("section", "version"), BROUGHT.items())
def test_what_a_version_brought_is_refused_in_the_one_before(section, version):
    header = Header((16, 20), np.dtype("u2"), "C", ModelKind.SINE_TREE, False)
    body = bytearray(pack(Container(header, {section: b"1"}))[:-4])
    assert body[4] == version
    body[4] = version - 1
    with pytest.raises(
        CorruptStreamError, match=f"section {section:d} is repeated, or none of format version {body[4]}"
    ):
        decode(sealed(bytes(body)))


def test_unknown_optional_sections_are_skipped_and_others_refused():
    container = unpack(STREAM)
    more = pack(Container(container.header, {**container.sections, 200: b"later"}))
    assert decode(more).tobytes() == decode(STREAM).tobytes()
    with pytest.raises(CorruptStreamError, match="section 99"):
        decode(pack(Container(container.header, {**container.sections, 99: b"later"})))


def test_a_missing_section_is_named():
    container = unpack(STREAM)
    rest = {kind: data for kind, data in container.sections.items() if kind != Section.LAYERS}
    with pytest.raises(CorruptStreamError, match="section layers is missing"):
        decode(pack(Container(container.header, rest)))


def test_memory_order_and_byte_order_come_back():
    decoded = decode(STREAM)
    assert decoded.dtype.str == ">u2"
    assert decoded.flags.f_contiguous
    assert not decoded.flags.c_contiguous
    assert decoded.flags.writeable


def test_dtypes_without_a_code_are_refused():
    header = Header((3,), np.dtype("c8"), "C", ModelKind.NONE, True)
    with pytest.raises(UnsupportedDataError, match="complex64"):
        pack(Container(header, {}))


@pytest.mark.parametrize("dtype", ["T", "U4", "S3", "O", "M8[ns]", "m8[s]", "c8", "?", "V2", [("a", "u1")]])
def test_dtypes_that_no_chunk_has_are_not_supported(dtype):
    kind = np.dtypes.StringDType() if dtype == "T" else np.dtype(dtype)
    assert not supported(kind)
