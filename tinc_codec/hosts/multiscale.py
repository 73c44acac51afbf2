"""Pyramids that are not stored: lazy arrays at 1, 1/2, 1/4, ... of an array's resolution, from its chunks alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dask.array as da
import zarr

from tinc_codec.decoding.levels import cells
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.ome_zarr import axes_of, first_level, kind_of, scale_of
from tinc_codec.hosts.ome_zarr_view import View
from tinc_codec.hosts.opening import open_zarr
from tinc_codec.hosts.zarr_levels import Level, LevelArray, check_level, halvings

SMALL = 64
"""By default levels end where no axis has more voxels than this."""


class Multiscale(list[da.Array]):
    """Dask arrays, finest first: what napari's ``add_image(..., multiscale=True)`` takes.

    The dask chunks of all levels have the shape of level 0's, so that a coarse one is made of several stored chunks.
    Level 0 is the array itself, and keeps its bounds on the error. The others are samples of the networks at the
    centres of coarser cells, or interpolated; see `tinc_codec.decoding.levels`. No bound holds for them.

    Attributes
    ----------
    arrays
        The same levels as Zarr arrays.
    names
        Of the axes.
    factors
        For each level, voxels of level 0 along each axis to one sample.
    """

    def __init__(self, arrays: Sequence[zarr.Array[Any]], levels: Sequence[Level], names: Sequence[str], scale: Any):
        self.arrays = list(arrays)
        self.names = tuple(names)
        self.factors = [tuple(2**k for k in level) for level in levels]
        self._scale = scale
        super().__init__(da.from_zarr(array, chunks=tuple(map(min, array.shape, arrays[0].chunks))) for array in arrays)

    def view(self) -> zarr.Group:
        """An OME-Zarr image (format 0.5) of these levels, whose chunks are made when they are read.

        Readers in Python that take a Zarr group or its ``store`` take it.
        """
        return zarr.open_group(View(self.arrays, self.factors, self.names, self._scale), mode="r")


def open_multiscale(array: Any, *, levels: int | None = None, axes: Iterable[str | int] | None = None) -> Multiscale:
    """Open a TINC array at 1, 1/2, 1/4, ... of its resolution, lazily, without a stored pyramid.

    Parameters
    ----------
    array
        A Zarr array, or the path or URL of one or of an OME-Zarr image, whose finest level is taken.
    levels
        How many, at most; None: until no axis has more than 64 voxels.
    axes
        Names or numbers of the axes to halve; None: the last three of those that are not time or channels. Each is
        halved as long as its chunks are made of whole cells.

    Returns
    -------
    Multiscale
        A list of dask arrays, finest first.

    Raises
    ------
    UnsupportedDataError
        The chunks are not TINC streams.
    ConfigurationError
        There is no such axis, or fewer than one level is asked for.

    Examples
    --------
    >>> viewer.add_image(open_multiscale("small.zarr"), multiscale=True)  # doctest: +SKIP
    """
    if levels is not None and (isinstance(levels, bool) or not isinstance(levels, int) or levels < 1):
        raise ConfigurationError(f"levels={levels!r} must be a whole number of at least 1")
    finest, attributes = _finest(array)
    names = axes_of(attributes, finest)
    halved = _halved(names, axes)
    check_level(finest, (0,) * finest.ndim)
    pyramid = [(0,) * finest.ndim]
    while levels is None or len(pyramid) < levels:
        before = cells(finest.shape, pyramid[-1])
        if levels is None and max((before[axis] for axis in halved), default=0) <= SMALL:
            break
        level = tuple(
            k + (axis in halved and k < halvings(finest.shape[axis], finest.chunks[axis]))
            for axis, k in enumerate(pyramid[-1])
        )
        if level == pyramid[-1]:
            break
        pyramid.append(level)
    arrays = [finest, *(LevelArray(finest, level) for level in pyramid[1:])]
    return Multiscale(arrays, pyramid, names, scale_of(attributes, finest.ndim))


def _finest(given: Any) -> tuple[zarr.Array[Any], dict[str, Any]]:
    """The array itself, and the attributes of the image that it belongs to."""
    opened = given if isinstance(given, zarr.Array | zarr.Group) else open_zarr(given)
    if isinstance(opened, zarr.Array):
        return opened, {}
    attributes = dict(opened.attrs)
    path = first_level(attributes)
    array = None if path is None else opened.get(path)
    if not isinstance(array, zarr.Array):
        raise ConfigurationError(f"{given!r} is a group that is no OME-Zarr image: give one of its arrays")
    return array, attributes


def _halved(names: Sequence[str], axes: Iterable[str | int] | None) -> frozenset[int]:
    if axes is None:
        space = [axis for axis, name in enumerate(names) if kind_of(name) == "space"]
        return frozenset(space[-3:])
    halved = set()
    for axis in axes:
        if axis in names:
            halved.add(names.index(str(axis)))
        elif isinstance(axis, int) and -len(names) <= axis < len(names):
            halved.add(axis % len(names))
        else:
            raise ConfigurationError(f"axis {axis!r} is not one of {tuple(names)}")
    return frozenset(halved)
