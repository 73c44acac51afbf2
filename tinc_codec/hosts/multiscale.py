"""Pyramids that are not stored, as lazy dask arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dask.array as da
import zarr

from tinc_codec.hosts.opening import open_zarr
from tinc_codec.hosts.pyramid import Pyramid, derive, finest_of


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

    def __init__(self, pyramid: Pyramid) -> None:
        self._pyramid = pyramid
        self.arrays, self.names, self.factors = list(pyramid.arrays), pyramid.names, pyramid.factors
        chunks = pyramid.arrays[0].chunks
        super().__init__(da.from_zarr(array, chunks=tuple(map(min, array.shape, chunks))) for array in pyramid.arrays)

    def view(self) -> zarr.Group:
        """An OME-Zarr image (format 0.5) of these levels, whose chunks are made when they are read.

        Readers in Python that take a Zarr group or its ``store`` take it.
        """
        return zarr.open_group(self._pyramid.view(), mode="r")


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
    node = array if isinstance(array, zarr.Array | zarr.Group) else open_zarr(array)
    return Multiscale(derive(*finest_of(node), levels, axes))
