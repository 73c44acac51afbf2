"""The part of a chunk that is stored: trailing planes of one value are not, as Zarr pads chunks at an array's edge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.errors import CorruptStreamError
from tinc_codec.stream.container import Container, Section
from tinc_codec.stream.fields import FieldWriter

WORTH = 256
"""Voxels that must be left out for the section to be worth its bytes and the format's later version."""


def find(array: NDArray[Any], worth: int = WORTH) -> tuple[int, ...]:
    """Shape of what remains of an array without its trailing planes that hold nothing but its last value's bits.

    Where fewer than `worth` voxels would be left out, all remains.
    """
    if not array.size:
        return array.shape
    bits: NDArray[Any] = array.reshape(array.shape or (1,)).view(f"u{array.dtype.itemsize}")
    kept: list[int] = list(bits.shape)
    for axis in range(bits.ndim):
        others = tuple(other for other in range(bits.ndim) if other != axis)
        inside = bits[tuple(slice(n) for n in kept)]
        differs = np.flatnonzero((inside != bits[(-1,) * bits.ndim]).any(axis=others))
        kept[axis] = int(differs[-1]) + 1 if differs.size else 1
    return tuple(kept[: array.ndim]) if bits.size - math.prod(kept) >= worth else array.shape


def pack(kept: tuple[int, ...], fill: NDArray[Any]) -> bytes:
    """Write the section; `fill` is the value left out, a scalar array of native dtype."""
    out = FieldWriter()
    for size in kept:
        out.count(size)
    out.raw(fill.astype(fill.dtype.newbyteorder("<")).tobytes())
    return out.bytes()


def kept_shape(container: Container) -> tuple[int, ...]:
    """Shape of the part of a chunk that its other sections describe."""
    return _unpack(container)[0] if Section.CROP in container.sections else container.header.shape


def fill_value(container: Container) -> Any:
    """What the part of a chunk that is not stored holds: a scalar of native dtype."""
    return _unpack(container)[1]


def restore(container: Container, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples in the chunk's shape, with what was left out."""
    shape = container.header.shape
    if Section.CROP not in container.sections:
        return samples.reshape(shape)
    kept, fill = _unpack(container)
    whole, inside = np.empty(shape, samples.dtype), tuple(slice(n) for n in kept)
    whole[inside] = samples.reshape(kept)
    for axis, n in enumerate(kept):
        whole[(*inside[:axis], slice(n, None))] = fill  # what lies beyond the axes before is there
    return whole


def _unpack(container: Container) -> tuple[tuple[int, ...], Any]:
    section, header = container.section(Section.CROP), container.header
    kept = tuple(section.count(size) for size in header.shape)
    if 0 in kept or not kept:
        raise CorruptStreamError(f"nothing is left of shape {header.shape} in shape {kept}")
    little = header.dtype.newbyteorder("<")
    fill = np.frombuffer(section.raw(little.itemsize), little).astype(header.dtype.newbyteorder("="))[0]
    section.end()
    return kept, fill
