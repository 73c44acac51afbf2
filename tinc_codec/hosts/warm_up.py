"""Compiling before time is taken: what a process does once is no part of what a chunk takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.hosts.codec import TINCCodec

_EDGE = 40
"""Voxels along each of the last three axes of what code is compiled with: so few take a fraction of a second."""

_FEW = 2
"""The same along axes before these."""


def part_of(volume: NDArray[Any]) -> NDArray[Any]:
    """A small part of a volume that takes the same code as the whole: around its largest finite sample; contiguous.

    Elsewhere, in a corner above all, there may be nothing but background of one value, which takes hardly any code.
    """
    finite = volume if volume.dtype.kind in "iu" else np.where(np.isfinite(volume), volume, volume.dtype.type(0))
    largest = np.unravel_index(np.argmax(finite), volume.shape)
    edges = (*(_FEW,) * max(volume.ndim - 3, 0), *(_EDGE,) * min(volume.ndim, 3))
    starts = [max(0, min(at - edge // 2, n - edge)) for at, edge, n in zip(largest, edges, volume.shape, strict=True)]
    return np.ascontiguousarray(
        volume[tuple(slice(start, start + edge) for start, edge in zip(starts, edges, strict=True))]
    )


def warm_up(codecs: Iterable[TINCCodec], volumes: Sequence[NDArray[Any]]) -> None:
    """Have compiled, or loaded, what codecs take to write and to read samples like these.

    Parameters
    ----------
    codecs
        Those whose times will be taken.
    volumes
        Integers or floats, none empty; the part with the most distinct values is encoded and decoded.
    """
    part = max(map(part_of, volumes), key=lambda part: np.unique(part).size)
    for codec in codecs:
        codec.decode(codec.encode(part))
