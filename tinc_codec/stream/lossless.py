"""Small arrays stored exactly: raw, one repeated value, or byte-shuffled Zstandard, whichever is smallest."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numcodecs.zstd import Zstd
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError

_LEVEL = 12


class Method(IntEnum):
    """How the values are stored."""

    RAW = 0
    REPEAT = 1
    ZSTD = 2


def pack(values: NDArray[Any]) -> bytes:
    """Store the values of an array, in C order and little-endian, behind one byte that names the method."""
    flat = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1)
    raw = flat.tobytes()
    size = flat.dtype.itemsize
    if len(flat) > 1 and raw == raw[:size] * len(flat):
        return bytes([Method.REPEAT]) + raw[:size]
    shuffled = np.frombuffer(raw, np.uint8).reshape(-1, size).T.tobytes()
    packed = bytes(Zstd(level=_LEVEL).encode(shuffled)) if raw else b""
    if raw and len(packed) < len(raw):
        return bytes([Method.ZSTD]) + packed
    return bytes([Method.RAW]) + raw


def unpack(data: bytes, count: int, dtype: np.dtype[np.generic]) -> NDArray[Any]:
    """Read `count` values of native `dtype`."""
    if not data or data[0] not in list(Method):
        raise CorruptStreamError("exactly stored values name no known method")
    method, payload = Method(data[0]), data[1:]
    size = dtype.itemsize * (1 if method is Method.REPEAT else count)
    if method is Method.ZSTD:
        try:
            payload = bytes(Zstd().decode(payload))
        except (RuntimeError, ValueError) as error:
            raise CorruptStreamError(f"exactly stored values do not decompress: {error}") from error
    if len(payload) != size:
        raise CorruptStreamError(f"{count} values of {dtype} take {size} bytes, {len(payload)} are there")
    if method is Method.ZSTD:
        payload = np.frombuffer(payload, np.uint8).reshape(dtype.itemsize, -1).T.tobytes()
    values = np.frombuffer(payload, dtype.newbyteorder("<")).astype(dtype)
    return np.full(count, values[0]) if method is Method.REPEAT else values
