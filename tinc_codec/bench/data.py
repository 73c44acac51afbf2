"""Data that were given for a bench: which array of them, and which crop of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinc_codec.config import Config
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.patterns import Choice
from tinc_codec.hosts.regions import Region
from tinc_codec.jobs.judge import judged
from tinc_codec.jobs.source_tree import ALREADY, Member, open_source
from tinc_codec.jobs.sources import SampleSource
from tinc_codec.runtime.usable import usable

VOXELS = 128**3
"""Of a crop, at most."""

_STEP = 8
"""Edges that are cut are multiples of this."""

_BLOCK = 4
"""Edge of the blocks whose means are compared."""

_SPACE = ("z", "y", "x")

_FEW = 4
"""Samples up to which an axis without a name is taken for channels."""


@dataclass(frozen=True, eq=False)
class Image:
    """An array to try codecs on.

    Parameters
    ----------
    name
        As it was given, and its path in there.
    reader
        Gives its samples.
    names
        Of its axes; empty where nothing says.
    exact
        Why `tinc compress` would keep it exact; None where it would not.
    """

    name: str
    reader: SampleSource
    names: tuple[str, ...] = ()
    exact: str | None = None


def open_image(given: str) -> Image:
    """Open a .npy, a TIFF, or a Zarr array or group by its path or URL; of a group, the largest image.

    Raises
    ------
    ConfigurationError
        There is nothing that can be read, or no image in it.
    """
    path = Path(given)
    if path.suffix == ".npy":
        with usable(f"data {given!r}"):
            try:
                array = np.load(path, mmap_mode="r", allow_pickle=False)
            except (ValueError, EOFError) as error:
                raise ConfigurationError(f"data {given!r} are not an array that NumPy saved: {error}") from error
        source = open_source(array)
    else:
        source = open_source(given)
    return _largest(given, judged(source, Config(), Choice.parse((), (), False)).members)


def _largest(given: str, members: Sequence[Member]) -> Image:
    images = [member for member in members if member.exact in (None, ALREADY)] if len(members) > 1 else members
    if not images:
        why = "; ".join(f"{member.path!r}: {member.exact}" for member in members[:3])
        raise ConfigurationError(f"data {given!r} hold no image ({why or 'they hold no array'}): name an array of them")
    member = max(images, key=lambda member: math.prod(member.reader.shape))
    if 0 in member.reader.shape or not member.reader.shape:
        raise ConfigurationError(f"data {given!r} have shape {member.reader.shape}: there is nothing to compress")
    names = member.names
    if member.array is not None:
        array: Any = member.array
        names = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    return Image(f"{given}/{member.path}".rstrip("/"), member.reader, tuple(map(str, names)), member.exact)


def parse_crop(text: str, shape: tuple[int, ...]) -> Region:
    """A crop as it is written, ``0:64,:,128:256``, or with single indices, ``3,0,0:64,:,:``.

    Raises
    ------
    ConfigurationError
        It is written otherwise, or is empty or outside.
    """
    parts = text.strip("[] ").split(",")
    if len(parts) != len(shape):
        raise ConfigurationError(f"crop {text!r} has {len(parts)} parts, and the data {len(shape)} axes: {shape}")
    return tuple(itertools.starmap(_parse_part, zip(parts, shape, strict=True)))


def _parse_part(text: str, n: int) -> slice:
    bounds = text.split(":")
    try:
        numbers = [int(bound) if bound.strip() else None for bound in bounds]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and numbers[0] is not None:
        start, stop = numbers[0], numbers[0] + 1
    elif len(numbers) == 2:
        start, stop = (numbers[0] or 0), (n if numbers[1] is None else numbers[1])
    else:
        raise ConfigurationError(f"crop part {text!r} must be start:stop or an index, as in 0:64,:,12")
    if not 0 <= start < stop <= n:
        raise ConfigurationError(f"crop part {text!r} must lie within 0:{n}, and hold something")
    return slice(start, stop)


def choose_crop(image: Image, voxels: int = VOXELS) -> Region:
    """The busiest crop of its size, by how much its middle plane varies from place to place; always the same."""
    return _ranked(image, voxels)[0]


def choose_samples(image: Image, voxels: int) -> list[Region]:
    """Up to three crops of a size: the busiest, a middling one, and the quietest."""
    ranked = _ranked(image, voxels)
    return [ranked[place] for place in dict.fromkeys((0, len(ranked) // 2, len(ranked) - 1))]


def _ranked(image: Image, voxels: int) -> list[Region]:
    """Crops in the middle and at the ends of each axis, the busiest first; of equals that nearest the middle."""
    shape = tuple(image.reader.shape)
    edges = crop_edges(shape, spatial_axes(shape, image.names), voxels)
    crops = sorted(_places(shape, edges), key=lambda crop: _distance(crop, shape))
    return crops if len(crops) == 1 else sorted(crops, key=lambda crop: -_busy(image.reader, crop))


def spatial_axes(shape: tuple[int, ...], names: Sequence[str]) -> list[int]:
    """The axes that a crop has: those called z, y and x; else three of the last, passing over those of few samples."""
    lowered = [name.lower() for name in names]
    if len(lowered) == len(shape) and {"y", "x"} <= set(lowered):
        return [axis for axis, name in enumerate(lowered) if name in _SPACE]
    axes = [axis for axis, n in enumerate(shape) if n > 1]
    while len(axes) > 3:
        few = [axis for axis in axes if shape[axis] <= _FEW]
        axes.remove(few[0] if few else axes[0])
    return axes


def crop_edges(shape: tuple[int, ...], axes: Sequence[int], voxels: int) -> tuple[int, ...]:
    """Edges of a crop of at most so many voxels, as near to a cube as the shape allows; 1 along other axes."""
    edges = [1] * len(shape)
    left = voxels
    for number, axis in enumerate(sorted(axes, key=lambda axis: shape[axis])):
        even = round(left ** (1 / (len(axes) - number)) * (1 + 1e-9) - 0.5)
        edges[axis] = shape[axis] if shape[axis] <= even else max(1, even // _STEP * _STEP)
        left //= edges[axis]
    return tuple(edges)


def _places(shape: tuple[int, ...], edges: tuple[int, ...]) -> Iterator[Region]:
    starts = [sorted({(n - e) // 2} if e == 1 else {0, (n - e) // 2, n - e}) for n, e in zip(shape, edges, strict=True)]
    for corner in itertools.product(*starts):
        yield tuple(slice(start, start + e) for start, e in zip(corner, edges, strict=True))


def _distance(crop: Region, shape: tuple[int, ...]) -> float:
    return float(sum(((part.start + part.stop) / 2 / n - 0.5) ** 2 for part, n in zip(crop, shape, strict=True)))


def _busy(reader: SampleSource, crop: Region) -> float:
    """How much neighbouring blocks of 4 x 4 samples differ in the middle plane of a crop: structure more than noise."""
    first = next((axis for axis, part in enumerate(crop) if part.stop - part.start > 1), 0)
    middle = (crop[first].start + crop[first].stop) // 2
    return _variation(np.squeeze(reader.read((*crop[:first], slice(middle, middle + 1), *crop[first + 1 :]))))


def _variation(plane: NDArray[Any]) -> float:
    values = np.atleast_2d(np.where(np.isfinite(plane), plane, 0))
    edges = [min(_BLOCK, n) for n in values.shape]
    rows, columns = (n // e for n, e in zip(values.shape, edges, strict=True))
    blocks = values[: rows * edges[0], : columns * edges[1]].reshape(rows, edges[0], columns, edges[1])
    means = blocks.mean(axis=(1, 3), dtype=np.float64)
    return sum(float(np.abs(np.diff(means, axis=axis)).sum()) for axis in (0, 1)) / int(means.size)


def read_crop(image: Image, crop: Region) -> tuple[NDArray[Any], int]:
    """Samples of a crop without axes of one sample, in native order, and how many of them were not finite.

    Those are given the median of the others, since most codecs cannot take them.

    Raises
    ------
    ConfigurationError
        None is finite.
    """
    samples = np.asarray(image.reader.read(crop))
    samples = samples.reshape([n for n in samples.shape if n > 1] or [1])
    samples = np.ascontiguousarray(samples, samples.dtype.newbyteorder("="))
    finite = np.isfinite(samples)
    lacking = samples.size - int(finite.sum())
    if lacking == samples.size:
        raise ConfigurationError(f"data {image.name!r} have no finite sample in the crop: give another")
    return (
        np.where(finite, samples, np.median(samples[finite])).astype(samples.dtype) if lacking else samples
    ), lacking


def shown(crop: Region) -> str:
    """A crop as `parse_crop` reads it."""
    return ",".join(f"{part.start}:{part.stop}" for part in crop)
