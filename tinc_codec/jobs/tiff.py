"""TIFF and OME-TIFF as a source: every image of a file at every level, and what the file says of them."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from tinc_codec.encoding.prepared import check_dtype
from tinc_codec.errors import ConfigurationError, MissingDependencyError, UnsupportedDataError
from tinc_codec.hosts.regions import Region
from tinc_codec.jobs.tiff_metadata import (
    Image,
    axis_names,
    axis_order,
    from_imagej,
    from_ome,
    from_resolution,
    is_ome_order,
    multiscale,
    omero,
)
from tinc_codec.runtime.lazy import lazy

SUFFIXES = (".tif", ".tiff")


@dataclass(frozen=True)
class TiffSource:
    """One level of one image of a TIFF, through tifffile's Zarr view: only the pages that are needed are read.

    Parameters
    ----------
    path
        The file.
    series, level
        Which image, and which of its levels.
    shape, dtype
        Of the array; the dtype in native byte order.
    axes
        tifffile's letters, in the file's order.
    """

    path: str
    series: int
    level: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str

    @lazy
    def names(self) -> tuple[str, ...]:
        """Of the array's axes."""
        names = axis_names(self.axes)
        return tuple(names[axis] for axis in self._order)

    @lazy
    def _order(self) -> tuple[int, ...]:
        return axis_order(self.axes)

    @property
    def identity(self) -> str:
        """The file's path, and which of its images."""
        return f"{self.path} {self.series} {self.level}"

    def read(self, region: Region) -> NDArray[Any]:
        """Samples of a region."""
        inside = tuple(region[self._order.index(axis)] for axis in range(len(region)))
        return np.asarray(_view(self.path, self.series, self.level)[inside], self.dtype).transpose(self._order)

    def part(self, region: Region) -> None:
        """Nothing: the file is a name."""


@dataclass(frozen=True)
class TiffArray:
    """An array that a TIFF holds: its path among the file's arrays, and what reads it."""

    path: str
    reader: TiffSource


@lru_cache(maxsize=8)
def _view(path: str, series: int, level: int) -> Any:
    import tifffile

    tiff = tifffile.TiffFile(path)
    view = zarr.open_array(tiff.series[series].aszarr(level=level), mode="r")
    weakref.finalize(view, tiff.close)  # once it is out of the cache
    return view


def open_tiff(path: str) -> tuple[dict[str, Any], list[TiffArray]]:
    """What a TIFF holds.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    attributes, arrays
        Attributes for a group that holds the arrays, as OME-Zarr 0.5 has them; and all images at all levels: the
        first image is ``"0"``, its coarser levels ``"0_1"``, ``"0_2"``, the next image ``"1"``.

    Raises
    ------
    ConfigurationError
        There is no such file, it is no TIFF, or a part of it is missing.
    UnsupportedDataError
        An image has a dtype that cannot be stored.
    MissingDependencyError
        tifffile is not installed, or imagecodecs, which its compression needs.
    """
    try:
        import tifffile
    except ImportError as error:
        raise MissingDependencyError(f"{path} needs tifffile: pip install 'tinc-codec[plot]'") from error
    try:
        with tifffile.TiffFile(path) as tiff:
            return _described(path, tiff)
    except FileNotFoundError:
        raise ConfigurationError(f"source {path!r} does not exist") from None
    except (OSError, tifffile.TiffFileError) as error:
        raise ConfigurationError(f"source {path!r} is not a TIFF that can be read: {error}") from error


def _described(path: str, tiff: Any) -> tuple[dict[str, Any], list[TiffArray]]:
    arrays: list[TiffArray] = []
    images: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    channels: tuple[str, ...] = ()
    if not tiff.series:
        raise ConfigurationError(f"source {path!r} is a TIFF that holds no image")
    for number, series in enumerate(tiff.series):
        _check(path, number, series)
        image = _image(tiff, number, series)
        pyramid = list(_levels(path, number, series))
        arrays += pyramid
        names, shapes = pyramid[0].reader.names, [array.reader.shape for array in pyramid]
        place = images if is_ome_order(names) else others
        place.append(multiscale(image, names, shapes, [array.path for array in pyramid]))
        channels = channels or image.channels
    attributes: dict[str, Any] = {}
    if images:
        attributes["ome"] = {"version": "0.5", "multiscales": images}
        if channels:
            attributes["ome"]["omero"] = omero(channels, arrays[0].reader.dtype)
    if others:  # OME-Zarr asks for time, channels and space in this order
        attributes["tiff"] = {"images": others}
    return attributes, arrays


def _check(path: str, number: int, series: Any) -> None:
    """Raise unless every page of an image is there and can be decoded."""
    where = f"image {number} of {path!r}"
    try:
        check_dtype(np.dtype(series.dtype))
    except UnsupportedDataError as error:
        raise UnsupportedDataError(f"{where}: {error}") from error
    for level in series.levels:
        if _lacks_pages(level):
            raise ConfigurationError(
                f"{where} lacks planes: a file that belongs to it is missing, or was renamed; put it beside the others"
            )
        try:
            level.keyframe.decode(None, 0)
        except (ValueError, NotImplementedError) as error:
            raise MissingDependencyError(f"{where} cannot be decoded ({error}): pip install imagecodecs") from error


def _lacks_pages(level: Any) -> bool:
    try:
        return any(page is None for page in level)
    except IndexError:
        return True


def _levels(path: str, number: int, series: Any) -> Iterator[TiffArray]:
    for level, part in enumerate(series.levels):
        order = axis_order(part.axes)
        shape = tuple(int(part.shape[axis]) for axis in order)
        reader = TiffSource(path, number, level, shape, np.dtype(part.dtype).newbyteorder("="), part.axes)
        yield TiffArray(f"{number}_{level}" if level else str(number), reader)


def _image(tiff: Any, number: int, series: Any) -> Image:
    tags = series.keyframe.tags
    resolution = tuple(_ratio(tags.valueof(name)) for name in ("XResolution", "YResolution"))
    assert len(resolution) == 2
    if tiff.is_ome:
        import tifffile

        described = tifffile.xml2dict(tiff.ome_metadata).get("OME", {}).get("Image", [])
        described = described if isinstance(described, list) else [described]
        if len(described) == len(tiff.series):
            return from_ome(number, described[number])
    if tiff.is_imagej and tiff.imagej_metadata:
        return from_imagej(tiff.imagej_metadata, resolution)
    image = from_resolution(resolution, int(tags.valueof("ResolutionUnit", 1)))
    return Image(Path(series.name).name or str(number), image.sizes, image.units, ())


def _ratio(value: Any) -> float | None:
    """Pixels to a unit, which TIFF gives as a fraction."""
    if not isinstance(value, tuple) or len(value) != 2 or 0 in value:
        return None
    return float(value[0] / value[1])
