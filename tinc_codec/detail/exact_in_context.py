"""Values that come back bit for bit at their places, the places as a mask in context (FORMAT.md, section 13).

A background, masked samples and NaN lie together: a mask coded by what its neighbours are takes a part of what
`tinc_codec.stream.exact` takes for it, unless the places are scattered.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.detail.work import Work
from tinc_codec.stream import lossless
from tinc_codec.stream.fields import FieldReader, FieldWriter


def pack(volume: NDArray[Any], mask: NDArray[np.bool_], work: Work) -> bytes:
    """Store the values of `volume` where `mask` is True; 1 to 4 axes."""
    out, places = FieldWriter(), work.pack_mask(mask)
    out.count(len(places))
    out.raw(places + lossless.pack(volume[mask]))
    return out.bytes()


def unpack(
    section: FieldReader, shape: tuple[int, ...], dtype: np.dtype[Any], work: Work
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Where the exact values of a chunk are, shape `shape`, and what they are, in C order and native `dtype`.

    Raises
    ------
    CorruptStreamError
        No encoder wrote it.
    """
    places = section.raw(section.count(section.remaining))
    mask = work.unpack_mask(places, shape)
    values = lossless.unpack(section.raw(section.remaining), int(np.count_nonzero(mask)), dtype)
    return mask, np.require(values, requirements=("C", "W"))
