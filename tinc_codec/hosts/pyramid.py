"""Pyramids that are not stored: Zarr arrays at 1, 1/2, 1/4, ... of an array's resolution, from its chunks alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import zarr

from tinc_codec.decoding.levels import cells
from tinc_codec.errors import ConfigurationError
from tinc_codec.hosts.ome_zarr import axes_of, first_level, kind_of, scale_of
from tinc_codec.hosts.ome_zarr_view import View
from tinc_codec.hosts.zarr_levels import Level, LevelArray, check_level, halvings

SMALL = 64
"""By default levels end where no axis has more voxels than this."""


@dataclass(frozen=True)
class Pyramid:
    """The levels of an array, finest first.

    Parameters
    ----------
    arrays
        The array itself, then `LevelArray`.
    levels
        For each, k along each axis: one sample for 2^k voxels.
    names
        Of the axes.
    scale
        See `tinc_codec.hosts.ome_zarr.scale_of`.
    """

    arrays: tuple[zarr.Array[Any], ...]
    levels: tuple[Level, ...]
    names: tuple[str, ...]
    scale: Any

    @property
    def factors(self) -> list[tuple[int, ...]]:
        """For each level, voxels of level 0 along each axis to one sample."""
        return [tuple(2**k for k in level) for level in self.levels]

    def view(self) -> View:
        """A store that holds them as an OME-Zarr image, format 0.5, whose chunks are made when they are read."""
        return View(self.arrays, self.factors, self.names, self.scale)


def derive(
    finest: zarr.Array[Any],
    attributes: dict[str, Any],
    levels: int | None = None,
    axes: Iterable[str | int] | None = None,
) -> Pyramid:
    """The pyramid of an array; see `tinc_codec.hosts.multiscale.open_multiscale`.

    Parameters
    ----------
    finest
        An array whose chunks are TINC streams.
    attributes
        Of the image that it belongs to; empty: it belongs to none.
    levels, axes
        As of `open_multiscale`.

    Raises
    ------
    UnsupportedDataError, ConfigurationError
        As `open_multiscale`.
    """
    if levels is not None and (isinstance(levels, bool) or not isinstance(levels, int) or levels < 1):
        raise ConfigurationError(f"levels={levels!r} must be a whole number of at least 1")
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
    arrays = (finest, *(LevelArray(finest, level) for level in pyramid[1:]))
    return Pyramid(arrays, tuple(pyramid), names, scale_of(attributes, finest.ndim))


def finest_of(node: zarr.Array[Any] | zarr.Group) -> tuple[zarr.Array[Any], dict[str, Any]]:
    """An array itself, or an OME-Zarr image's finest; and the attributes of the image that it belongs to.

    Raises
    ------
    ConfigurationError
        The group is no image, or its finest level is not there.
    """
    if isinstance(node, zarr.Array):
        return node, {}
    attributes = dict(node.attrs)
    path = first_level(attributes)
    array = None if path is None else node.get(path)
    if not isinstance(array, zarr.Array):
        raise ConfigurationError(
            f"{str(node.store_path)!r} is a group that is no OME-Zarr image: give one of its arrays"
        )
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
