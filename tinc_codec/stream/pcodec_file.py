"""pcodec's standalone files, read chunk by chunk, so that it is known where they end (FORMAT.md, "Stored arrays").

`pcodec.standalone` stops at the terminator and does not say where that was, or reads as far as the values go.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone, wrapped

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.fields import FieldReader

_MAGIC = b"pco!\x03\x00"
"""Name, version, and no dtype for all chunks: each has its own."""

_TYPES = {"u4": 1, "u8": 2, "i4": 3, "i8": 4, "f4": 5, "f8": 6, "u2": 7, "i2": 8, "f2": 9}
_CODES = {np.dtype(name): code for name, code in _TYPES.items()}

_HEADER, _SLACK = 16, 2**16
"""Bytes that a header, and a chunk beside twice its values, take at most."""


def compress(values: NDArray[Any]) -> bytes:
    """One file with values of a native dtype that has more than one byte."""
    return bytes(standalone.simple_compress(values, ChunkConfig()))


def decompress(data: bytes, count: int, dtype: np.dtype[np.generic]) -> NDArray[Any]:
    """The `count` values, of native `dtype`, of a file that holds nothing else.

    Raises
    ------
    CorruptStreamError
        It is not one file with so many values of that dtype.
    """
    values, file = np.empty(count, dtype), FieldReader(data, "a pcodec file")
    if dtype not in _CODES or file.raw(len(_MAGIC)) != _MAGIC:
        file.fail(f"not one of values of {dtype}")
    _skip_hint(file)
    done = 0
    try:
        header, taken = wrapped.FileDecompressor.new(file.ahead(_HEADER))
        file.raw(taken)
        while kind := file.byte():
            size = int.from_bytes(file.raw(3), "little") + 1
            if kind != _CODES[dtype] or size > count - done:
                file.fail(f"{done + size} values or more, of type {kind}, instead of {count} of {dtype}")
            _read_chunk(file, header, values[done : done + size])
            done += size
    except (RuntimeError, TypeError) as error:
        raise CorruptStreamError(f"exactly stored values do not decompress: {error}") from error
    if done != count:
        file.fail(f"{done} values of {dtype} instead of {count}")
    file.end()
    return values


def _skip_hint(file: FieldReader) -> None:
    """Take about how many values there are: six bits say how many bits follow, less one."""
    bits = 7 + (file.ahead(1) or b"\0")[0] % 64
    file.raw(-(-bits // 8))


def _read_chunk(file: FieldReader, header: Any, values: NDArray[Any]) -> None:
    """Take a chunk, which has one page."""
    most = 2 * values.nbytes + _SLACK
    name = f"{values.dtype.kind}{8 * values.itemsize}"
    chunk, taken = header.chunk_decompressor(file.ahead(most), name)
    file.raw(taken)
    progress, taken = chunk.read_page_into(file.ahead(most), len(values), values)
    file.raw(taken)
    if progress.n_processed != len(values) or not progress.finished:
        file.fail(f"a chunk of {progress.n_processed} values instead of {len(values)}")
