"""Values that come back bit for bit at their places, whatever the model says there (NaN, infinities, a background)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.stream import lossless
from tinc_codec.stream.fields import FieldReader, FieldWriter


def pack(volume: NDArray[Any], mask: NDArray[np.bool_]) -> bytes:
    """Store the values of `volume` where `mask` is True."""
    values = lossless.pack(volume[mask])
    places = lossless.pack(np.packbits(mask))
    out = FieldWriter()
    out.count(int(mask.sum()))
    out.count(len(places))
    out.raw(places + values)
    return out.bytes()


def unpack(
    section: FieldReader, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Where the exact values of a chunk are, shape `shape`, and what they are, in C order and native `dtype`."""
    total = math.prod(shape)
    count = section.count(total)
    places = lossless.unpack(section.raw(section.count(section.remaining)), -(-total // 8), np.dtype(np.uint8))
    mask = np.unpackbits(places, count=total).astype(bool).reshape(shape)
    if int(mask.sum()) != count:
        section.fail(f"{int(mask.sum())} places for {count} exact values")
    values = lossless.unpack(section.raw(section.remaining), count, dtype)
    return mask, np.require(values, requirements=("C", "W"))
