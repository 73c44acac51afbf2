"""Values that come back bit for bit at their places, whatever the model says there (NaN, infinities)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.stream import lossless
from tinc_codec.stream.fields import Reader, Writer


def pack(volume: NDArray[Any], mask: NDArray[np.bool_]) -> bytes:
    """Store the values of `volume` where `mask` is True."""
    values = lossless.pack(volume[mask])
    places = lossless.pack(np.packbits(mask))
    out = Writer()
    out.count(int(mask.sum()))
    out.count(len(places))
    out.raw(places + values)
    return out.bytes()


def restore(section: Reader, volume: NDArray[Any]) -> None:
    """Write the stored values into a C-ordered `volume` of native dtype, in place."""
    count = section.count(volume.size)
    places = lossless.unpack(section.raw(section.count(section.remaining)), -(-volume.size // 8), np.dtype(np.uint8))
    mask = np.unpackbits(places, count=volume.size).astype(bool).reshape(volume.shape)
    volume[mask] = lossless.unpack(section.raw(section.remaining), int(mask.sum()), volume.dtype)
    if int(mask.sum()) != count:
        section.fail(f"{int(mask.sum())} places for {count} exact values")
