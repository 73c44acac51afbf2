"""Arrays stored exactly: raw, one repeated value, byte-shuffled Zstandard, or pcodec, whichever is smallest."""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream import frames, pcodec_file

_LEVEL, _QUICK = 12, 1
_PARTS = (64, 16, 4, 1)
_BETTER = 0.5
"""Bytes of the thorough level over those of the quick one, at least, of what images are like."""


class Method(IntEnum):
    """How the values are stored."""

    RAW = 0
    REPEAT = 1
    ZSTD = 2
    PCODEC = 3


_METHODS = frozenset(map(int, Method))


def pack(values: NDArray[Any], newest: bool = False) -> bytes:
    """Store the values of an array, in C order and little-endian, behind one byte that names the method.

    Parameters
    ----------
    values
        What to store.
    newest
        Whether methods are allowed that came after format version 1.
    """
    flat = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1)
    raw = flat.tobytes()
    size = flat.dtype.itemsize
    if len(flat) > 1 and raw == raw[:size] * len(flat):
        return bytes([Method.REPEAT]) + raw[:size]
    packed = [(Method.RAW, raw)]
    if raw:
        packed.append((Method.ZSTD, frames.compress(_shuffled(flat), _LEVEL)))
    if raw and newest and size > 1:  # pcodec is not made for single bytes
        native = flat.astype(flat.dtype.newbyteorder("="), copy=False)
        packed.append((Method.PCODEC, pcodec_file.compress(native)))
    method, payload = min(packed, key=lambda pair: len(pair[1]))
    return bytes([method]) + payload


def part_exceeds(values: NDArray[Any], size: int) -> bool:
    """Whether a part of the values, from their middle or all, takes more than so many bytes, so that all of them do."""
    flat = np.ascontiguousarray(values).reshape(-1)
    halves = (len(flat) // part / 2 for part in _PARTS)
    parts = (flat[math.floor(len(flat) / 2 - half) : math.floor(len(flat) / 2 + half)] for half in halves)
    return any(_exceeds(part, size) for part in parts if part.nbytes > size)


def _exceeds(flat: NDArray[Any], size: int) -> bool:
    """Whether values take more than so many bytes, by each method; zstd's quick level says what it would."""
    native = flat.astype(flat.dtype.newbyteorder("="), copy=False)
    if native.tobytes() == native[:1].tobytes() * len(native):
        return False
    if _BETTER * len(frames.compress(_shuffled(native), _QUICK)) <= size:
        return False
    return native.itemsize == 1 or len(pcodec_file.compress(native)) > size


def _shuffled(flat: NDArray[Any]) -> bytes:
    """Bytes of values in C order: the first one of each, then the second, ..."""
    return np.frombuffer(flat.tobytes(), np.uint8).reshape(-1, flat.itemsize).T.tobytes()


def unpack(data: bytes, count: int, dtype: np.dtype[np.generic], newest: bool = False) -> NDArray[Any]:
    """Read `count` values of native `dtype`; `newest` as in `pack`. A repeated value takes no memory, read-only."""
    if not data or data[0] not in _METHODS or (data[0] == Method.PCODEC and not newest):
        raise CorruptStreamError("exactly stored values name no known method")
    method, payload = Method(data[0]), data[1:]
    if method is Method.PCODEC:
        return pcodec_file.decompress(payload, count, dtype)
    size = dtype.itemsize * (1 if method is Method.REPEAT else count)
    if method is Method.ZSTD:
        payload = frames.decompress(payload, size)
    if len(payload) != size:
        raise CorruptStreamError(f"{count} values of {dtype} take {size} bytes, {len(payload)} are there")
    if method is Method.ZSTD:
        payload = np.frombuffer(payload, np.uint8).reshape(dtype.itemsize, -1).T.tobytes()
    values = np.frombuffer(payload, dtype.newbyteorder("<")).astype(dtype)
    return np.broadcast_to(values, count) if method is Method.REPEAT else values
