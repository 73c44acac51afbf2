"""The container of one chunk: header, sections with lengths, CRC-32C. FORMAT.md beside this file is normative."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

import google_crc32c
import numpy as np

from tinc_codec.errors import CorruptStreamError, NewerVersionError, UnsupportedDataError
from tinc_codec.stream.fields import FieldReader, FieldWriter

MAGIC = b"TINC"
VERSION = 4
"""Newest format version; a stream is written in the oldest version that has what it needs."""
LARGEST_CHUNK = 2**40
"""Samples' bytes of the largest chunk that is accepted; a header that claims more is taken for damage."""
LARGEST_RANK = 32
LARGEST_INDEXED = 2**63 - 1
"""Bytes that axes may span, those of size 0 left out: NumPy makes no other arrays."""

_BIG_ENDIAN, _FORTRAN, _LOSSLESS = 1, 2, 4
_DTYPES = {
    code: np.dtype(name)
    for code, name in enumerate(
        ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"],
        start=1,
    )
}
_CODES = {dtype: code for code, dtype in _DTYPES.items()}


class Section(IntEnum):
    """Kinds of sections; identifiers from 128 on may be skipped by a decoder that does not know them."""

    QUALITY = 1
    TREE = 2
    LAYERS = 3
    WEIGHTS = 4
    CONSTANTS = 5
    EXACT = 6
    RESIDUAL = 7
    LOSSLESS = 8
    CROP = 9
    CORRECTIONS = 10
    WEIGHT_LANES = 11
    DETAIL = 12
    EXACT_IN_CONTEXT = 13


_SINCE: dict[int, int] = {
    Section.RESIDUAL: 2,
    Section.CROP: 2,
    Section.CORRECTIONS: 2,
    Section.WEIGHT_LANES: 3,
    Section.DETAIL: 4,
    Section.EXACT_IN_CONTEXT: 4,
}
"""Format versions that brought sections; the others are there from the first on."""


class ModelKind(IntEnum):
    """What predicts the samples: bit 0 is the sine tree, bit 1 the detail, which is added to it."""

    NONE = 0
    SINE_TREE = 1
    DETAIL = 2
    SINE_TREE_AND_DETAIL = 3

    @property
    def since(self) -> int:
        """Format version that brought it."""
        return 4 if self & ModelKind.DETAIL else 1


_SECTIONS, _KINDS = frozenset(map(int, Section)), frozenset(map(int, ModelKind))


@dataclass(frozen=True)
class Header:
    """What a chunk is, whatever holds its samples.

    Parameters
    ----------
    shape
        Shape of the chunk as it was given, 0 to 32 axes.
    dtype
        Dtype of the samples with the byte order they were given in.
    order
        ``"C"`` or ``"F"``: the memory order to return.
    kind
        The model's kind.
    lossless
        Whether the samples lie in the lossless section.
    version
        Format version that the stream was read from, or the oldest that it may be written in.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    order: str
    kind: ModelKind
    lossless: bool
    version: int = 1

    @property
    def raw_bytes(self) -> int:
        """Size of the uncompressed chunk in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Container:
    """A header and its sections' payloads."""

    header: Header
    sections: dict[int, bytes] = field(default_factory=dict)

    def section(self, kind: Section) -> FieldReader:
        """FieldReader over a section that must be there."""
        name = f"section {kind.name.lower()}"
        if kind not in self.sections:
            raise CorruptStreamError(f"{name} is missing")
        return FieldReader(self.sections[kind], name)


def supported(dtype: np.dtype[np.generic]) -> bool:
    """Whether chunks of `dtype`, in either byte order, can be stored."""
    return dtype.kind in "iuf" and dtype.newbyteorder("=") in _CODES  # others may know no byte order


def pack(container: Container) -> bytes:
    """Write a container as bytes."""
    header, out = container.header, FieldWriter()
    native = header.dtype.newbyteorder("=")
    if native not in _CODES:
        raise UnsupportedDataError(f"samples of dtype {header.dtype} cannot be stored")
    big = header.dtype.itemsize > 1 and header.dtype.newbyteorder(">") == header.dtype
    flags = _BIG_ENDIAN * big | _FORTRAN * (header.order == "F") | _LOSSLESS * header.lossless
    out.raw(MAGIC)
    version = max(header.version, header.kind.since, *(_SINCE.get(kind, 1) for kind in container.sections))
    for value in (version, flags, header.kind, _CODES[native], len(header.shape)):
        out.number("B", value)
    for size in header.shape:
        out.count(size)
    out.number("B", len(container.sections))
    for kind, payload in sorted(container.sections.items()):
        out.number("B", kind)
        out.count(len(payload))
        out.raw(payload)
    body = out.bytes()
    return body + int(google_crc32c.value(body)).to_bytes(4, "little")


def unpack(data: bytes | memoryview) -> Container:
    """Read a container, after checking that nothing in it was altered.

    Raises
    ------
    NewerVersionError
        The stream's format version is above `VERSION`.
    CorruptStreamError
        The bytes are truncated, altered, or not a TINC stream.
    """
    body = _checked(bytes(data))
    reader = FieldReader(body, "stream")
    reader.raw(len(MAGIC))
    version, flags, kind, code, rank = (reader.byte() for _ in range(5))
    if flags & ~(_BIG_ENDIAN | _FORTRAN | _LOSSLESS):
        raise CorruptStreamError(f"reserved flags are set: {flags:#04x}")
    if kind not in _KINDS or ModelKind(kind).since > version:
        raise CorruptStreamError(f"model kind {kind} is not one of format version {version}")
    if code not in _DTYPES or rank > LARGEST_RANK:
        raise CorruptStreamError(f"dtype code {code} with {rank} axes is not one of format version {version}")
    dtype = _DTYPES[code].newbyteorder(">" if flags & _BIG_ENDIAN else "<")
    shape = tuple(reader.count(LARGEST_CHUNK) for _ in range(rank))
    if math.prod(shape) * dtype.itemsize > LARGEST_CHUNK:
        raise CorruptStreamError(f"shape {shape} of {dtype} is beyond {LARGEST_CHUNK} bytes")
    if math.prod(filter(None, shape)) * dtype.itemsize > LARGEST_INDEXED:
        raise CorruptStreamError(f"shape {shape} of {dtype} is beyond what arrays can have, though one axis is 0")
    sections: dict[int, bytes] = {}
    for _ in range(reader.byte()):
        section = reader.byte()
        if section in sections or (section < 128 and not _known(section, version)):
            raise CorruptStreamError(f"section {section} is repeated, or none of format version {version}")
        sections[section] = reader.raw(reader.count(len(body)))
    reader.end()
    order = "F" if flags & _FORTRAN else "C"
    return Container(Header(shape, dtype, order, ModelKind(kind), bool(flags & _LOSSLESS), version), sections)


def _known(section: int, version: int) -> bool:
    return section in _SECTIONS and _SINCE.get(section, 1) <= version


def _checked(data: bytes) -> bytes:
    """Everything before the checksum, if magic, version and checksum are right."""
    if len(data) < len(MAGIC) + 1 or data[: len(MAGIC)] != MAGIC:
        raise CorruptStreamError(
            f"not a TINC stream: {len(data)} bytes that begin with {data[:4]!r} instead of {MAGIC!r}"
        )
    version = data[len(MAGIC)]
    if version > VERSION:
        raise NewerVersionError(
            f"the stream has format version {version}, this tinc_codec reads up to {VERSION}: "
            "install a newer tinc-codec"
        )
    if version == 0:
        raise CorruptStreamError("format version 0 does not exist")
    body, stored = data[:-4], int.from_bytes(data[-4:], "little")
    if google_crc32c.value(body) != stored:
        raise CorruptStreamError(f"checksum mismatch: the {len(data)} bytes were truncated or altered")
    return body
